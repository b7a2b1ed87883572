// doctor: looks at this machine and at the server, and says what to do about what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { target } from '../contexts.js';
import { CommandError, exitCodes } from '../exit.js';
import { json, line, type Io, type Output } from '../io.js';
import { openHttp } from '../session.js';

interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly advice?: string;
}

const oldestNode = [20, 19] as const;
const elements = ['webrtcbin', 'x264enc', 'nicesrc', 'rtspclientsink', 'compositor'] as const;

export async function doctor(
  io: Io,
  output: Output,
  options: { readonly url?: string | undefined },
): Promise<void> {
  const findings = [node(), ...gstreamer(), addon(), await server(io, options)];
  if (output.json) json(io, findings);
  else
    for (const { name, ok, detail, advice } of findings) {
      line(io, `${ok ? 'ok     ' : 'MISSING'}  ${name}: ${detail}`);
      if (!ok && advice !== undefined) line(io, `         ${advice}`);
    }
  if (findings.some(({ ok }) => !ok)) throw new CommandError(exitCodes.failed, 'failed', '');
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
  return {
    name: 'Node.js',
    ok,
    detail: process.version,
    advice: `Install Node ${oldestNode.join('.')} or newer`,
  };
}

function gstreamer(): Finding[] {
  const version = spawnSync('gst-inspect-1.0', ['--version'], { encoding: 'utf8' });
  if (version.status !== 0)
    return [
      {
        name: 'GStreamer',
        ok: false,
        detail: 'not found',
        advice: 'Run `npm start` once as root, or install the packages it names',
      },
    ];
  // libnice counts its versions from 0.1, which `--exists` alone takes for too old.
  const missing = elements.filter(
    (element) => spawnSync('gst-inspect-1.0', ['--exists', '--atleast-version=0.1', element]).status !== 0,
  );
  return [
    { name: 'GStreamer', ok: true, detail: version.stdout.split('\n')[1]?.trim() ?? '' },
    {
      name: 'GStreamer elements',
      ok: missing.length === 0,
      detail: missing.length === 0 ? elements.join(', ') : `without ${missing.join(', ')}`,
      advice:
        'apt-get install gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav gstreamer1.0-nice gstreamer1.0-rtsp',
    },
  ];
}

function addon(): Finding {
  const ok = existsSync(new URL('../../../native/build/Release/obscura_system.node', import.meta.url));
  return { name: 'native addon', ok, detail: ok ? 'built' : 'not built', advice: 'npm run build:native' };
}

async function server(io: Io, options: { readonly url?: string | undefined }): Promise<Finding> {
  const there = await target(io, options);
  const name = `server ${there.url}`;
  try {
    const http = await openHttp(there);
    await http.get('/readyz', io.signal);
    return { name, ok: true, detail: 'ready' };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return {
      name,
      ok: false,
      detail,
      advice: 'Start it with `npm start`, or name another with --url or OBSCURA_URL',
    };
  }
}
