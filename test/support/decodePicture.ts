import { spawn } from 'node:child_process';

export interface Decoded {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** Brightness, line after line. */
  readonly gray: Buffer;
}

/** A picture file as ffmpeg sees it. */
export async function decodePicture(bytes: Buffer): Promise<Decoded> {
  const { out, err } = await ffmpeg(bytes, [
    ...['-v', 'info', '-i', '-', '-vf', 'format=gray', '-f', 'rawvideo', '-'],
  ]);
  const [, codec = '', width = '', height = ''] = /Video: (\w+).*?, (\d+)x(\d+)/.exec(err) ?? [];
  return { codec, width: Number(width), height: Number(height), gray: out };
}

function ffmpeg(input: Buffer, words: readonly string[]): Promise<{ out: Buffer; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('ffmpeg', ['-nostdin', '-hide_banner', ...words]);
    const out: Buffer[] = [];
    let err = '';
    child.stdout.on('data', (data: Buffer) => out.push(data));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    child.once('close', () => {
      resolve({ out: Buffer.concat(out), err });
    });
    child.stdin.end(input);
  });
}
