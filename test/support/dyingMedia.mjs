// A media process that carries out its first order, and ends as GLib ends a process: with a word on stderr and a signal.
import { writeSync } from 'node:fs';

process.on('disconnect', () => process.exit(0));
process.on('message', ({ kind, id, order }) => {
  process.send({ kind: 'done', id, result: order });
  process.send({ kind: 'log', level: 'info', message: `${kind} ${JSON.stringify(order)}` });
  if (kind !== 'graph') return;
  writeSync(2, '\n(process:1): Lab-ERROR **: rtsp://camera:secret@192.0.2.7/ makes no sense\n');
  process.kill(process.pid, 'SIGABRT');
});
process.send({ kind: 'ready', machine: { cores: 1, encoders: [] }, version: 'none' });
setInterval(() => process.send({ kind: 'beat', pipelines: [], channels: {}, clients: [], webrtc: [] }), 100);
