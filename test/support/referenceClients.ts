// Clients as the reference product's documents write them, one per language and style. Each keeps to what its document
// shows: how it logs in, what it sends, how it takes what arrives. None of them knows anything of this server.
import { WebSocket } from 'ws';

type Values = Record<string, unknown>;

export interface Door {
  /** http://host:port */
  readonly url: string;
  readonly username: string;
  readonly password: string;
}

/** What every documented client can do, whatever its messages look like. */
export abstract class ReferenceClient {
  /** All it has been told, merged. */
  readonly state: Values = {};
  /** Every message, in order. */
  readonly heard: Values[] = [];
  protected readonly door: Door;
  protected socket!: WebSocket;
  #look: (() => void)[] = [];

  constructor(door: Door) {
    this.door = door;
  }

  abstract connect(): Promise<void>;
  abstract set(values: Values): void;
  abstract query(names: readonly string[]): void;
  /** Takes one message into the state, as the documented handler does. */
  protected abstract take(message: Values): void;

  /** The first message that fits, heard already or still to come. */
  async message(fits: (message: Values) => boolean): Promise<Values> {
    for (;;) {
      const found = this.heard.find(fits);
      if (found !== undefined) return found;
      await this.#news();
    }
  }

  async until(fits: (state: Values) => boolean): Promise<void> {
    while (!fits(this.state)) await this.#news();
  }

  close(): void {
    this.socket.terminate();
  }

  protected async open(path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    this.socket = new WebSocket(this.door.url.replace('http', 'ws') + path, { headers });
    this.socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Values;
      this.heard.push(message);
      this.take(message);
      for (const look of this.#look.splice(0)) look();
    });
    await new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('error', reject);
    });
  }

  protected send(message: Values): void {
    this.socket.send(JSON.stringify(message));
  }

  /** A token as the documents get one: POST with a JSON body. */
  protected async token(): Promise<string> {
    const answer = await fetch(`${this.door.url}/api/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: this.door.username, password: this.door.password }),
    });
    return ((await answer.json()) as { readonly token: string }).token;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => this.#look.push(resolve));
  }
}

/** The page of the WebSocket document: name and password as the first message, everything merged that is no error. */
export class BrowserClient extends ReferenceClient {
  async connect(): Promise<void> {
    await this.open('/api/v1');
    this.send({ username: this.door.username, password: this.door.password });
    await this.message(({ authenticated }) => authenticated === true);
  }

  set(values: Values): void {
    this.send(values);
  }

  query(names: readonly string[]): void {
    this.send({ get: names });
  }

  protected take(message: Values): void {
    if ('error' in message || 'authenticated' in message) return;
    const { info: _info, ...values } = message;
    Object.assign(this.state, values);
  }
}

/** The React hook: whatever arrives is spread over the state before, errors and confirmations included. */
export class ReactHookClient extends ReferenceClient {
  async connect(): Promise<void> {
    await this.open('/api/v1');
    this.send({ token: await this.token() });
    await this.until(({ authenticated }) => authenticated === true);
  }

  set(values: Values): void {
    this.send(values);
  }

  query(names: readonly string[]): void {
    this.send({ get: names });
  }

  protected take(message: Values): void {
    Object.assign(this.state, message);
  }
}

/** The Python script: the token in the header of the upgrade, and a loop that reads answers and broadcasts alike. */
export class PythonClient extends ReferenceClient {
  async connect(): Promise<void> {
    await this.open('/api/v1', { Authorization: `Bearer ${await this.token()}` });
  }

  set(values: Values): void {
    this.send(values);
  }

  query(names: readonly string[]): void {
    this.send({ info: names });
  }

  protected take(message: Values): void {
    if ('error' in message) return;
    for (const [name, value] of Object.entries(message)) if (name !== 'info') this.state[name] = value;
  }
}

/** Older devices' scripts have no log-in: the token goes along in every message. */
export class TokenInEveryMessageClient extends BrowserClient {
  #token = '';

  override async connect(): Promise<void> {
    this.#token = await this.token();
    await this.open('/api/v1');
  }

  protected override send(message: Values): void {
    super.send({ token: this.#token, ...message });
  }
}

/** The product's own tests: `/api` with the token in the address, and the observables' own names. */
export class TestScriptClient extends BrowserClient {
  override async connect(): Promise<void> {
    await this.open(`/api?token=${await this.token()}`);
  }
}

/** The JavaScript and C# classes: typed messages on `/ws`, the token in the address, one parameter at a time. */
export class SdkClient extends ReferenceClient {
  async connect(): Promise<void> {
    await this.open(`/ws?token=${await this.token()}`);
    this.subscribe();
    await this.message(({ type }) => type === 'state');
  }

  set(values: Values): void {
    for (const [parameter, value] of Object.entries(values))
      this.send({ type: 'set_parameter', parameter, value });
  }

  query(): void {
    this.send({ type: 'get_state' });
  }

  protected subscribe(): void {
    this.send({ type: 'subscribe', event: 'state_changes' });
    this.send({ type: 'subscribe', event: 'camera_events' });
    this.send({ type: 'get_state' });
  }

  protected take({ type, parameter, value }: Values): void {
    if (type === 'state_update') this.state[String(parameter)] = value;
  }
}

/** The Python class: the same messages, the token in a header. */
export class PythonSdkClient extends SdkClient {
  override async connect(): Promise<void> {
    await this.open('/ws', { Authorization: `Bearer ${await this.token()}` });
    this.subscribe();
    await this.message(({ type }) => type === 'state');
  }
}
