// The WebSocket protocol of `/api/v2`, message by message: the one description that the server checks against,
// the client is typed by and the AsyncAPI document is made from.
import { Type, type Static, type TSchema } from '@sinclair/typebox';

const Id = Type.Union([Type.Integer({ minimum: 0 }), Type.String({ minLength: 1, maxLength: 64 })], {
  description: 'Chosen by the client; the answer carries the same.',
});
const Key = Type.String({ minLength: 1, maxLength: 64, description: 'Name of an observable.' });
const Glob = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'Name of an observable, or a pattern with `*` for any characters.',
});
const Globs = Type.Array(Glob, { minItems: 1, maxItems: 200 });
const Revision = Type.Integer({ minimum: 0, description: 'Counts the transactions of the server.' });
const Values = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
  maxProperties: 100,
  description: 'Values by key.',
});
const StatusText = Type.Union([Type.Literal('pending'), Type.Literal('applied'), Type.Literal('failed')]);

function request<const Op extends string, P extends Record<string, TSchema>>(
  op: Op,
  description: string,
  members: P,
) {
  return Type.Object(
    { id: Id, op: Type.Literal(op), ...members },
    { additionalProperties: false, $id: `${op}Request`, title: op, description },
  );
}

export const Auth = request('auth', 'Says who is there: by token, or by name and password.', {
  token: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
  username: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  password: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
});
export const Watch = request(
  'watch',
  'Asks for values now and for every change from then on; replaces what was watched before.',
  {
    keys: Globs,
    since: Type.Optional(Revision),
    epoch: Type.Optional(Type.String({ maxLength: 64, description: 'The epoch that `since` belongs to.' })),
  },
);
export const Unwatch = request('unwatch', 'Ends the watch.', {});
export const Get = request('get', 'Asks for values once.', { keys: Globs });
export const Describe = request(
  'describe',
  'Asks for declarations: type, range, default, permissions, effect.',
  {
    keys: Type.Optional(Globs),
  },
);
export const Set = request('set', 'Changes values: all of them or none.', {
  set: Values,
  ifRevision: Type.Optional(Revision),
  dryRun: Type.Optional(Type.Boolean()),
  requestId: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  wait: Type.Optional(Type.Union([Type.Literal('accepted'), Type.Literal('applied')])),
  transient: Type.Optional(
    Type.Boolean({
      description:
        'Published but not saved, as in the middle of a drag; what is left so is saved when the connection ends.',
    }),
  ),
  confirmWithin: Type.Optional(
    Type.Integer({
      minimum: 5,
      maximum: 600,
      description: 'Seconds after which the change returns unless another connection confirms it.',
    }),
  ),
});
export const Confirm = request(
  'confirm',
  'Keeps a change that was made on trial; asked over a new connection.',
  {
    revision: Revision,
  },
);
export const Undo = request('undo', "Takes back the asker's own last change.", {});
export const Lock = request(
  'lock',
  'Keeps others from writing keys for a while, or until the socket closes.',
  {
    keys: Type.Array(Key, { minItems: 1, maxItems: 100 }),
    seconds: Type.Integer({ minimum: 1, maximum: 600 }),
  },
);
export const Unlock = request('unlock', 'Gives locked keys back.', {
  keys: Type.Optional(Type.Array(Key, { minItems: 1, maxItems: 100 })),
});
export const Ping = request('ping', 'Asks for a sign of life.', {});

const Session = Type.String({ minLength: 1, maxLength: 64, description: 'A WebRTC session.' });
export const WebRtcOffer = request(
  'webrtc.offer',
  'Opens a WebRTC session, which ends with the connection.',
  {
    sdp: Type.String({ minLength: 1, maxLength: 60_000 }),
    stream: Type.Optional(Type.Union([Type.Literal('stream1'), Type.Literal('stream2')])),
    trickle: Type.Optional(
      Type.Boolean({
        description: 'The answer comes at once, and addresses of the server follow as they are found.',
      }),
    ),
  },
);
export const WebRtcCandidate = request('webrtc.candidate', 'Adds an address of the browser to a session.', {
  session: Session,
  line: Type.Integer({ minimum: 0, maximum: 16, description: 'sdpMLineIndex of the candidate.' }),
  candidate: Type.String({ minLength: 1, maxLength: 1024 }),
});
export const WebRtcClose = request('webrtc.close', 'Ends a WebRTC session of this connection.', {
  session: Session,
});

export const requests = {
  auth: Auth,
  watch: Watch,
  unwatch: Unwatch,
  get: Get,
  describe: Describe,
  set: Set,
  confirm: Confirm,
  undo: Undo,
  lock: Lock,
  unlock: Unlock,
  ping: Ping,
  'webrtc.offer': WebRtcOffer,
  'webrtc.candidate': WebRtcCandidate,
  'webrtc.close': WebRtcClose,
} as const;
export type Op = keyof typeof requests;
export type Request = { [K in Op]: Static<(typeof requests)[K]> }[Op];

