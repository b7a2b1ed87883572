// What there is to read and write, as JSON Schema with everything a form or a script wants to know beside it.
import { Type } from '@sinclair/typebox';
import { groups } from '../../../observables/registry.js';
import { describe } from '../../describe.js';
import type { Services } from '../../services.js';
import { answers, type App } from '../route.js';

const Schema = Type.Object(
  {
    $schema: Type.String(),
    title: Type.String(),
    type: Type.Literal('object'),
    additionalProperties: Type.Literal(false),
    properties: Type.Record(Type.String(), Type.Unknown()),
    'x-groups': Type.Array(Type.Object({ name: Type.String(), title: Type.String() })),
  },
  { description: 'A JSON Schema; every property carries `x-` members with permissions, effect and more.' },
);

export function schemaRoutes(app: App, { store, version }: Services): void {
  for (const url of ['/api/schema', '/api/schema.json'])
    app.get(
      url,
      {
        config: { access: 'reader' },
        schema: { tags: ['state'], summary: 'The settings that you may see', response: answers(Schema) },
      },
      ({ identity, headers }, reply) => {
        // Declarations change with the version only; which of them are shown, with the rights.
        const etag = `"${version}-${String(identity.mask)}"`;
        reply.header('etag', etag).header('cache-control', 'private, no-cache');
        if (headers['if-none-match'] === etag) return reply.code(304).send();
        const described = store.cells.flatMap((cell) => describe(cell, identity) ?? []);
        const present = new Set<string>(described.map(({ group }) => group));
        return {
          $schema: 'https://json-schema.org/draft/2020-12/schema',
          title: 'Obscura settings',
          type: 'object' as const,
          additionalProperties: false as const,
          properties: Object.fromEntries(
            described.map(({ key, schema, title, description, readable, writable, ...rest }) => [
              key,
              {
                ...(schema as object),
                title,
                description,
                ...('default' in rest ? { default: rest.default } : {}),
                readOnly: !writable,
                writeOnly: !readable,
                'x-kind': rest.kind,
                'x-group': rest.group,
                'x-read': rest.read,
                'x-write': rest.write,
                'x-saved': rest.saved,
                'x-preset': rest.storable,
                ...(rest.unit === undefined ? {} : { 'x-unit': rest.unit }),
                ...(rest.effect === undefined ? {} : { 'x-effect': rest.effect }),
                ...(rest.consequence === undefined ? {} : { 'x-consequence': rest.consequence }),
                ...(rest.legacy === undefined ? {} : { 'x-legacy-name': rest.legacy }),
              },
            ]),
          ),
          'x-groups': groups
            .filter(({ name }) => present.has(name))
            .map(({ name, title }) => ({ name, title })),
        };
      },
    );
}
