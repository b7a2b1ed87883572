// The media process: the only one that loads GStreamer. It may crash or hang; whoever started it starts it again.
import { availableParallelism } from 'node:os';
import { messageOf } from '../errors.js';
import { isHardware, knownEncoders } from '../pipelines/encoders.js';
import type { Machine } from '../pipelines/machine.js';
import { CannotRun, Engine } from './engine.js';
import { loadGStreamer, type MediaEvent } from './gstreamer.js';
import type { Beat, FromMedia, RtspPorts, ToMedia } from './messages.js';

const beatEveryMs = 500;

function say(message: FromMedia): void {
  process.send?.(message);
}

const gst = loadGStreamer();
const { addon } = gst;
const engine = new Engine(gst, (level, message) => {
  say({ kind: 'log', level, message });
});
addon.listen((json) => {
  const event = JSON.parse(json) as MediaEvent;
  if (event.event === 'rtsp-refused')
    say({ kind: 'log', level: 'warn', message: `A wrong RTSP log-in came from ${event.address}` });
  engine.hear(event);
});

function listen({ address, port, securePort, certificate, key }: RtspPorts): void {
  try {
    addon.rtspListen(address, port ?? 0);
  } catch (error) {
    throw new CannotRun(`Port ${String(port)} cannot be used: ${messageOf(error)}`);
  }
  try {
    addon.rtspsListen(address, securePort ?? 0, certificate, key);
  } catch (error) {
    throw new CannotRun(`Port ${String(securePort)} cannot be used: ${messageOf(error)}`);
  }
}

async function obey(message: ToMedia): Promise<unknown> {
  switch (message.kind) {
    case 'plan':
      await engine.apply(message.order);
      return undefined;
    case 'rtsp':
      listen(message.order);
      return undefined;
    case 'access':
      addon.rtspAccess(message.order);
      return undefined;
    case 'kick':
      return addon.rtspKick(message.order.client);
    case 'graph':
      return engine.graph(message.order.pipeline);
  }
}

process.on('message', (message: ToMedia) => {
  const { id } = message;
  obey(message).then(
    (result) => {
      say({ kind: 'done', id, ...(result === undefined ? {} : { result }) });
    },
    (error: unknown) => {
      say({ kind: 'failed', id, reason: messageOf(error), unsupported: error instanceof CannotRun });
    },
  );
});
// Whoever started this is gone, and nobody is left to serve.
process.on('disconnect', () => process.exit(0));
// Signals are for whoever started this, who then says what is to be done.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

const present = knownEncoders.filter((element) => addon.hasElement(element));
const machine: Machine = {
  cores: availableParallelism(),
  encoders: present,
  hardware: present.some(isHardware),
};
say({ kind: 'ready', machine, version: addon.version() });

setInterval(() => {
  const beat: Beat = {
    kind: 'beat',
    pipelines: engine.report(),
    channels: JSON.parse(addon.channels()) as Beat['channels'],
    clients: JSON.parse(addon.rtspClients()) as Beat['clients'],
  };
  say(beat);
}, beatEveryMs);
