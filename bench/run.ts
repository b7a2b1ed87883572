// Runs a benchmark by name: `npm run bench -- state`.
const names = ['state'] as const;
const name = process.argv[2];

if (name === 'state') await (await import('./state.js')).benchState();
else {
  process.stderr.write(`Say which: npm run bench -- ${names.join(' | ')}\n`);
  process.exitCode = 2;
}
