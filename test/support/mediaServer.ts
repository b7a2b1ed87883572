import { execFile } from 'node:child_process';
import type { Media } from '../../src/api/services.js';
import type { Environment } from '../../src/start/environment.js';
import type { Patch } from '../../src/store/store.js';
import type { AppRegistry } from '../../src/observables/registry.js';
import type { Outcome } from '../../src/store/outcome.js';
import { systemActor } from '../../src/store/actor.js';
import { freePorts } from './ports.js';
import { adminPassword, runningServer, type TestServer } from './runningServer.js';

export interface MediaServer extends TestServer {
  readonly rtspPort: number;
  /** Address of a stream, with the administrator's name and password unless others are given. */
  rtsp(path?: string, credentials?: string): string;
  /** Changes settings and waits until they are so, or have failed. */
  change(patch: Patch<AppRegistry>): Promise<Outcome>;
  mediaState(): Extract<ReturnType<Media['report']>['state'], { phase: 'running' }>;
  pipelines(): ReturnType<Media['report']>['pipelines'];
}

/** A whole server with video, of pictures that are small enough for many of them on a small machine. */
export async function mediaServer(
  environment: Partial<Environment> = {},
  folder?: string,
): Promise<MediaServer> {
  const [rtspPort = 0] = await freePorts(1);
  const server = await runningServer({
    environment: { media: true, rtspPort, ...environment },
    people: true,
    ...(folder === undefined ? {} : { folder }),
  });
  const { store } = server;
  const change = (patch: Patch<AppRegistry>): Promise<Outcome> =>
    store.transact(systemActor(), patch, { wait: 'applied' });
  const heads = store.get('cameraHeadSettings');
  const small = { resolution: '1280x720', fps: 30 };
  const outcome = await change({
    streamResolution: '640x360',
    streamFramerate: 30,
    streamBitrate: 1_000_000,
    encoderPreset: 'ultrafast',
    cameraHeadSettings: {
      primary: { ...heads.primary, ...small },
      secondary: { ...heads.secondary, ...small },
    },
  });
  if (!outcome.ok) throw new Error(outcome.error.message);
  return {
    ...server,
    rtspPort,
    rtsp: (path = '/stream1', credentials = `admin:${adminPassword}`) =>
      `rtsp://${credentials === '' ? '' : `${credentials}@`}127.0.0.1:${String(store.get('rtspPort'))}${path}`,
    change,
    mediaState: () => {
      const state = server.media?.report().state;
      if (state?.phase !== 'running') return { phase: 'running', pid: 0, version: '', machine: noMachine };
      return state;
    },
    pipelines: () => server.media?.report().pipelines ?? [],
  };
}

const noMachine = { cores: 0, encoders: [] };

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export function run(command: string, words: readonly string[], withinMs = 30_000): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(command, [...words], { timeout: withinMs }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, out, err });
    });
  });
}
