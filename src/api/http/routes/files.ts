// The files that are kept: to list, to fetch, to delete.
import { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '../../../errors.js';
import type { Services } from '../../services.js';
import { answers, type App } from '../route.js';
import { HttpError } from '../errors.js';
import { QueryToken } from './images.js';

const tags = ['files'];
const maySee = ['Media_r', 'Media_rw', 'Storage_r', 'Storage_rw'] as const;
const path = Type.Optional(Type.String({ maxLength: 512 }));
const File = Type.Object({
  name: Type.String({ description: 'Seen from the folder that is listed.' }),
  path: Type.String(),
  size: Type.Integer(),
  modified: Type.String(),
  type: Type.Union([Type.Literal('file'), Type.Literal('directory')]),
  mime_type: Type.String(),
});
const Listing = Type.Object({
  path: Type.String(),
  files: Type.Array(File),
  total_size: Type.Integer(),
  file_count: Type.Integer(),
  directory_count: Type.Integer(),
  truncated: Type.Boolean({ description: 'There are more than are listed.' }),
});
const ListQuery = Type.Object({
  path,
  directory: path,
  recursive: Type.Optional(Type.Boolean()),
  filter: Type.Optional(Type.String({ maxLength: 64, description: 'The end of the name, such as .webp' })),
  token: QueryToken,
});
const PathParam = Type.Object({ '*': Type.String({ maxLength: 512 }) });
const TokenQuery = Type.Object({ token: QueryToken });

export function fileRoutes(app: App, { places, photos, log }: Services): void {
  for (const url of ['/files', '/api/files'])
    app.get(
      url,
      {
        config: { access: maySee, budget: 'files' },
        schema: {
          tags,
          summary: 'What is kept in a folder',
          description: 'Paths are those of the reference product, below /media/data, or relative to it.',
          querystring: ListQuery,
          response: answers(Listing),
        },
      },
      async ({ query }) => {
        const { recursive = false, filter: ending = '' } = query;
        const listing = await places.list(query.path ?? query.directory ?? '', { recursive, ending });
        const files = listing.entries.map(({ modified, mimeType, ...entry }) => ({
          ...entry,
          modified: modified.toISOString(),
          mime_type: mimeType,
        }));
        const folders = files.filter(({ type }) => type === 'directory').length;
        return {
          ...{ path: listing.path, files, truncated: listing.truncated },
          total_size: files.reduce((sum, { size }) => sum + size, 0),
          file_count: files.length - folders,
          directory_count: folders,
        };
      },
    );

  for (const [url, disposition] of [
    ['/files/*', 'inline'],
    ['/download/*', 'attachment'],
  ] as const)
    app.get(
      url,
      {
        config: { access: maySee, budget: 'files' },
        schema: {
          tags,
          summary: disposition === 'inline' ? 'A file, to look at' : 'A file, to keep',
          params: PathParam,
          querystring: TokenQuery,
          produces: ['application/octet-stream'],
          response: answers(Type.String()),
        },
      },
      async (request, reply) => await sendFile(request, reply, request.params['*'], disposition),
    );

  app.delete(
    '/files/*',
    {
      config: { access: ['Storage_rw'], budget: 'files' },
      schema: {
        tags,
        summary: 'Delete a file, or a folder with recursive=true',
        params: PathParam,
        querystring: Type.Object({ recursive: Type.Optional(Type.Boolean()) }),
        response: answers(Type.Object({ success: Type.Literal(true) })),
      },
    },
    async ({ params, query }) => {
      const gone = await places.remove(params['*'], query.recursive ?? false);
      photos?.forget(gone);
      return { success: true as const };
    },
  );

  async function sendFile(
    { method, headers }: FastifyRequest,
    reply: FastifyReply,
    wanted: string,
    disposition: string,
  ): Promise<FastifyReply> {
    const { handle, name, size, modified, mimeType } = await places.open(wanted);
    try {
      const range = rangeOf(headers.range, size);
      reply
        .type(mimeType)
        .header('accept-ranges', 'bytes')
        .header('last-modified', modified.toUTCString())
        .header('content-disposition', `${disposition}; filename="${name.replaceAll(/[^\w. -]/g, '_')}"`)
        .header('content-length', range === undefined ? size : range.end - range.start + 1);
      if (range !== undefined)
        reply
          .code(206)
          .header('content-range', `bytes ${String(range.start)}-${String(range.end)}/${String(size)}`);
      if (method === 'HEAD') {
        await handle.close();
        // With nothing at all to send the length would be said to be nothing, too.
        return await reply.send(Readable.from([]));
      }
      const stream = handle.createReadStream(range ?? {});
      stream.on('error', (error) => {
        log.warn(`${name} could not be read to its end: ${messageOf(error)}`);
      });
      return await reply.send(stream);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }
}

/** One range (RFC 9110, 14.1.2); several at once, or what is not understood, are answered with everything. */
function rangeOf(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start > end || start >= size)
    throw new HttpError(416, 'INVALID_RANGE', `The file has ${String(size)} bytes`);
  return { start, end };
}
