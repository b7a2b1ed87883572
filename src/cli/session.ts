// The connections a command works with, with the certificate rules that the person chose.
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { WebSocket } from 'ws';
import { Client, HttpClient, socketUrl, type SocketLike } from '../client/index.js';
import type { Target } from './contexts.js';
import type { Io } from './io.js';

interface Trust {
  readonly ca?: string;
  readonly rejectUnauthorized?: boolean;
  readonly checkServerIdentity?: () => undefined;
}

async function trustOf({ insecure, caFile, certificate }: Target): Promise<Trust> {
  if (insecure) return { rejectUnauthorized: false };
  if (caFile !== undefined) return { ca: await readFile(caFile, 'utf8') };
  // The very certificate that was accepted once; which name the camera is reached by does not matter then.
  return certificate === undefined ? {} : { ca: certificate, checkServerIdentity: () => undefined };
}

const clientHeader = { 'x-obscura-client': 'cli' } as const;

export async function openClient(io: Io, target: Target): Promise<Client> {
  const trust = await trustOf(target);
  const client = new Client(socketUrl(target.url), {
    credentials: target.credentials,
    signal: io.signal,
    openSocket: (url) => {
      return new WebSocket(url, { ...trust, headers: clientHeader }) as unknown as SocketLike;
    },
  });
  await client.open();
  return client;
}

export async function openHttp(target: Target): Promise<HttpClient> {
  const trust = await trustOf(target);
  return new HttpClient(target.url, {
    credentials: target.credentials,
    headers: clientHeader,
    fetch: (input, init) => fetchOverNode(input instanceof Request ? input.url : String(input), init, trust),
  });
}

/** The built-in fetch knows no certificates of one's own, so requests go the older way. */
function fetchOverNode(url: string, init: RequestInit | undefined, trust: Trust): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? httpsRequest : httpRequest)(
      url,
      {
        ...trust,
        method: init?.method ?? 'GET',
        headers: init?.headers as Record<string, string>,
        signal: init?.signal ?? undefined,
      },
      (answer) => {
        const headers = new Headers();
        for (const [name, value] of Object.entries(answer.headers))
          if (value !== undefined) headers.set(name, String(value));
        const status = answer.statusCode ?? 500;
        const bodiless = status === 204 || status === 304;
        resolve(
          new Response(bodiless ? null : (Readable.toWeb(answer) as ReadableStream), { status, headers }),
        );
      },
    );
    request.on('error', reject);
    request.end(init?.body as string | undefined);
  });
}
