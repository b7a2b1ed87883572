import { filter, firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { Supervisor } from '../../src/media/supervisor.js';

let supervisor: Supervisor;
let said: string[];
let pids: Set<number>;

function supervise(program: string): void {
  said = [];
  pids = new Set();
  supervisor = new Supervisor({
    program: new URL(`../support/${program}`, import.meta.url),
    log: (_level, message) => said.push(message),
  });
  supervisor.state$.subscribe((state) => {
    if (state.phase === 'running') pids.add(state.pid);
  });
}
afterEach(() => supervisor.close());

it('replaces a process whose main loop hangs, though the process itself says that it lives', async () => {
  supervise('stuckMedia.mjs');
  await expect.poll(() => pids.size, { timeout: 10_000 }).toBeGreaterThan(1);
  expect(said).toContain('The loop of the media process hangs, and the process is ended');
});

describe('of a process that ended by itself', () => {
  const rights = (realm: string) => ({
    ...{ realm, anonymous: false, accounts: {}, tokens: {}, sessions: {} },
  });

  it('the way it ended is told, and what it said last, without passwords', async () => {
    supervise('dyingMedia.mjs');
    await supervisor.order('graph', { pipeline: 'any' });
    await expect.poll(() => said.join('\n')).toContain('The media process said last: ');
    expect(said).toContain('The media process has ended: it ended with SIGABRT; another one follows');
    const words = said.find((each) => each.startsWith('The media process said last'));
    expect(words).toMatch(/Lab-ERROR \*\*: rtsp:.*192\.0\.2\.7\/ makes no sense$/);
    expect(words).not.toContain('secret');
  });

  it('the next one goes by the rights of today, though there was none to hear of them', async () => {
    supervise('dyingMedia.mjs');
    await supervisor.order('access', rights('before'));
    const down = firstValueFrom(supervisor.state$.pipe(filter(({ phase }) => phase === 'down')));
    await supervisor.order('graph', { pipeline: 'any' });
    await down;
    await expect(supervisor.order('access', rights('after'))).rejects.toThrow('There is no video now');
    await expect.poll(() => pids.size).toBe(2);
    await expect.poll(() => said.filter((each) => each.startsWith('access')).at(-1)).toContain('"after"');
  });
});
