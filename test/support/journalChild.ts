// Writes to a journal until it is killed, and says on standard output what was acknowledged.
import { writeSync } from 'node:fs';
import { Journal } from '../../src/store/journal.js';

const [, , dir = ''] = process.argv;

const journal = await Journal.open({ dir, schemaVersion: 1, migrations: [], snapshotLimitBytes: 4000 });
let rev = journal.recovered.rev;
for (;;) {
  const entries = [1, 2, 3].map((member) => {
    rev += 1;
    return {
      kind: 'commit' as const,
      rev,
      at: rev,
      by: 'child',
      via: 'system',
      set: { [`key${String(member)}`]: rev },
    };
  });
  await journal.append(entries);
  // At once and whole: what waits in this process dies with it.
  writeSync(1, `${String(rev)}\n`);
}
