// Messages with a `type` or an `action`, as the reference product's SDK classes and test scripts send them on `/ws`
// and `/api/v1/ws`: thin adapters over the same reading and assigning as the flat messages.
import type { Dialect } from '../sync/dialect.js';
import { shownJson } from '../sync/dialect.js';

/** What the adapter needs of the connection it serves. */
export interface TypedHost {
  send(message: unknown): void;
  read(name: string): { readonly value: unknown } | { readonly error: Readonly<Record<string, unknown>> };
  readable(): Readonly<Record<string, unknown>>;
  assign(
    assignments: Readonly<Record<string, unknown>>,
  ): Promise<{ accepted: string[]; errors: Record<string, unknown>[] }>;
  /** From now on changes arrive in this dialect. */
  speak(dialect: Dialect): void;
}

/** One message per key, as the SDK classes expect. */
const sdkDialect: Dialect = {
  name: 'sdk',
  changes: ({ cells }) =>
    cells.map((cell) =>
      Buffer.from(`{"type":"state_update","parameter":"${cell.key}","value":${shownJson(cell)}}`),
    ),
};

const channelDialect: Dialect = {
  name: 'channel',
  changes: ({ cells }) => {
    if (cells.length === 0) return [];
    const members = cells.map((cell) => `"${cell.key}":${shownJson(cell)}`);
    const state = cells.find(({ key }) => key === 'recordingState');
    if (state !== undefined) members.push(`"recording":${String(state.value === 'recording')}`);
    return [Buffer.from(`{"type":"status_update","data":{${members.join(',')}}}`)];
  },
};

const eventNames: Readonly<Record<string, string>> = {
  'camera.recording': 'record',
  'camera.resolution': 'streamResolution',
  'camera.framerate': 'streamFramerate',
  'system.cpu_usage': 'cpuUsage',
};

const commands: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  camera_start: { rtspEnabled: true },
  camera_stop: { rtspEnabled: false },
  recording_start: { record: true },
  recording_stop: { record: false },
  snapshot: { takePicture: true },
};

export class TypedMessages {
  readonly #host: TypedHost;

  constructor(host: TypedHost) {
    this.#host = host;
  }

  /** Whether the message was one of these. */
  async receive(message: Readonly<Record<string, unknown>>): Promise<boolean> {
    const { type, action } = message;
    if (typeof action === 'string' && typeof message['key'] === 'string' && type === undefined) {
      await this.#action(action, message['key'], message['value']);
      return true;
    }
    if (typeof type !== 'string') return false;
    switch (type) {
      case 'subscribe':
        this.#subscribe(message);
        return true;
      case 'get_state':
        this.#state();
        return true;
      case 'set_parameter':
        await this.#setParameter(message);
        return true;
      case 'command':
        await this.#command(message);
        return true;
      default:
        this.#host.send({ type: 'error', error: `There is no message type ${type.slice(0, 32)}` });
        return true;
    }
  }

  async #action(action: string, key: string, value: unknown): Promise<void> {
    if (action === 'setState') {
      const { accepted, errors } = await this.#host.assign({ [key]: value });
      for (const error of errors) this.#host.send(error);
      if (accepted.length === 0) return;
    } else if (action !== 'getState') {
      this.#host.send({ error: 'Invalid message', message: `There is no action ${action.slice(0, 32)}` });
      return;
    }
    const answer = this.#host.read(key);
    this.#host.send('value' in answer ? { key, value: answer.value } : answer.error);
  }

  #subscribe({ event, channel, id }: Readonly<Record<string, unknown>>): void {
    if (typeof channel === 'string') {
      this.#host.send({ type: 'subscription_confirmed', channel, ...(id === undefined ? {} : { id }) });
      this.#host.speak(channelDialect);
    } else if (event === undefined || event === 'state_changes') {
      this.#host.speak(sdkDialect);
    }
    // Camera events come from the media process; a subscription to them alone changes nothing here.
  }

  /** Both forms: one message with all, and one per key for clients that only listen to updates. */
  #state(): void {
    const state = this.#host.readable();
    this.#host.send({ type: 'state', state });
    for (const [parameter, value] of Object.entries(state))
      this.#host.send({ type: 'state_update', parameter, value });
  }

  async #setParameter({ parameter, value }: Readonly<Record<string, unknown>>): Promise<void> {
    if (typeof parameter !== 'string') {
      this.#host.send({ type: 'error', error: 'A parameter is needed' });
      return;
    }
    const { errors } = await this.#host.assign({ [eventNames[parameter] ?? parameter]: value });
    for (const { error, message } of errors) this.#host.send({ type: 'error', error, parameter, message });
  }

  async #command({ command, action, parameters, id }: Readonly<Record<string, unknown>>): Promise<void> {
    const name = String(command ?? action);
    const known = Object.hasOwn(commands, name) ? commands[name] : undefined;
    const given = typeof parameters === 'object' && parameters !== null ? parameters : {};
    const assignments = name === 'set_parameter' ? given : known;
    if (assignments === undefined) {
      this.#host.send({
        type: 'command_response',
        id,
        success: false,
        error: `There is no command ${name.slice(0, 32)}`,
      });
      return;
    }
    const { errors } = await this.#host.assign(assignments as Readonly<Record<string, unknown>>);
    const [first] = errors;
    const why = first === undefined ? {} : { error: first['message'] ?? first['error'] };
    this.#host.send({ type: 'command_response', id, success: first === undefined, ...why });
  }
}
