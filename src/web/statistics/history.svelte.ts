// The last ten minutes: those that the server has kept, and what it has told since.
import type { HttpClient, SettingValue } from '../../client/index.js';
import { messageOf } from '../messageOf.js';
import { joinedDecisions, type Decision } from './decisions.js';
import { filled, joined, secondOf, secondsOf, type Columns, type Second } from './seconds.js';

/** Where a second was not heard, the server may still have it. */
const missedMs = 1900;

export class History {
  seconds = $state.raw<readonly Second[]>([]);
  decisions = $state.raw<readonly Decision[]>([]);
  problem = $state('');
  isLoaded = $state(false);
  readonly #http: HttpClient;
  #isAsking = false;
  #asksAgain = false;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async load(): Promise<void> {
    try {
      const { columns } = await this.#http.get<{ readonly columns: Columns }>('/api/statistics/history');
      this.seconds = filled(this.seconds, secondsOf(columns));
      await this.#askDecisions(0);
      this.problem = '';
    } catch (error) {
      this.problem = messageOf(error);
    }
    this.isLoaded = true;
  }

  /** What the server says of this second. */
  take(point: SettingValue<'statistics'>, cpu: SettingValue<'processLoad'> | undefined): void {
    // Before the first second there is nothing.
    if (point.at === 0) return;
    const second = secondOf({ ...point, ...(cpu === undefined ? {} : { cpu }) });
    const last = this.seconds.at(-1);
    this.seconds = joined(this.seconds, second);
    const isMissing = last !== undefined && second.at - last.at > missedMs;
    if (isMissing || this.problem !== '') void this.load();
  }

  /** Something has been decided, or goes on: once more where it comes while the server is being asked. */
  async follow(): Promise<void> {
    this.#asksAgain = this.#isAsking;
    if (this.#isAsking) return;
    this.#isAsking = true;
    const newest = Math.max(0, ...this.decisions.map(({ until }) => until));
    await this.#askDecisions(newest).catch(() => undefined);
    this.#isAsking = false;
    if (this.#asksAgain) await this.follow();
  }

  async #askDecisions(since: number): Promise<void> {
    const { decisions } = await this.#http.get<{ readonly decisions: readonly Decision[] }>(
      `/api/adaptive/decisions?since=${String(since)}`,
    );
    this.decisions = joinedDecisions(this.decisions, decisions);
  }
}
