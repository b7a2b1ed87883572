// The web application: what every request passes, and all routes, over whichever ports the listeners open.
import type { IncomingMessage } from 'node:http';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { acceptBodies, largestBody } from './http/bodies.js';
import { document } from './http/documents.js';
import { answerError, HttpError } from './http/errors.js';
import { guard } from './http/guards.js';
import { measure } from './http/metrics/measure.js';
import type { App } from './http/route.js';
import { aboutRoutes } from './http/routes/about.js';
import { accountRoutes } from './http/routes/accounts.js';
import { adaptiveRoutes } from './http/routes/adaptive.js';
import { auditRoutes } from './http/routes/audit.js';
import { backupRoutes } from './http/routes/backup.js';
import { cameraRoutes } from './http/routes/cameras.js';
import { cameraSettingsRoutes } from './http/routes/cameraSettings.js';
import { certificateRoutes } from './http/routes/certificate.js';
import { configRoutes } from './http/routes/config.js';
import { fileRoutes } from './http/routes/files.js';
import { imageRoutes } from './http/routes/images.js';
import { informationRoutes } from './http/routes/information.js';
import { loginRoutes } from './http/routes/login.js';
import { operationRoutes } from './http/routes/operations.js';
import { pageRoutes } from './http/routes/page.js';
import { photoRoutes } from './http/routes/photos.js';
import { lockRoutes, presetRoutes } from './http/routes/presets.js';
import { schemaRoutes } from './http/routes/schema.js';
import { settingsRoutes } from './http/routes/settings.js';
import { stateRoutes } from './http/routes/state.js';
import { pictureStreamRoutes } from './http/routes/pictureStreams.js';
import { mediaRoutes } from './http/routes/media.js';
import { statisticsRoutes } from './http/routes/statistics.js';
import { streamRoutes } from './http/routes/streams.js';
import { tokenRoutes } from './http/routes/tokens.js';
import { webrtcRoutes } from './http/routes/webrtc.js';
import { whipRoutes } from './http/routes/whip.js';
import { compileSchema } from './http/validation.js';
import type { Listeners } from './listeners.js';
import type { Services } from './services.js';
import { Connections } from './ws/connections.js';

const longestParameter = 512;
const routes = [
  loginRoutes,
  stateRoutes,
  settingsRoutes,
  schemaRoutes,
  configRoutes,
  accountRoutes,
  tokenRoutes,
  presetRoutes,
  lockRoutes,
  auditRoutes,
  backupRoutes,
  informationRoutes,
  aboutRoutes,
  cameraRoutes,
  cameraSettingsRoutes,
  adaptiveRoutes,
  statisticsRoutes,
  streamRoutes,
  mediaRoutes,
  webrtcRoutes,
  whipRoutes,
  imageRoutes,
  photoRoutes,
  fileRoutes,
  certificateRoutes,
  operationRoutes,
  pageRoutes,
] as const;

export async function buildApp(
  services: Services,
  { serverFactory }: Partial<Pick<Listeners, 'serverFactory'>> = {},
): Promise<App> {
  const options: FastifyServerOptions = {
    loggerInstance: quiet(services),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: largestBody,
    routerOptions: { maxParamLength: longestParameter, ignoreTrailingSlash: true },
    // A request that hangs must not hold up the end.
    forceCloseConnections: 'idle',
    // Addresses that the router itself cannot read never come to a route, nor to its error handler.
    frameworkErrors: (error, request, reply) => {
      answerError(services, error, request, reply);
    },
    ...(serverFactory === undefined ? {} : { serverFactory }),
  };
  const app: App = fastify(options).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(compileSchema);
  // The schemas of answers are for the documents; an answer is what its route gives, not what a schema lets through.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer));
  acceptBodies(app);
  app.setErrorHandler<Parameters<typeof answerError>[1]>((error, request, reply) => {
    answerError(services, error, request, reply);
  });
  app.setNotFoundHandler(({ method, url }) => {
    const [path = ''] = url.split('?');
    throw new HttpError(404, 'NOT_FOUND', `There is no ${method} ${path.slice(0, longestParameter)}`);
  });

  await guard(app, services);
  const connections = new Connections(services);
  app.addHook('preClose', (done) => {
    connections.close();
    done();
  });
  await document(app, services.version);
  await connections.register(app);
  measure(app, services, connections);
  for (const declare of routes) declare(app, services);
  pictureStreamRoutes(app, services, connections);
  app.options('/*', { schema: { hide: true } }, preflight(services));
  app.addHook(
    'onResponse',
    ({ log, method, url, routeOptions, identity }, { statusCode, elapsedTime }, done) => {
      log.debug({
        method,
        route: routeOptions.url ?? pathOf(url),
        statusCode,
        ms: Math.round(elapsedTime),
        user: identity.name,
      });
      done();
    },
  );
  await app.ready();
  return app;
}

/** Tokens stand in query strings and headers: of a request, only its method and path are ever logged. */
function quiet({ log }: Services): FastifyBaseLogger {
  return log.child(
    { part: 'http' },
    { serializers: { req: ({ method, url }: IncomingMessage) => ({ method, path: pathOf(url) }) } },
  );
}

function pathOf(url: string | undefined): string {
  return url?.split('?')[0] ?? '';
}

/** Browsers ask before a page of another origin may send anything but the simplest requests. */
function preflight({ store }: Services) {
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { origin } = request.headers;
    if (origin !== undefined && store.get('allowedOrigins').includes(origin))
      reply.headers({
        'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers':
          'Authorization, Content-Type, If-None-Match, X-API-Key, X-Requested-With',
        'access-control-max-age': '600',
      });
    return reply.code(204).send();
  };
}
