// The last ten minutes: those that the server has kept, and what it has told since.
import type { HttpClient, SettingValue } from '../../client/index.js';
import { messageOf } from '../messageOf.js';
import { joinedDecisions, type Decision } from './decisions.js';
import { filled, isGap, joined, secondOf, secondsOf, type Columns, type Second } from './seconds.js';

/** Where the connection swallowed a second, the server still has it. */
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
    if (last !== undefined && second.at - last.at > missedMs && !isGap(last, second))
      this.#fill().catch(() => undefined);
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

  async #fill(): Promise<void> {
    const path = '/api/statistics/history?seconds=5';
    const { columns } = await this.#http.get<{ readonly columns: Columns }>(path);
    this.seconds = filled(this.seconds, secondsOf(columns));
  }

  async #askDecisions(since: number): Promise<void> {
    const { decisions } = await this.#http.get<{ readonly decisions: readonly Decision[] }>(
      `/api/adaptive/decisions?since=${String(since)}`,
    );
    this.decisions = joinedDecisions(this.decisions, decisions);
  }
}
