// Makes changes for HTTP: on trial where that is asked, and answers what came of it or fails with the right error.
import type { FastifyRequest } from 'fastify';
import { Type, type Static } from '@sinclair/typebox';
import { ObscuraError } from '../../errors.js';
import { shownValue } from '../../store/cell.js';
import type { Done, Outcome, TransactOptions } from '../../store/outcome.js';
import { isReadable } from '../../store/store.js';
import type { Services } from '../services.js';
import { Revision, Values } from './route.js';

export const ChangeAnswer = Type.Object({
  revision: Revision,
  changed: Type.Array(Type.String(), { description: 'Keys that have another value now.' }),
  set: Values,
  consequences: Type.Optional(
    Type.Array(Type.Object({ key: Type.String(), effect: Type.String(), message: Type.String() })),
  ),
  result: Type.Optional(Type.Unknown({ description: 'What an action has to say.' })),
  confirmBefore: Type.Optional(Type.Number({ description: 'Milliseconds since 1970.' })),
});
export type ChangeAnswer = Static<typeof ChangeAnswer>;

export type ChangeOptions = TransactOptions & { readonly confirmWithin?: number | undefined };

export async function change(
  services: Services,
  request: FastifyRequest,
  patch: Readonly<Record<string, unknown>>,
  { confirmWithin, ...options }: ChangeOptions = {},
): Promise<ChangeAnswer> {
  const { identity } = request;
  if (confirmWithin === undefined || options.dryRun === true)
    return changeAnswer(
      services,
      request,
      await services.drags.submit(identity, patch, options, request.raw.socket),
    );
  const { outcome, confirmBefore } = await services.trials.begin(
    identity,
    patch,
    confirmWithin,
    request.raw.socket,
    options,
  );
  const answer = changeAnswer(services, request, outcome);
  return confirmBefore === undefined ? answer : { ...answer, confirmBefore };
}

/** The new values of all that changed, as far as the asker may read them. */
export function changeAnswer(
  { store }: Pick<Services, 'store'>,
  { identity }: Pick<FastifyRequest, 'identity'>,
  outcome: Outcome,
): ChangeAnswer {
  const { revision, changed, consequences, result } = done(outcome);
  const cells = changed.flatMap((key) => store.cell(key) ?? []).filter((cell) => isReadable(cell, identity));
  return {
    revision,
    changed: changed.filter((key) => mayKnow(store, key, identity.mask)),
    set:
      consequences === undefined
        ? Object.fromEntries(cells.map((cell) => [cell.key, shownValue(cell, cell.value)]))
        : {},
    ...(consequences === undefined ? {} : { consequences: [...consequences] }),
    ...(result === undefined ? {} : { result }),
  };
}

export function done(outcome: Outcome): Done {
  if (outcome.ok) return outcome;
  const { error, errors } = outcome;
  throw new ObscuraError(error.code, error.message, {
    key: error.key,
    ...(errors.length > 1 ? { details: { errors } } : {}),
  });
}

function mayKnow(store: Services['store'], key: string, mask: number): boolean {
  const cell = store.cell(key);
  return cell !== undefined && (mask & (cell.readMask | cell.writeMask)) !== 0;
}
