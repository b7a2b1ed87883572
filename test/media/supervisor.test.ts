import { afterEach, expect, it } from 'vitest';
import { Supervisor } from '../../src/media/supervisor.js';

let supervisor: Supervisor;
afterEach(() => supervisor.close());

it('replaces a process whose main loop hangs, though the process itself says that it lives', async () => {
  const said: string[] = [];
  const pids = new Set<number>();
  supervisor = new Supervisor({
    program: new URL('../support/stuckMedia.mjs', import.meta.url),
    log: (_level, message) => said.push(message),
  });
  supervisor.state$.subscribe((state) => {
    if (state.phase === 'running') pids.add(state.pid);
  });
  await expect.poll(() => pids.size, { timeout: 10_000 }).toBeGreaterThan(1);
  expect(said).toContain('The loop of the media process hangs, and the process is ended');
});
