// Describes the WebSocket protocols as an AsyncAPI 3 document; that of v2 is made from the schemas the server checks with.
import { Answer, closeCodes, ErrorAnswer, pushes, requests } from '../../protocol/v2.js';

interface Message {
  readonly name: string;
  readonly title: string;
  readonly description?: string;
  readonly payload: object;
}

/** Without the members by which TypeBox knows its own. */
function plain(schema: object): Record<string, unknown> {
  const { $id: _id, ...rest } = JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
  return rest;
}

function message(name: string, schema: { readonly description?: string | undefined }): Message {
  const { description } = schema;
  return { name, title: name, ...(description === undefined ? {} : { description }), payload: plain(schema) };
}

const anyValues = { type: 'object', description: 'Values by key.', additionalProperties: true };
const text = { type: 'string' };

function flat(properties: Record<string, object>, required: readonly string[], description: string): object {
  return { type: 'object', description, properties, required };
}

/** The reference product's flat messages, as far as they have a fixed form. */
const v1Received = {
  v1Login: flat({ username: text, password: text }, ['username', 'password'], 'Log in by password.'),
  v1Token: flat({ token: text }, ['token'], 'Log in by token; values to set may stand beside it.'),
  v1Set: { ...anyValues, description: 'Any other members are values to set; names or older names.' },
  v1Get: flat({ get: { type: 'array', items: text } }, ['get'], 'Ask for values.'),
} as const;
const v1Sent = {
  v1Authenticated: flat(
    { authenticated: { const: true }, permissions: { type: 'array', items: text } },
    ['authenticated'],
    'Logged in.',
  ),
  v1Confirmation: flat(
    { info: { type: 'array', items: text } },
    ['info'],
    'To the sender: the applied values, and in `info` their names.',
  ),
  v1Broadcast: { ...anyValues, description: 'To everybody who may read them: values that have changed.' },
  v1Error: flat({ error: text, key: text, message: text }, ['error'], 'What went wrong.'),
} as const;

export function asyncApiDocument(version: string): object {
  const received = Object.entries(requests).map(([op, schema]) => message(`${op}Request`, schema));
  const sent = [
    message('answer', Answer),
    message('error', ErrorAnswer),
    ...Object.entries(pushes).map(([op, schema]) => message(op, schema)),
  ];
  const v1In = Object.entries(v1Received).map(([name, schema]) => message(name, schema));
  const v1Out = Object.entries(v1Sent).map(([name, schema]) => message(name, schema));
  const all = [...received, ...sent, ...v1In, ...v1Out];
  const codes = Object.entries(closeCodes).map(([name, code]) => `${String(code)} ${name}`);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Obscura WebSocket API',
      version,
      description: `Watch and change settings live. Close codes of v2: ${codes.join(', ')}.`,
    },
    defaultContentType: 'application/json',
    channels: {
      v2: channel('/api/v2', 'Requests with an id, answers with the same id, pushes.', [
        ...received,
        ...sent,
      ]),
      v1: channel('/api/v1', 'The flat messages of the reference product.', [...v1In, ...v1Out]),
    },
    operations: {
      v2Receive: operation('receive', 'v2', received),
      v2Send: operation('send', 'v2', sent),
      v1Receive: operation('receive', 'v1', v1In),
      v1Send: operation('send', 'v1', v1Out),
    },
    components: { messages: Object.fromEntries(all.map((each) => [each.name, each])) },
  };
}

function channel(address: string, description: string, messages: readonly Message[]): object {
  return {
    address,
    description,
    messages: Object.fromEntries(
      messages.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }]),
    ),
    bindings: { ws: { method: 'GET' } },
  };
}

function operation(action: 'send' | 'receive', of: string, messages: readonly Message[]): object {
  return {
    action,
    channel: { $ref: `#/channels/${of}` },
    messages: messages.map(({ name }) => ({ $ref: `#/channels/${of}/messages/${name}` })),
  };
}
