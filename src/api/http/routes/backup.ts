// Settings and accounts as one document, and back. Secrets are never in it: passwords stay on the device they were set on.
import { isDeepStrictEqual } from 'node:util';
import { Type, type Static } from '@sinclair/typebox';
import type { FastifyRequest } from 'fastify';
import type { Identity } from '../../../access/identity.js';
import { savedValue, shownValue, type Cell } from '../../../store/cell.js';
import { isReadable } from '../../../store/store.js';
import type { Services } from '../../services.js';
import { HttpError } from '../errors.js';
import { changeAnswer, ChangeAnswer } from '../outcomes.js';
import { answers, Values, type App } from '../route.js';

const tags = ['backup'];
const mayBackUp = ['System_r', 'System_rw'] as const;
const mayRestore = ['System_rw'] as const;
const Backup = Type.Object({
  format: Type.Literal('obscura-backup'),
  formatVersion: Type.Literal(1),
  version: Type.String({ description: 'Of the server that made it.' }),
  created: Type.String(),
  settings: Values,
});
type Backup = Static<typeof Backup>;
const RestoreAnswer = Type.Composite([
  ChangeAnswer,
  Type.Object({
    differences: Type.Optional(
      Type.Array(Type.Object({ key: Type.String(), now: Type.Unknown(), then: Type.Unknown() }), {
        description: 'With `dryRun`: what would change, as far as you may read it.',
      }),
    ),
  }),
]);

export function backupRoutes(app: App, services: Services): void {
  const { store, version } = services;

  const make = ({ identity }: FastifyRequest): Backup => ({
    format: 'obscura-backup',
    formatVersion: 1,
    version,
    created: new Date().toISOString(),
    settings: Object.fromEntries(
      store.cells
        .filter((cell) => cell.saved && cell.writeMask !== 0 && isReadable(cell, identity))
        .map((cell) => [cell.key, shownValue(cell, savedValue(cell))]),
    ),
  });
  const differences = (identity: Identity, patch: Readonly<Record<string, unknown>>, changed: string[]) =>
    changed.flatMap((key) => {
      const cell = store.cell(key);
      return cell !== undefined && Object.hasOwn(patch, key) && isReadable(cell, identity)
        ? [{ key, now: store.read(identity, key), then: shownValue(cell, patch[key]) }]
        : [];
    });
  const nameOf = ({ created }: Backup): string => `obscura-backup-${created.replaceAll(/[:.]/g, '-')}.json`;

  app.get(
    '/api/backup',
    {
      config: { access: mayBackUp },
      schema: {
        tags,
        summary: 'Everything that you may read and that survives a restart',
        response: answers(Backup),
      },
    },
    (request, reply) => {
      const backup = make(request);
      reply.header('content-disposition', `attachment; filename="${nameOf(backup)}"`);
      return backup;
    },
  );

  for (const url of ['/api/backup/config', '/api/admin/backup/config'])
    app.post(
      url,
      {
        config: { access: mayBackUp },
        schema: {
          tags,
          summary: 'The same, as the reference product asks for it',
          body: Type.Record(Type.String(), Type.Unknown()),
          response: answers(
            Type.Object({ success: Type.Literal(true), backup_file: Type.String(), backup: Backup }),
          ),
        },
      },
      (request) => {
        const backup = make(request);
        return { success: true as const, backup_file: nameOf(backup), backup };
      },
    );

  for (const url of ['/api/restore', '/api/backup/restore'])
    app.post(
      url,
      {
        config: { access: mayRestore },
        schema: {
          tags,
          summary: 'Put the settings of a backup in force: all of them or none',
          description:
            'Accounts of the backup are added or changed; accounts that it does not have stay. An account that is new needs a password before anybody can use it.',
          querystring: Type.Object(
            { dryRun: Type.Optional(Type.Boolean()) },
            { additionalProperties: false },
          ),
          body: Type.Object({
            dryRun: Type.Optional(Type.Boolean()),
            backup: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
            format: Type.Optional(Type.String()),
            formatVersion: Type.Optional(Type.Integer()),
            settings: Type.Optional(Values),
          }),
          response: answers(RestoreAnswer),
        },
      },
      async (request) => {
        const { body, query } = request;
        const { format, formatVersion, settings } = body.backup ?? body;
        if (format !== 'obscura-backup' || typeof settings !== 'object' || settings === null)
          throw new HttpError(422, 'INVALID_FORMAT', 'This is not a backup of this product');
        if (formatVersion !== 1)
          throw new HttpError(422, 'INVALID_FORMAT', 'The backup is of a newer version of this product');
        const dryRun = body.dryRun ?? query.dryRun;
        let patch: Record<string, unknown> = {};
        const outcome = await store.update(
          request.identity,
          (get) => {
            // What is so already need not be possible: a port that the environment has fixed stays out of it.
            patch = Object.fromEntries(
              Object.entries(settings).filter(([key, value]) => !isSaved(store.cell(key), value)),
            );
            for (const key of ['users', 'customRoles'] as const) {
              const saved = patch[key];
              if (typeof saved === 'object' && saved !== null) patch[key] = { ...get(key), ...saved };
            }
            return patch;
          },
          { dryRun, note: 'restored from a backup' },
        );
        const answer = changeAnswer(services, request, outcome);
        if (dryRun !== true) return answer;
        return { ...answer, differences: differences(request.identity, patch, answer.changed) };
      },
    );
}

function isSaved(cell: Cell | undefined, value: unknown): boolean {
  return cell !== undefined && isDeepStrictEqual(shownValue(cell, savedValue(cell)), value);
}
