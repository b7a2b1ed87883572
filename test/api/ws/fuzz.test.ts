// Nonsense of every kind over both protocols: the server goes on, and nothing changes that was refused.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { JsonSocket } from '../../support/JsonSocket.js';
import { passwordOf, runningServer, type TestServer } from '../../support/runningServer.js';

let server: TestServer;

beforeAll(async () => {
  server = await runningServer({ people: true });
});
afterAll(() => server.stop());

const names = fc.constantFrom(
  'streamBitrate',
  'brightness',
  'cam1-light',
  'users',
  'userPasswords',
  'pipLayout',
  'record',
  'restart',
  'reset',
  'credentials',
  'currentUser',
  '__proto__',
  'constructor',
  'get',
  'info',
  'token',
  'type',
  'action',
  'key',
  'value',
  'op',
  'id',
  'set',
  'keys',
  'since',
);
const words = fc.constantFrom(
  'auth',
  'watch',
  'get',
  'describe',
  'set',
  'lock',
  'undo',
  'confirm',
  'subscribe',
  'command',
  'setState',
);
const values = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  words,
  names,
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const messages = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.dictionary(names, values, { maxKeys: 6 }).map((message) => JSON.stringify(message)),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(words, fc.dictionary(names, values, { maxKeys: 4 }))
      .map(([op, rest]) => JSON.stringify({ id: 1, ...rest, op })),
  },
  { weight: 1, arbitrary: fc.string({ maxLength: 200 }) },
);

it.each(['/api/v1', '/api/v2', '/api', '/ws'])(
  '%s survives a viewer who sends anything at all',
  async (path) => {
    const login = await fetch(`${server.url}/api/login`, {
      method: 'POST',
      body: JSON.stringify({ username: 'viewer', password: passwordOf('viewer') }),
    });
    const { token } = (await login.json()) as { token: string };
    const before = settings();
    await fc.assert(
      fc.asyncProperty(fc.array(messages, { minLength: 1, maxLength: 15 }), async (texts) => {
        const socket = await JsonSocket.open(`${server.socketUrl}${path}?token=${token}`);
        for (const text of texts) socket.send(text);
        // The pong comes after everything before it has been read; a socket that was cut off has had its answer.
        await new Promise<void>((resolve) => {
          socket.ws.once('pong', () => {
            resolve();
          });
          socket.ws.once('close', () => {
            resolve();
          });
          socket.ws.ping();
        });
        socket.close();
      }),
      { numRuns: 60 },
    );
    await server.store.settle();
    expect(settings()).toEqual(before);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    expect(Object.prototype).not.toHaveProperty('brightness');
  },
);

/** What a viewer may not change; log-ins and locks aside, which are not settings. */
function settings(): Record<string, unknown> {
  const saved = server.store.cells.filter((cell) => cell.saved && cell.key !== 'users');
  return Object.fromEntries(saved.map(({ key, value }) => [key, value]));
}
