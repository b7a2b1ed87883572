// One thing that happened, as a receiver gets it: a body, and headers by which to tell who sent it and when.
import { createHmac, randomUUID } from 'node:crypto';

export interface Happening {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface HookMessage {
  readonly id: string;
  readonly event: string;
  readonly body: string;
}

export function composeMessage({ event, data }: Happening, device: string, now: number): HookMessage {
  const id = randomUUID();
  return { id, event, body: JSON.stringify({ event, id, time: new Date(now).toISOString(), device, data }) };
}

/** The time is signed with the body, so that what was overheard cannot be sent again later. */
export function headersOf(
  { id, event, body }: HookMessage,
  secret: string | undefined,
  now: number,
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  return {
    'content-type': 'application/json',
    'user-agent': 'Obscura',
    'x-obscura-event': event,
    'x-obscura-delivery': id,
    'x-obscura-timestamp': timestamp,
    ...(secret === undefined
      ? {}
      : { 'x-obscura-signature': `sha256=${signature(secret, timestamp, body)}` }),
  };
}

export function signature(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}
