// A process full of plain WebSocket clients: counts what arrives, so that server and clients do not share a core.
import { WebSocket } from 'ws';

export type CrowdOrder =
  | {
      readonly kind: 'connect';
      readonly url: string;
      readonly count: number;
      readonly hello: readonly string[];
    }
  | { readonly kind: 'until'; readonly last: string }
  | {
      readonly kind: 'echo';
      readonly url: string;
      readonly hello: readonly string[];
      readonly ask: string;
      readonly rounds: number;
      readonly sees: string;
    };

export type CrowdReport =
  | { readonly kind: 'connected' }
  | { readonly kind: 'reached'; readonly messages: number }
  | { readonly kind: 'times'; readonly milliseconds: readonly number[] };

const betweenAsksMs = 12;
const sockets: WebSocket[] = [];
let messages = 0;
let last = '';
let reached = 0;

function report(message: CrowdReport): void {
  process.send?.(message);
}

async function open(url: string, hello: readonly string[]): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  for (const message of hello) {
    const answered = new Promise((resolve) => socket.once('message', resolve));
    socket.send(message);
    await answered;
  }
  return socket;
}

process.on('message', (order: CrowdOrder) => {
  void obey(order);
});

async function obey(order: CrowdOrder): Promise<void> {
  switch (order.kind) {
    case 'connect':
      for (let index = 0; index < order.count; index += 1) {
        const socket = await open(order.url, order.hello);
        socket.on('message', (data: Buffer) => {
          messages += 1;
          if (last !== '' && data.includes(last)) {
            reached += 1;
            if (reached === sockets.length) report({ kind: 'reached', messages });
          }
        });
        sockets.push(socket);
      }
      report({ kind: 'connected' });
      break;
    case 'until':
      messages = 0;
      reached = 0;
      last = order.last;
      report({ kind: 'connected' });
      break;
    case 'echo': {
      const [asker, seer] = [
        await open(order.url, order.hello.slice(0, 1)),
        await open(order.url, order.hello),
      ];
      const milliseconds: number[] = [];
      for (let round = 0; round < order.rounds; round += 1) {
        const value = String(1_000_000 + round);
        const seen = new Promise<void>((resolve) => {
          const look = (data: Buffer): void => {
            if (!data.includes(order.sees.replace('VALUE', value))) return;
            seer.off('message', look);
            resolve();
          };
          seer.on('message', look);
        });
        const began = performance.now();
        asker.send(order.ask.replaceAll('VALUE', value));
        await seen;
        milliseconds.push(performance.now() - began);
        // Below the hundred messages a second that one socket may send.
        await new Promise((resolve) => setTimeout(resolve, betweenAsksMs));
      }
      asker.terminate();
      seer.terminate();
      report({ kind: 'times', milliseconds });
      break;
    }
  }
}
