// A media process that says it lives while the loop that serves its viewers does not answer.
process.on('disconnect', () => process.exit(0));
process.send({ kind: 'ready', machine: { cores: 1, encoders: [] }, version: 'none' });
setInterval(() => {
  process.send({ kind: 'beat', pipelines: [], channels: {}, clients: [], webrtc: [], loopLagMs: 20_000 });
}, 20);
