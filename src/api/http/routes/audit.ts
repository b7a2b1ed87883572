// The audit: who did what and when, told only as far as the reader may know the settings it speaks of.
import { Type } from '@sinclair/typebox';
import type { Identity } from '../../../access/identity.js';
import { shownValue } from '../../../store/cell.js';
import type { AuditChange, AuditRecord } from '../../../store/journalEntry.js';
import { isReadable } from '../../../store/store.js';
import type { Services } from '../../services.js';
import { Followers } from '../followers.js';
import { answers, type App } from '../route.js';

const tags = ['audit'];
const mayRead = ['System_r', 'System_rw'] as const;
const name = Type.String({ minLength: 1, maxLength: 64 });
const time = Type.Integer({ minimum: 0, description: 'Milliseconds since 1970.' });
const limit = Type.Integer({ minimum: 1, maximum: 1000 });
const Query = Type.Object(
  {
    user: Type.Optional(name),
    key: Type.Optional(name),
    outcome: Type.Optional(
      Type.Union([Type.Literal('done'), Type.Literal('refused'), Type.Literal('event')]),
    ),
    since: Type.Optional(time),
    until: Type.Optional(time),
    before: Type.Optional(Type.Integer({ minimum: 0, description: 'What the page before gave as `next`.' })),
    limit: Type.Optional(limit),
    token: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { additionalProperties: false },
);
const Record = Type.Object(
  { seq: Type.Integer(), at: Type.Number(), by: Type.String(), via: Type.String(), outcome: Type.String() },
  { additionalProperties: true },
);
const Page = Type.Object({
  records: Type.Array(Record),
  next: Type.Optional(
    Type.Integer({ description: 'Where there may be more: what the next page takes as `before`.' }),
  ),
});
const pageSize = 100;
const Event = Type.Object(
  { timestamp: Type.String(), event_type: Type.String(), source_ip: Type.String(), username: Type.String() },
  { additionalProperties: true },
);

export function auditRoutes(app: App, { store, journal }: Services): void {
  const followers = new Followers(app, 'the audit');

  const isKnown = (identity: Identity, key: string): boolean => {
    const cell = store.cell(key);
    // Keys of older versions: who manages the machine may see what they were.
    if (cell === undefined) return identity.may('System_rw');
    return (identity.mask & (cell.readMask | cell.writeMask)) !== 0;
  };

  /**
   * A key that somebody may neither read nor write does not exist for them, nor does a record of such keys alone; one
   * that they may not read has no values.
   */
  const shown = (record: AuditRecord, identity: Identity): AuditRecord[] => {
    const known = (key: string): boolean => isKnown(identity, key);
    const seen = (change: AuditChange): AuditChange => {
      const cell = store.cell(change.key);
      if (cell === undefined || change.secret === true) return change;
      if (!isReadable(cell, identity)) return { key: change.key, secret: true };
      // What was refused may be anything, and is the writer's own.
      if (record.outcome === 'refused') return change;
      return {
        ...change,
        ...('old' in change ? { old: shownValue(cell, change.old) } : {}),
        ...('new' in change ? { new: shownValue(cell, change.new) } : {}),
      };
    };
    const { changes, keys, ...rest } = record;
    const named = [...(keys ?? []), ...(changes ?? []).map(({ key }) => key)];
    if (named.length > 0 && !named.some(known)) return [];
    const told = {
      ...rest,
      ...(keys === undefined ? {} : { keys: keys.filter(known) }),
      ...(changes === undefined
        ? {}
        : {
            changes: changes.filter(({ key }) => known(key)).map(seen),
          }),
    };
    return [told];
  };

  /** A second way to write another setting stands in the audit under the name of that one. */
  const writtenAs = (key: string | undefined): string | undefined => {
    const cell = key === undefined ? undefined : store.cell(key);
    return cell?.definition.kind === 'view' ? (cell.sources[0]?.key ?? key) : key;
  };

  app.get(
    '/api/audit',
    {
      config: { access: mayRead },
      schema: {
        tags,
        summary: 'What happened, newest first',
        querystring: Query,
        response: answers(Page),
      },
    },
    async ({ identity, query: { token: _token, key, ...query } }) => {
      if (key !== undefined && !isKnown(identity, key)) return { records: [] };
      const { limit: most = pageSize } = query;
      const records = await journal.search({ ...query, limit: most, key: writtenAs(key) });
      // Records that are not for this reader are left out, so a page that is not full need not be the last.
      const last = records.length < most ? undefined : records.at(-1);
      return {
        records: records.flatMap((record) => shown(record, identity)),
        ...(last === undefined ? {} : { next: last.seq }),
      };
    },
  );

  app.get(
    '/api/audit/follow',
    {
      config: { access: mayRead },
      schema: {
        tags,
        summary: 'What happens from now on: one JSON object per line, without end',
        description: 'An empty line now and then shows that the connection stands.',
        produces: ['application/x-ndjson'],
        response: answers(Type.String()),
      },
    },
    (request, reply) => {
      const { identity } = request;
      const lines = followers.open(request, () => identity.may(...mayRead));
      const stop = journal.onAudit((record) => {
        // Also at what they would not be told of.
        if (lines.goesOn()) for (const told of shown(record, identity)) lines.send(told);
      });
      lines.onEnd(stop);
      return lines.answer(reply);
    },
  );

  app.get(
    '/api/audit/events',
    {
      config: { access: mayRead },
      schema: {
        tags,
        summary: 'What happened, in the form of the reference product',
        querystring: Type.Object(
          { type: Type.Optional(name), limit: Type.Optional(limit), token: Type.Optional(Type.String()) },
          { additionalProperties: false },
        ),
        response: answers(Type.Object({ events: Type.Array(Event) })),
      },
    },
    async ({ identity, query }) => {
      const most = query.limit ?? 100;
      const records = await journal.search({ limit: query.type === undefined ? most : 1000 });
      const events = records.flatMap((record) => shown(record, identity)).map(referenceForm);
      return {
        events: events
          .filter(({ event_type: type }) => query.type === undefined || type === query.type)
          .slice(0, most),
      };
    },
  );
}

function referenceForm({ at, by, from, outcome, event, ...details }: AuditRecord) {
  const types = { done: 'CONFIG_CHANGE', refused: 'ACCESS_DENIED', event: 'EVENT' } as const;
  return {
    timestamp: new Date(at).toISOString(),
    event_type: event === undefined ? types[outcome] : event.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_'),
    source_ip: from ?? '',
    username: by,
    details,
  };
}
