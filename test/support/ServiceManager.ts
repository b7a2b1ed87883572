import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Node has no datagram sockets of this kind, so Python listens, and prints each message as a line of JSON. */
const receiver = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind('\\0' + name[1:] if name[0] == '@' else name)
print('null', flush=True)
while True:
    print(json.dumps(s.recv(4096).decode()), flush=True)
`;

/** Stands in for systemd: hears what a server has to say of itself. */
export class ServiceManager {
  readonly heard: string[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async listen(name: string): Promise<ServiceManager> {
    const child = spawn('python3', ['-c', receiver, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    const manager = new ServiceManager(child);
    await new Promise<void>((isListening) => {
      let rest = '';
      child.stdout.on('data', (data: Buffer) => {
        const lines = `${rest}${data.toString()}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const message = JSON.parse(line) as string | null;
          if (message === null) isListening();
          else manager.heard.push(message);
        }
      });
    });
    return manager;
  }

  count(message: string): number {
    return this.heard.filter((each) => each === message).length;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}
