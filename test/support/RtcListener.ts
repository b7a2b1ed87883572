// A player of WebRTC that shows nothing but tells when its pictures were taken (rtcListener.c).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type MediaServer } from './mediaServer.js';
import { adminPassword, basic } from './runningServer.js';
import { TakenTimes } from './TakenTimes.js';

export class RtcListener {
  readonly times = new TakenTimes();
  readonly #child: ChildProcess;
  readonly #folder: string;
  #answer: string[] = [];
  #isAnswered = false;
  #looking: (() => void)[] = [];

  private constructor(folder: string, program: string, offer: string) {
    this.#folder = folder;
    this.#child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin?.end(offer);
    let rest = '';
    this.#child.stdout?.on('data', (data: Buffer) => {
      const lines = `${rest}${data.toString()}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line.trim());
      for (const look of this.#looking.splice(0)) look();
    });
    this.#child.once('exit', () => {
      for (const look of this.#looking.splice(0)) look();
    });
  }

  /** Plays the stream that the server offers. */
  static async play({ url }: MediaServer): Promise<RtcListener> {
    const folder = await mkdtemp(join(tmpdir(), 'obscura-listener-'));
    const program = await built(folder);
    const headers = { authorization: basic('admin', adminPassword), 'content-type': 'application/json' };
    const offered = await fetch(`${url}/api/webrtc/offer`, { headers });
    const { id, sdp } = (await offered.json()) as { id: string; sdp: string };
    const listener = new RtcListener(folder, program, sdp);
    await listener.until(() => listener.#isAnswered);
    const answer = { id, type: 'answer', sdp: `${listener.#answer.join('\r\n')}\r\n` };
    const answered = await fetch(`${url}/api/webrtc/answer`, {
      ...{ method: 'POST', headers },
      body: JSON.stringify(answer),
    });
    if (!answered.ok) throw new Error(await answered.text());
    return listener;
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error('The player has ended');
      await new Promise<void>((resolve) => this.#looking.push(resolve));
    }
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
    await rm(this.#folder, { recursive: true });
  }

  #take(line: string): void {
    const [word, ...numbers] = line.split(' ');
    const [first = 0, second = 0, third = 0] = numbers.map(Number);
    if (!this.#isAnswered && line === '.') this.#isAnswered = true;
    else if (!this.#isAnswered) this.#answer.push(line);
    else if (word === 'picture') this.times.picture(first);
    else this.times.told(first, second, third);
  }
}

async function built(folder: string): Promise<string> {
  const program = join(folder, 'listener');
  const libraries = ['', '-sdp', '-rtp'].map((part) => `gstreamer${part}-1.0`);
  const { out } = await run('pkg-config', ['--cflags', '--libs', ...libraries]);
  const source = join(import.meta.dirname, 'rtcListener.c');
  const words = ['-O1', '-Wall', '-Werror', '-o', program, source, ...out.trim().split(/\s+/), '-ldl'];
  const { code, err } = await run('gcc', words);
  if (code !== 0) throw new Error(err);
  return program;
}
