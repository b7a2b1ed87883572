// The last ten minutes of the streams, for charts.
import { Type } from '@sinclair/typebox';
import type { Services, StatisticsPoint } from '../../services.js';
import { answers, type App } from '../route.js';

const Query = Type.Object({
  seconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 600, description: 'How far back; 600 without it.' }),
  ),
});
const History = Type.Object({
  columns: Type.Record(Type.String(), Type.Array(Type.Number()), {
    description:
      'One list for each figure of the observable `statistics`, such as `loss` or `stream1.bitrate`, with one value for each second, the oldest first; `at` says when.',
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
    ({ query }) => ({ columns: columnsOf(media?.history().slice(-(query.seconds ?? 600)) ?? []) }),
  );
}

/** By column a name stands once, and not in every line. */
function columnsOf(points: readonly StatisticsPoint[]): Record<string, number[]> {
  const columns: Record<string, number[]> = {};
  const add = (name: string, value: number): void => {
    (columns[name] ??= []).push(value);
  };
  for (const point of points)
    for (const [name, value] of Object.entries(point))
      if (typeof value === 'number') add(name, value);
      else for (const [part, figure] of Object.entries(value)) add(`${name}.${part}`, figure);
  return columns;
}
