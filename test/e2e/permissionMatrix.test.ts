// Every observable, every role, reading and writing, over every protocol: the declarations decide, nobody else.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticatedMask, builtInRoles, maskOf } from '../../src/observables/permissions.js';
import { registry } from '../../src/observables/registry.js';
import type { Cell } from '../../src/store/cell.js';
import { exitCodes } from '../../src/cli/exit.js';
import { cli } from '../support/cli.js';
import { JsonSocket, type Json } from '../support/JsonSocket.js';
import { basic, passwordOf, runningServer, type TestServer } from '../support/runningServer.js';

let server: TestServer;

beforeAll(async () => {
  server = await runningServer({ people: true });
  server.store.write({
    rateLimits: {
      imagesPerSecond: 100_000,
      filesPerSecond: 100_000,
      apiPerSecond: 100_000,
      uploadsPerSecond: 1000,
    },
  });
});
afterAll(() => server.stop());

const people = [
  ['admin', 'administrator'],
  ['operator', 'operator'],
  ['viewer', 'viewer'],
  ['guest', 'guest'],
] as const;

type Verdict = 'allowed' | 'forbidden' | 'hidden';

function expected(cell: Cell, role: keyof typeof builtInRoles): { read: Verdict; write: Verdict } {
  const mask = maskOf(builtInRoles[role]) | authenticatedMask;
  const hidden = (mask & (cell.readMask | cell.writeMask)) === 0;
  const secret = cell.definition.kind === 'setting' && cell.definition.secret === true;
  const mayRead = (mask & cell.readMask) !== 0 && !secret;
  const mayWrite = (mask & cell.writeMask) !== 0;
  return {
    read: hidden ? 'hidden' : mayRead ? 'allowed' : 'forbidden',
    write: hidden ? 'hidden' : mayWrite ? 'allowed' : 'forbidden',
  };
}

/** A value that no schema accepts: past the permission check it is refused for itself, and nothing changes. */
const impossible = { 'no such value': [null] };

const byCode: Readonly<Record<string, Verdict>> = {
  unknown: 'hidden',
  forbidden: 'forbidden',
  invalid: 'allowed',
  UNKNOWN_KEY: 'hidden',
  PERMISSION_DENIED: 'forbidden',
  INVALID_VALUE: 'allowed',
};

