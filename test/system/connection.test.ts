import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect as connectSecurely, createServer as createSecureServer } from 'node:tls';
import { generate } from 'selfsigned';
import { afterEach, expect, it } from 'vitest';
import { stateOf } from '../../src/system/connection.js';

const endings: (() => void)[] = [];
afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** Both ends of a connection; the other one takes nothing until it is told to. */
async function connected(isSecure: boolean): Promise<{ readonly mine: Socket; readonly other: Socket }> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }]);
  const server: Server = isSecure ? createSecureServer({ cert, key }) : createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, isSecure ? 'secureConnection' : 'connection') as Promise<[Socket]>;
  const other = isSecure
    ? connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect(port, '127.0.0.1');
  other.pause();
  const [mine] = await accepted;
  mine.on('error', () => undefined);
  endings.push(() => {
    other.destroy();
    mine.destroy();
    server.close();
  });
  return { mine, other };
}

it.each([
  ['as it is', false],
  ['encrypted', true],
])('what the other side does not take is a backlog, wherever it waits (%s)', async (_how, isSecure) => {
  const { mine, other } = await connected(isSecure);
  const little = Buffer.alloc(100_000);
  const much = Buffer.alloc(32_000_000);
  mine.write(little);
  await expect
    .poll(() => stateOf(mine))
    .toMatchObject({ backlogBytes: 0, rttMs: expect.any(Number) as number });
  mine.write(much);
  await expect.poll(() => stateOf(mine).backlogBytes).toBeGreaterThan(mine.writableLength);
  expect(stateOf(mine).backlogBytes).toBeGreaterThan(4_000_000);
  other.resume();
  await expect.poll(() => stateOf(mine).backlogBytes).toBe(0);
});

it('of a connection that has ended nothing is known', async () => {
  const { mine } = await connected(false);
  mine.destroy();
  await once(mine, 'close');
  expect(stateOf(mine)).toEqual({ backlogBytes: 0 });
});
