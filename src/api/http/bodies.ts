// Takes in bodies as real clients send them: empty JSON, JSON under a form or text content type, single values as text.
import type { FastifyRequest } from 'fastify';
import { HttpError } from './errors.js';
import type { App } from './route.js';

export const largestBody = 256 * 1024;
/** Nothing that the API takes is deeper; without a limit a small body could exhaust the stack of whoever walks it. */
const deepest = 32;

export function acceptBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();

  const json = async (request: FastifyRequest, text: string): Promise<unknown> => {
    if (text.trim() === '') return {};
    if (isTooDeep(text)) throw new HttpError(400, 'INVALID_REQUEST', 'The body is nested too deeply');
    return await new Promise((resolve, reject) => {
      void parse(request, text, (error, value: unknown) => {
        if (error === null) resolve(value);
        else reject(new HttpError(400, 'INVALID_REQUEST', `The body is not JSON: ${error.message}`));
      });
    });
  };

  /** `curl -d` and `fetch` name content types that say nothing about what they send. */
  const lenient = async (request: FastifyRequest, text: string): Promise<unknown> => {
    const trimmed = text.trim();
    if (trimmed === '') return {};
    if (/^[{["]/.test(trimmed)) return await json(request, trimmed);
    try {
      return JSON.parse(trimmed) as unknown;
    } catch {
      return trimmed;
    }
  };

  const form = async (request: FastifyRequest, text: string): Promise<unknown> => {
    const trimmed = text.trim();
    if (/^[{["]/.test(trimmed) || !trimmed.includes('=')) return await lenient(request, text);
    return Object.fromEntries(new URLSearchParams(trimmed));
  };

  const options = { parseAs: 'string', bodyLimit: largestBody } as const;
  app.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json\b/, options, json);
  app.addContentTypeParser('application/x-www-form-urlencoded', options, form);
  app.addContentTypeParser(/^text\//, options, lenient);
  app.addContentTypeParser(
    ['application/sdp', 'application/trickle-ice-sdpfrag'],
    options,
    (_request: FastifyRequest, text: string) => Promise.resolve(text),
  );
  app.addContentTypeParser('*', options, async (request: FastifyRequest, text: string) => {
    const type = request.headers['content-type'];
    if (type !== undefined && type !== '' && text !== '')
      throw new HttpError(
        415,
        'UNSUPPORTED_MEDIA_TYPE',
        `Bodies of type ${type.slice(0, 64)} are not understood`,
      );
    return await lenient(request, text);
  });
}

/** Counts brackets outside of texts, before the parser builds anything. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let index = 0; index < text.length; index += 1) {
    const char = text.charCodeAt(index);
    if (quoted) {
      if (char === 0x5c) index += 1;
      else if (char === 0x22) quoted = false;
    } else if (char === 0x22) quoted = true;
    else if (char === 0x5b || char === 0x7b) {
      depth += 1;
      if (depth > deepest) return true;
    } else if (char === 0x5d || char === 0x7d) depth -= 1;
  }
  return false;
}
