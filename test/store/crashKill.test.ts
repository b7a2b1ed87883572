import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Journal } from '../../src/store/journal.js';
import { valuesOf } from '../support/crashWorkload.js';
import { program } from '../support/program.js';

/** Runs until so many batches were acknowledged and so much of a moment has passed; gives the last acknowledged. */
async function killedAfter(dir: string, batches: number, moment: number): Promise<number> {
  const writer = spawn(process.execPath, [...program('test/support/journalChild.ts'), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let seen = 0;
  writer.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    seen += text.split('\n').length - 1;
    if (seen < batches || writer.killed) return;
    // Somewhere within the next write rather than right behind one.
    const until = process.hrtime.bigint() + BigInt(moment);
    while (process.hrtime.bigint() < until);
    writer.kill('SIGKILL');
  });
  const [code, signal] = (await once(writer, 'close')) as [number | null, string | null];
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' });
  return Number(said.trimEnd().split('\n').at(-1));
}

test('a server that is killed sixty times loses nothing that it acknowledged', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'obscura-kill-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  let total = 0;
  for (let round = 0; round < 60; round += 1) {
    const acknowledged = await killedAfter(dir, 1 + ((round * 7) % 40), ((round * 37) % 60) * 10_000);
    const journal = await Journal.open({ dir, schemaVersion: 1, migrations: [], snapshotLimitBytes: 4000 });
    const { recovered } = journal;
    expect(recovered.rev).toBeGreaterThanOrEqual(acknowledged);
    // Each batch writes three keys; what was in flight may be there in part, one whole change after another.
    const revisions = Object.values(valuesOf(journal)).map(Number);
    for (const [index, rev] of revisions.sort((a, b) => a - b).entries())
      expect(rev).toBe(recovered.rev - 2 + index);
    expect(recovered.clean).toBe(false);
    total = recovered.rev;
    const [newest] = await journal.search({ limit: 1 });
    expect(newest?.rev).toBe(total);
    await journal.close(total);
  }
  expect(total).toBeGreaterThan(1000);
  expect((await readdir(dir)).some((name) => name.startsWith('audit-'))).toBe(true);
}, 180_000);
