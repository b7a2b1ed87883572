// The web page itself. Everybody may fetch it; what it shows, it asks the API for.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Services } from '../../services.js';
import { HttpError } from '../errors.js';
import { encodingFor, entrance, readPageFiles } from '../pageFiles.js';
import type { App } from '../route.js';

/** Nothing from elsewhere, no script and no style within the markup. */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const aYear = 31_536_000;
/** Sending what lies in memory costs less than counting who asks. */
const config = { access: 'public', budget: 'none' } as const;

const notBuilt = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Obscura</title>
  <h1>The web page has not been built</h1>
  <p>The server runs, and its APIs answer. <code>npm start</code> builds the page, as does <code>npm run build:web</code>; then reload.</p>
  <p><a href="/docs">The HTTP API</a></p>
</html>
`;

export function pageRoutes(app: App, { pageFolder }: Services): void {
  let files = readPageFiles(pageFolder);

  const send = (request: FastifyRequest, reply: FastifyReply, name: string): FastifyReply => {
    const file = files?.get(name);
    if (file === undefined) throw new HttpError(404, 'NOT_FOUND', `The page has no file ${name}`);
    reply.headers({
      'content-security-policy': contentPolicy,
      'cache-control': file.isFinal ? `public, max-age=${String(aYear)}, immutable` : 'no-cache',
      vary: 'Accept-Encoding',
    });
    const encoding = encodingFor(request.headers['accept-encoding'], file);
    // Each form is a thing of its own to whoever keeps it.
    const etag = `"${file.etag}${encoding === undefined ? '' : `-${encoding}`}"`;
    reply.header('etag', etag);
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    if (encoding !== undefined) reply.header('content-encoding', encoding);
    return reply
      .type(file.type)
      .send(encoding === undefined ? file.plain : (file.packed[encoding] ?? file.plain));
  };

  app.get('/', { config, schema: { hide: true } }, (request, reply) => {
    // Whoever builds it while the server runs need not start again.
    files ??= readPageFiles(pageFolder);
    if (files === undefined) return reply.code(503).type('text/html; charset=utf-8').send(notBuilt);
    return send(request, reply, entrance);
  });
  app.get<{ Params: { '*': string } }>('/assets/*', { config, schema: { hide: true } }, (request, reply) =>
    send(request, reply, `assets/${request.params['*']}`),
  );
}
