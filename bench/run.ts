// Runs a benchmark by name: `npm run bench -- state`.
const names = ['state', 'minute', 'media', 'picture', 'adaptive'] as const;
const name = process.argv[2];

if (name === 'state') await (await import('./state.js')).benchState();
else if (name === 'minute') await (await import('./minute.js')).benchMinute();
else if (name === 'media') await (await import('./media.js')).benchMedia();
else if (name === 'picture') await (await import('./picture.js')).benchPicture();
else if (name === 'adaptive') {
  await (await import('./adaptive.js')).benchAdaptive();
  await (await import('./adaptiveLink.js')).benchAdaptiveLink();
} else {
  process.stderr.write(`Say which: npm run bench -- ${names.join(' | ')}\n`);
  process.exitCode = 2;
}
