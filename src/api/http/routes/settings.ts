// The reference product's short form: one setting, its bare value as the body. Older names count here as well.
import { Type } from '@sinclair/typebox';
import { ObscuraError } from '../../../errors.js';
import { shownValue } from '../../../store/cell.js';
import { isReadable } from '../../../store/store.js';
import type { Services } from '../../services.js';
import { fromWire, LegacyNames, toWire, type Named } from '../../ws/legacyNames.js';
import { change } from '../outcomes.js';
import { HttpError } from '../errors.js';
import { answers, Values, type App } from '../route.js';

const tags = ['settings'];
const KeyParam = Type.Object({ key: Type.String({ minLength: 1, maxLength: 64 }) });

export function settingsRoutes(app: App, services: Services): void {
  const { store } = services;
  const names = new LegacyNames(store);
  const find = (name: string): Named => {
    const named = names.find(name);
    if (named === undefined)
      throw new ObscuraError('unknown', `There is no setting named ${name}`, { key: name });
    return named;
  };
  const value = Type.Unknown({ description: 'The bare value, or `{"value": ...}`.' });
  const Answer = Type.Object({ key: Type.String(), value: Type.Unknown() });

  app.get(
    '/api/settings',
    { config: { access: 'reader' }, schema: { tags, summary: 'All settings', response: answers(Values) } },
    ({ identity }) =>
      Object.fromEntries(
        store.cells
          .filter((cell) => cell.definition.kind !== 'action' && cell.writeMask !== 0)
          .filter((cell) => isReadable(cell, identity))
          .map((cell) => [cell.key, shownValue(cell, cell.value)]),
      ),
  );

  app.post(
    '/api/settings',
    {
      config: { access: 'reader' },
      schema: { tags, summary: 'Change several settings', body: Values, response: answers(Values) },
    },
    async (request) => {
      const entries = Object.entries(request.body).map(([name, wire]) => ({ named: find(name), name, wire }));
      const patch = Object.fromEntries(
        entries.map(({ named, wire }) => [named.cell.key, fromWire(named, wire)]),
      );
      await change(services, request, patch);
      const shown = entries.filter(({ named }) => isReadable(named.cell, request.identity));
      return Object.fromEntries(shown.map(({ named, name }) => [name, toWire(named)]));
    },
  );

  app.get(
    '/api/settings/:key',
    {
      config: { access: 'reader' },
      schema: { tags, summary: 'One setting', params: KeyParam, response: answers(Answer) },
    },
    ({ identity, params: { key } }) => {
      const named = find(key);
      const plain = store.read(identity, named.cell.key);
      return { key, value: named.byLegacyName ? toWire(named) : plain };
    },
  );

  app.route({
    method: ['PUT', 'POST'],
    url: '/api/settings/:key',
    config: { access: 'reader' },
    schema: { tags, summary: 'Change one setting', params: KeyParam, body: value, response: answers(Answer) },
    handler: async (request) => {
      const { params, body, identity } = request;
      const named = find(params.key);
      await change(services, request, { [named.cell.key]: fromWire(named, bareValue(body)) });
      return { key: params.key, ...(isReadable(named.cell, identity) ? { value: toWire(named) } : {}) };
    },
  });
}

function bareValue(body: unknown): unknown {
  if (body === undefined || body === null)
    throw new HttpError(400, 'INVALID_REQUEST', 'The value is missing');
  if (typeof body !== 'object' || Array.isArray(body)) return body;
  const names = Object.keys(body);
  return 'value' in body && names.length === 1 ? body.value : body;
}