describe.each(people)('%s', (username, role) => {
  const cells = (): readonly Cell[] => server.store.cells;

  it('over WebSocket v2', async () => {
    const socket = await JsonSocket.open(`${server.socketUrl}/api/v2`);
    await socket.ask({ op: 'auth', username, password: passwordOf(username) });
    const { state } = (await socket.ask({ op: 'watch', keys: ['*'] })) as { state: Json };
    await paced(cells(), async (cell) => {
      const want = expected(cell, role);
      const read = await socket.ask({ op: 'get', keys: [cell.key] });
      expect([cell.key, 'read', verdictOf(read)]).toEqual([cell.key, 'read', want.read]);
      expect(cell.key in state, `${cell.key} in the watched state`).toBe(want.read === 'allowed');
      const write = await socket.ask({ op: 'set', set: { [cell.key]: impossible } });
      expect([cell.key, 'write', verdictOf(write)]).toEqual([cell.key, 'write', want.write]);
    });
    socket.close();
  });

  it('over HTTP', async () => {
    const headers = {
      authorization: basic(username, passwordOf(username)),
      'content-type': 'application/json',
    };
    const all = (await (await fetch(`${server.url}/api/state`, { headers })).json()) as Json;
    const shown = 'state' in all ? (all['state'] as Json) : all;
    for (const cell of cells()) {
      const want = expected(cell, role);
      const url = `${server.url}/api/state/${cell.key}`;
      expect([cell.key, 'read', await httpVerdict(await fetch(url, { headers }))]).toEqual([
        cell.key,
        'read',
        want.read,
      ]);
      expect(cell.key in shown, `${cell.key} in the whole state`).toBe(want.read === 'allowed');
      const body = JSON.stringify({ value: impossible });
      const write = await fetch(url, { method: 'PUT', headers, body });
      expect([cell.key, 'write', await httpVerdict(write)]).toEqual([cell.key, 'write', want.write]);
    }
  });

  it('over the command line', async () => {
    const environment = { OBSCURA_URL: server.url, OBSCURA_TOKEN: await tokenOf(username) };
    const exit = { allowed: exitCodes.done, forbidden: exitCodes.denied, hidden: exitCodes.unknown };
    for (const cell of cells()) {
      const want = expected(cell, role);
      const read = await cli(['get', cell.key], environment);
      expect([cell.key, 'read', read.exitCode]).toEqual([cell.key, 'read', exit[want.read]]);
      const write = await cli(['set', `${cell.key}:=${JSON.stringify(impossible)}`], environment);
      const refused = want.write === 'allowed' ? exitCodes.invalid : exit[want.write];
      expect([cell.key, 'write', write.exitCode]).toEqual([cell.key, 'write', refused]);
    }
  }, 60_000);

  it('over WebSocket v1', async () => {
    const socket = await JsonSocket.open(`${server.socketUrl}/api/v1`);
    socket.send({ username, password: passwordOf(username) });
    await socket.next();
    await paced(cells(), async (cell) => {
      const want = expected(cell, role);
      socket.send({ get: [cell.key] });
      const read = await socket.next((message) => 'error' in message || cell.key in message);
      expect([cell.key, 'read', read['error']]).toEqual([
        cell.key,
        'read',
        want.read === 'allowed' ? undefined : 'Permission denied',
      ]);
      socket.send({ [cell.key]: impossible });
      const write = await socket.next((message) => 'error' in message);
      expect([cell.key, 'write', write['error']]).toEqual([
        cell.key,
        'write',
        want.write === 'allowed' ? 'Invalid value' : 'Permission denied',
      ]);
    });
    socket.close();
  });
});

it('nobody who has not logged in reads or writes anything', async () => {
  const socket = await JsonSocket.open(`${server.socketUrl}/api/v2`);
  for (const key of Object.keys(registry).slice(0, 80)) {
    expect(verdictOf(await socket.ask({ op: 'get', keys: [key] }))).toBe('hidden');
    expect((await fetch(`${server.url}/api/state/${key}`)).status).toBe(401);
  }
  socket.close();
});

it('nothing has changed by all of this', () => {
  const { recordingState, streamBitrate, users } = server.store.snapshot().values;
  expect({ recordingState, streamBitrate }).toEqual({ recordingState: 'stopped', streamBitrate: 8_000_000 });
  expect(Object.keys(users)).toEqual(['admin', 'operator', 'viewer', 'guest']);
});

async function tokenOf(username: string): Promise<string> {
  const response = await fetch(`${server.url}/api/login`, {
    method: 'POST',
    body: JSON.stringify({ username, password: passwordOf(username) }),
  });
  return ((await response.json()) as { token: string }).token;
}

/** Two messages a key: stays below the hundred a second that one socket may send, by waiting for its own echo. */
async function paced(cells: readonly Cell[], each: (cell: Cell) => Promise<void>): Promise<void> {
  const perRound = 40;
  for (let from = 0; from < cells.length; from += perRound) {
    const began = performance.now();
    for (const cell of cells.slice(from, from + perRound)) await each(cell);
    // What the bucket gives back in this time is what the next round takes.
    const pause = Math.max(0, 820 - (performance.now() - began));
    if (from + perRound < cells.length) await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function verdictOf({ ok, error }: Json): Verdict {
  if (ok === true) return 'allowed';
  return byCode[(error as { code: string }).code] ?? 'hidden';
}

async function httpVerdict(response: Response): Promise<string> {
  if (response.ok) return 'allowed';
  const { error } = (await response.json()) as { error: { code: string } };
  return byCode[error.code] ?? error.code;
}
