// The documents that describe the interfaces, made from the routes and messages themselves, and a page to read them.
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Type, type TSchema } from '@sinclair/typebox';
import { asyncApiDocument } from './asyncapi.js';
import { answers, type Access, type App } from './route.js';

const needs: Readonly<Record<Extract<Access, string>, string>> = {
  public: 'Without log-in.',
  visitor: 'With or without log-in; what is told depends on it.',
  reader: 'For whoever may see anything at all; each setting by its own permissions.',
  account: 'For everybody who is logged in.',
};

const logo =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 40"><circle cx="20" cy="20" r="16" fill="none" stroke="#fff" stroke-width="3"/><circle cx="20" cy="20" r="6" fill="#fff"/><text x="46" y="27" fill="#fff" font-family="sans-serif" font-size="22">Obscura</text></svg>';

/** OpenAPI has no name for the rest of an address, and tools none for a star. */
function restOf(params: unknown): TSchema | undefined {
  return (params as { readonly properties?: Readonly<Record<string, TSchema>> } | undefined)?.properties?.[
    '*'
  ];
}

/** To be called before the routes are declared: it hears of each as it comes. */
export async function document(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Obscura HTTP API',
        version,
        description: 'Read and change settings, manage accounts, look into the state of the device.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          basic: { type: 'http', scheme: 'basic' },
          digest: { type: 'http', scheme: 'digest' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
          session: { type: 'apiKey', in: 'cookie', name: 'obscura_session' },
        },
      },
      security: [{ bearer: [] }, { basic: [] }, { digest: [] }, { apiKey: [] }, { session: [] }],
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access ?? 'public';
      const who = typeof access === 'string' ? needs[access] : `Takes ${access.join(' or ')}.`;
      const { description } = schema;
      const rest = restOf(schema.params);
      return {
        url: rest === undefined ? url : url.replace('*', ':path'),
        schema: {
          ...schema,
          ...(rest === undefined ? {} : { params: Type.Object({ path: rest }) }),
          description: description === undefined ? who : `${description}\n\n${who}`,
          ...(access === 'public' ? { security: [] } : {}),
        },
      };
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'none', deepLinking: true, validatorUrl: null },
    theme: { title: 'Obscura HTTP API' },
    logo: { type: 'image/svg+xml', content: Buffer.from(logo), href: '/docs' },
    staticCSP: false,
  });

  const tags = ['documents'];
  const Document = Type.Record(Type.String(), Type.Unknown());
  app.get(
    '/api/openapi.json',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'This HTTP API as OpenAPI 3.1', response: answers(Document) },
    },
    () => app.swagger(),
  );
  const asyncApi = asyncApiDocument(version);
  app.get(
    '/api/asyncapi.json',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'The WebSocket API as AsyncAPI 3', response: answers(Document) },
    },
    () => asyncApi,
  );
}
