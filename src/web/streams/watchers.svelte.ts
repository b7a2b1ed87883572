// Who watches, asked for again and again while somebody looks.
import type { HttpClient } from '../../client/index.js';
import { messageOf } from '../messageOf.js';
import { everySoOften } from '../parts/everySoOften.js';

export interface Watcher {
  readonly id: string;
  readonly protocol: string;
  readonly address: string;
  readonly user: string;
  readonly stream: string;
  readonly transport: string;
  readonly secure: boolean;
  readonly since: number;
  readonly bitrate?: number;
  readonly framesDropped?: number;
  readonly report?: { readonly lossPercent: number; readonly rttMs: number; readonly jitterMs: number };
  readonly adaptive?: { readonly target: number; readonly reason: string; readonly state?: string };
}

const everyMs = 2000;

export class Watchers {
  list = $state.raw<readonly Watcher[] | undefined>();
  problem = $state('');
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** Until the function that it gives is called. */
  follow(): () => void {
    return everySoOften(everyMs, () => void this.look());
  }

  async look(): Promise<void> {
    try {
      this.list = (await this.#http.get<{ readonly clients: readonly Watcher[] }>('/api/clients')).clients;
      this.problem = '';
    } catch (error) {
      this.problem = messageOf(error);
    }
  }

  async end(id: string): Promise<void> {
    await this.#http.delete(`/api/clients/${encodeURIComponent(id)}`);
    await this.look();
  }
}
