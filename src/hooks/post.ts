// Sends one message, once.
import { messageOf } from '../errors.js';

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/** Fulfilled with nothing where the receiver has it, otherwise with what is the matter, in words. */
export type Poster = (post: Post) => Promise<string | undefined>;

const withinMs = 5000;

export const post: Poster = async ({ url, headers, body, signal }) => {
  try {
    const answer = await fetch(url, {
      ...{ method: 'POST', headers, body },
      // Where it goes was decided by an administrator, and not by whoever answers there.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
    });
    // What the receiver has to say beyond its status is of no use here.
    await answer.body?.cancel();
    if (answer.ok) return undefined;
    const isElsewhere = answer.status >= 300 && answer.status < 400;
    return `It answers ${String(answer.status)}${isElsewhere ? ', and redirects are not followed' : ''}`;
  } catch (error) {
    return wordsFor(error);
  }
};

function wordsFor(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `It has not answered within ${String(withinMs / 1000)} s`;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  switch (cause instanceof Error && 'code' in cause ? cause.code : undefined) {
    case 'ECONNREFUSED':
      return 'Nobody listens at this address';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'The name of the host is not known';
    default:
      return `It cannot be reached: ${messageOf(cause)}`;
  }
}
