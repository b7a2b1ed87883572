// The last ten minutes of the streams, for charts.
import { Type } from '@sinclair/typebox';
import type { Services } from '../../services.js';
import { answers, type App } from '../route.js';

const mayReadLoad = ['System_r', 'System_rw'] as const;
const Query = Type.Object({
  seconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 600, description: 'How far back; 600 without it.' }),
  ),
});
const History = Type.Object({
  columns: Type.Record(Type.String(), Type.Array(Type.Number()), {
    description:
      'One list for each figure of the observable `statistics`, such as `loss` or `stream1.bitrate`, with one value for each second, the oldest first; `at` says when. For whoever may read `processLoad`, its figures as well, such as `cpu.server`.',
  }),
});

export function statisticsRoutes(app: App, { media }: Services): void {
  app.get(
    '/api/statistics/history',
    {
      config: { access: ['Media_r', 'Media_rw'] },
      schema: {
        tags: ['streams'],
        summary: 'How the streams fared in the last minutes, second by second',
        querystring: Query,
        response: answers(History),
      },
    },
    ({ query, identity }) => {
      const seconds = media?.history().slice(-(query.seconds ?? 600)) ?? [];
      const withLoad = identity.may(...mayReadLoad);
      return {
        columns: columnsOf(
          seconds.map(({ point, load }) => ({ ...point, ...(withLoad ? { cpu: load } : {}) })),
        ),
      };
    },
  );
}

type Figures = Readonly<Record<string, number | Readonly<Record<string, number>>>>;

/** By column a name stands once, and not in every line. */
function columnsOf(lines: readonly Figures[]): Record<string, number[]> {
  const columns: Record<string, number[]> = {};
  const add = (name: string, value: number): void => {
    (columns[name] ??= []).push(value);
  };
  for (const line of lines)
    for (const [name, value] of Object.entries(line))
      if (typeof value === 'number') add(name, value);
      else for (const [part, figure] of Object.entries(value)) add(`${name}.${part}`, figure);
  return columns;
}
