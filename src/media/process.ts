// The media process: the only one that loads GStreamer. It may crash or hang; whoever started it starts it again.
import { availableParallelism } from 'node:os';
import { messageOf } from '../errors.js';
import { knownEncoders } from '../pipelines/encoders.js';
import type { Machine } from '../pipelines/machine.js';
import { readProcessTimes } from '../system/readings.js';
import { DeviceWatch } from './deviceWatch.js';
import { CannotRun, Engine } from './engine.js';
import { loadGStreamer, type MediaEvent } from './gstreamer.js';
import { lineOf } from './gstWarnings.js';
import type { Beat, ChannelFigures, FromMedia, RtspPorts, ToMedia, WebRtcOrder } from './messages.js';
import { monotonicMs, parseSamples, PathSamples } from './pathSamples.js';
import { PictureTaps } from './pictureTaps.js';
import { Rates } from './rates.js';
import { UnfitOffer } from './sdp.js';
import { WebRtcSessions } from './webrtcSessions.js';

const beatEveryMs = 500;

function say(message: FromMedia): void {
  process.send?.(message);
}

const gst = loadGStreamer();
const { addon } = gst;
const machine: Machine = {
  cores: availableParallelism(),
  encoders: knownEncoders.filter((element) => addon.hasElement(element)),
};
const engine = new Engine(
  gst,
  machine,
  (level, message) => {
    say({ kind: 'log', level, message });
  },
  (rebuild) => {
    say({ kind: 'rebuilt', ...rebuild });
  },
);
addon.listen((json) => {
  const event = JSON.parse(json) as MediaEvent;
  if (event.event === 'rtsp-refused')
    say({ kind: 'log', level: 'warn', message: `A wrong RTSP log-in came from ${event.address}` });
  if (event.event === 'gst-log') say(lineOf(event));
  if (event.event === 'demand' && event.channel.includes('@'))
    say({ kind: 'rendition', channel: event.channel, wanted: event.consumers > 0 });
  if (event.event === 'picture') pictures.hear(event.channel);
  engine.hear(event);
  webrtc.hear(event);
});
const pictures = new PictureTaps(addon);
const webrtc = new WebRtcSessions(addon, {
  onClosed: (session) => {
    say({ kind: 'webrtc-closed', session });
  },
  onCandidate: (candidate) => {
    say({ kind: 'webrtc-candidate', ...candidate });
  },
});

let listening: Beat['rtsp'];

function serveRtsp(order: RtspPorts): void {
  const { address, port, securePort, certificate, key, maxSessions, multicast } = order;
  addon.rtspLimit(maxSessions);
  try {
    addon.rtspMulticast(multicast ?? undefined);
  } catch (error) {
    throw new CannotRun(messageOf(error));
  }
  try {
    addon.rtspListen(address, port ?? 0);
  } catch (error) {
    throw new CannotRun(`Port ${String(port)} cannot be used: ${messageOf(error)}`);
  }
  listening = { port, securePort: listening?.securePort ?? null };
  try {
    addon.rtspsListen(address, securePort ?? 0, certificate, key);
  } catch (error) {
    throw new CannotRun(`Port ${String(securePort)} cannot be used: ${messageOf(error)}`);
  }
  listening = { port, securePort };
}

async function obey(message: ToMedia): Promise<unknown> {
  switch (message.kind) {
    case 'plan':
      pictures.keepOnly(message.order.taps);
      await engine.apply(message.order);
      pictures.follow(message.order.taps);
      return undefined;
    case 'rtsp':
      serveRtsp(message.order);
      return undefined;
    case 'access':
      addon.rtspAccess(message.order);
      return undefined;
    case 'rtsp-limit':
      return addon.rtspLimitClient(message.order.client, message.order.bps);
    case 'kick':
      return addon.rtspKick(message.order.client);
    case 'webrtc-open':
      return await openWebRtc(message.order);
    case 'webrtc-answer':
      return webrtc.answer(message.order.session, message.order.sdp);
    case 'webrtc-candidate':
      return webrtc.addCandidate(message.order.session, message.order.line, message.order.candidate);
    case 'webrtc-close':
      return webrtc.close(message.order.session);
    case 'webrtc-move':
      if (!engine.givesH264(message.order.stream))
        throw new CannotRun(`${message.order.stream} is no stream of H.264`);
      await webrtc.move(message.order.session, message.order.stream);
      return undefined;
    case 'steer':
      engine.steer(message.order);
      return undefined;
    case 'graph':
      return engine.graph(message.order.pipeline);
  }
}

async function openWebRtc(order: WebRtcOrder): Promise<unknown> {
  try {
    return await webrtc.open(order);
  } catch (error) {
    // What the offer lacks is the browser's affair, and an answer like any other.
    if (error instanceof UnfitOffer) return { unfit: error.reason, message: error.message };
    throw error;
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

say({ kind: 'ready', machine, version: addon.version() });

// Where the devices are is told by whoever started this.
const [, , deviceFolder = '/dev'] = process.argv;
new DeviceWatch({
  folder: deviceFolder,
  ask: (path) => addon.videoDevice(path),
  onDevices: (devices) => {
    say({ kind: 'devices', devices });
  },
  log: (level, message) => {
    say({ kind: 'log', level, message });
  },
});

const sources = [() => parseSamples(addon.rtspSamples()), () => webrtc.samples(monotonicMs())];
new PathSamples(sources, (samples) => {
  say({ kind: 'samples', at: monotonicMs(), samples });
});

const rates = new Rates();
/** What the hub tells of its channels, and how fast they flow. */
function channels(): Beat['channels'] {
  const now = Date.now();
  rates.tidy(now);
  const all = JSON.parse(addon.channels()) as Readonly<Record<string, ChannelFigures>>;
  return Object.fromEntries(
    Object.entries(all).map(([name, channel]) => [
      name,
      { ...channel, bitrate: Math.round(8 * rates.of(name, channel.bytes, now)) },
    ]),
  );
}

setInterval(() => {
  const alignment = engine.alignment();
  const beat: Beat = {
    kind: 'beat',
    pipelines: engine.report(),
    channels: channels(),
    clients: JSON.parse(addon.rtspClients()) as Beat['clients'],
    webrtc: webrtc.report(),
    loopLagMs: addon.rtspLoopLag(),
    processor: readProcessTimes(),
    ...(listening === undefined ? {} : { rtsp: listening }),
    ...(alignment === undefined ? {} : { alignment }),
  };
  say(beat);
}, beatEveryMs);