const WireError = Type.Object({
  code: Type.Union(
    (['unknown', 'invalid', 'forbidden', 'unauthenticated', 'conflict', 'limited', 'failed'] as const).map(
      (code) => Type.Literal(code),
    ),
  ),
  key: Type.Optional(Key),
  message: Type.String(),
  errors: Type.Optional(
    Type.Array(Type.Object({ code: Type.String(), key: Type.Optional(Key), message: Type.String() }), {
      description: 'All that is wrong, where it is more than one thing.',
    }),
  ),
  retryAfter: Type.Optional(Type.Number({ description: 'Seconds.' })),
});
const StatusEntry = Type.Object({
  status: StatusText,
  revision: Revision,
  reason: Type.Optional(Type.String()),
});
const Consequence = Type.Object({ key: Key, effect: Type.String(), message: Type.String() });

/** The answer to a request that succeeded; which members it has depends on the request. */
export const Answer = Type.Object(
  {
    id: Id,
    ok: Type.Literal(true),
    revision: Type.Optional(Revision),
    user: Type.Optional(Type.String({ description: 'auth: the account; empty for nobody.' })),
    permissions: Type.Optional(Type.Array(Type.String())),
    epoch: Type.Optional(Type.String({ description: 'watch: changes when revisions begin anew.' })),
    state: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'watch, get: values by key.' }),
    ),
    changes: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'watch with `since`: what changed after it.',
      }),
    ),
    gone: Type.Optional(
      Type.Array(Key, { description: 'watch with `since`: keys that may not be read any more.' }),
    ),
    statuses: Type.Optional(Type.Record(Type.String(), StatusEntry)),
    revisions: Type.Optional(Type.Record(Type.String(), Revision)),
    changed: Type.Optional(Type.Array(Key)),
    consequences: Type.Optional(Type.Array(Consequence)),
    confirmBefore: Type.Optional(
      Type.Number({ description: 'set with `confirmWithin`: milliseconds since 1970.' }),
    ),
    result: Type.Optional(Type.Unknown({ description: 'set of an action: what it has to say.' })),
    descriptions: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    session: Type.Optional(Type.String({ description: 'webrtc.offer: for the requests that follow.' })),
    sdp: Type.Optional(Type.String({ description: 'webrtc.offer: the answer, with all addresses.' })),
    until: Type.Optional(Type.Number({ description: 'lock: milliseconds since 1970.' })),
  },
  { $id: 'Answer', description: 'A request succeeded.' },
);
export type Answer = Static<typeof Answer>;

export const ErrorAnswer = Type.Object(
  { id: Type.Union([Id, Type.Null()]), ok: Type.Literal(false), error: WireError },
  { $id: 'ErrorAnswer', description: 'A request failed; `id` is null where none could be read.' },
);
export type ErrorAnswer = Static<typeof ErrorAnswer>;

export const Change = Type.Object(
  {
    op: Type.Literal('change'),
    revision: Revision,
    set: Type.Record(Type.String(), Type.Unknown()),
    by: Type.Optional(Type.String({ description: 'Who did it, for those who may know of accounts.' })),
    gone: Type.Optional(
      Type.Array(Key, { description: 'Keys that may not be read any more: forget their values.' }),
    ),
  },
  {
    $id: 'Change',
    description:
      "Values changed: whoever merges this holds the server's state at `revision`, as far as it may be read.",
  },
);
export type Change = Static<typeof Change>;

export const StatusPush = Type.Object(
  {
    op: Type.Literal('status'),
    key: Key,
    status: StatusText,
    revision: Revision,
    reason: Type.Optional(Type.String()),
  },
  { $id: 'Status', description: 'A change is being carried out, is in force, or could not be carried out.' },
);
export type StatusPush = Static<typeof StatusPush>;

export const Notice = Type.Object(
  {
    op: Type.Literal('notice'),
    code: Type.Union([
      Type.Literal('permissions'),
      Type.Literal('session-ended'),
      Type.Literal('slow'),
      Type.Literal('limited'),
      Type.Literal('stopping'),
    ]),
    message: Type.String(),
    permissions: Type.Optional(Type.Array(Type.String())),
  },
  { $id: 'Notice', description: 'Something about this connection: new permissions, or why it will close.' },
);
export type Notice = Static<typeof Notice>;

export const CandidatePush = Type.Object(
  {
    op: Type.Literal('webrtc.candidate'),
    session: Session,
    line: Type.Integer({ description: 'sdpMLineIndex of the candidate.' }),
    candidate: Type.String(),
  },
  { $id: 'Candidate', description: 'Another address of the server for a WebRTC session that wants to know.' },
);
export type CandidatePush = Static<typeof CandidatePush>;

export const pushes = {
  change: Change,
  status: StatusPush,
  notice: Notice,
  'webrtc.candidate': CandidatePush,
} as const;
export type Push = Change | StatusPush | Notice | CandidatePush;
export type ServerMessage = Answer | ErrorAnswer | Push;

/** Close codes: 4000 to 4499 mean "come back", 4500 to 4999 "do not, before something has changed". */
export const closeCodes = {
  unauthenticated: 4001,
  slow: 4008,
  limited: 4029,
  sessionEnded: 4503,
} as const;
