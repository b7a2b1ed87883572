// What runs here, for people who look after the machine: versions, processes, and where the page can be reached.
import { hostname } from 'node:os';
import { Type } from '@sinclair/typebox';
import { machineFacts, readProcessMemory } from '../../../system/readings.js';
import type { Services } from '../../services.js';
import { answers, type App } from '../route.js';

const Process = Type.Object({
  name: Type.Union([Type.Literal('server'), Type.Literal('media')]),
  pid: Type.Integer(),
  load: Type.Optional(
    Type.Number({
      description:
        'Percent of all processors, as in the observable `processLoad`; where the server has video.',
    }),
  ),
  memory: Type.Integer({ description: 'Bytes of memory in use.' }),
});
const About = Type.Object({
  version: Type.String(),
  license: Type.String(),
  node: Type.String(),
  gstreamer: Type.Optional(Type.String({ description: 'While the media process runs.' })),
  hostname: Type.String(),
  platform: Type.String(),
  architecture: Type.String(),
  startedAt: Type.Number({ description: 'Milliseconds since 1970.' }),
  at: Type.Number({ description: 'The same, now: by the clock of the server.' }),
  addresses: Type.Array(Type.String(), { description: 'Where the web server answers.' }),
  processes: Type.Array(Process),
});

export function aboutRoutes(app: App, { version, startedAt, store, media, webAddresses }: Services): void {
  app.get(
    '/api/about',
    {
      config: { access: ['System_r', 'System_rw'] },
      schema: {
        tags: ['information'],
        summary: 'What runs here: versions, processes, addresses',
        response: answers(About),
      },
    },
    async () => {
      const state = media?.report().state;
      const { server, video } = store.get('processLoad');
      const running = [
        // The load is measured together with the video.
        { name: 'server' as const, pid: process.pid, ...(media === undefined ? {} : { load: server }) },
        ...(state?.phase === 'running' ? [{ name: 'media' as const, pid: state.pid, load: video }] : []),
      ];
      const processes = await Promise.all(
        running.map(async (each) => {
          const memory = await readProcessMemory(each.pid);
          return memory === undefined ? [] : [{ ...each, memory }];
        }),
      );
      const { platform, architecture, nodeVersion } = machineFacts();
      return {
        ...{ version, platform, architecture, startedAt },
        license: 'MIT',
        node: nodeVersion,
        ...(state?.phase === 'running' ? { gstreamer: state.version.replace(/^GStreamer /, '') } : {}),
        hostname: hostname(),
        at: Date.now(),
        addresses: [...webAddresses()],
        processes: processes.flat(),
      };
    },
  );
}
