// The pipelines that there are, asked for again and again while somebody looks.
import type { HttpClient } from '../../client/index.js';
import { messageOf } from '../messageOf.js';

export interface Pipeline {
  readonly name: string;
  readonly text: string;
  readonly state: string;
  readonly since: number;
  readonly restarts: number;
  readonly reason?: string;
}

export interface Channel {
  readonly name: string;
  readonly producing: boolean;
  readonly consumers: number;
  readonly frames: number;
  readonly dropped: number;
  readonly caps: string;
}

export interface Report {
  /** Of the media process: starting, running or down. */
  readonly state: string;
  readonly reason?: string;
  readonly version?: string;
  readonly pipelines: readonly Pipeline[];
  readonly channels: readonly Channel[];
}

const everyMs = 2000;

export class Pipelines {
  report = $state.raw<Report | undefined>();
  problem = $state('');
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  /** Until the function that it gives is called. */
  follow(): () => void {
    const timer = setInterval(() => {
      if (!document.hidden) void this.#look();
    }, everyMs);
    void this.#look();
    return () => {
      clearInterval(timer);
    };
  }

  async #look(): Promise<void> {
    try {
      this.report = await this.#http.get<Report>('/api/pipelines');
      this.problem = '';
    } catch (error) {
      this.problem = messageOf(error);
    }
  }
}
