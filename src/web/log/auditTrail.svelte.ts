// What the audit tells, by page, newest first, and what comes while somebody looks.
import { ClientError, type HttpClient } from '../../client/index.js';
import { messageOf } from '../messageOf.js';
import { patience } from '../patience.js';
import type { AuditRecord } from './auditRecord.js';

export interface AuditFilter {
  readonly user?: string;
  readonly key?: string;
  readonly outcome?: AuditRecord['outcome'];
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly until?: number;
}

interface Page {
  readonly records: readonly AuditRecord[];
  /** Where there may be more. */
  readonly next?: number;
}

const pageSize = 50;
const exportPage = 1000;
/** Of an export: more is for who asks the server itself. */
export const mostExported = 10_000;
const gatherMs = 300;
const againMs = 2000;

export class AuditTrail {
  records = $state.raw<readonly AuditRecord[] | undefined>();
  isBusy = $state(false);
  #next = $state<number | undefined>();
  problem = $state('');
  readonly #http: HttpClient;
  #filter: AuditFilter = {};

  constructor(http: HttpClient) {
    this.#http = http;
  }

  get hasMore(): boolean {
    return this.#next !== undefined;
  }

  /** From now on only what matches. */
  async show(filter: AuditFilter): Promise<void> {
    this.#filter = filter;
    await this.#ask(async () => {
      const { records, next } = await this.#page(filter, pageSize);
      if (filter !== this.#filter) return;
      this.records = records;
      this.#next = next;
    });
  }

  async older(): Promise<void> {
    const filter = this.#filter;
    await this.#ask(async () => {
      const { records, next } = await this.#page(filter, pageSize, this.#next);
      if (filter !== this.#filter) return;
      this.records = [...(this.records ?? []), ...records];
      this.#next = next;
    });
  }

  /** Until the function that it gives is called. The server finds what matches; its stream says only that there is something. */
  follow(): () => void {
    const end = new AbortController();
    void this.#listen(end.signal);
    return () => {
      end.abort();
    };
  }

  /** Everything that matches, the newest first, up to a limit. */
  async all(): Promise<readonly AuditRecord[]> {
    const filter = this.#filter;
    const all: AuditRecord[] = [];
    let next: number | undefined;
    do {
      const page = await this.#page(filter, exportPage, next);
      all.push(...page.records);
      ({ next } = page);
    } while (next !== undefined && all.length < mostExported);
    return all;
  }

  async #listen(signal: AbortSignal): Promise<void> {
    const isOver = (): boolean => signal.aborted;
    let timer: ReturnType<typeof setTimeout> | undefined;
    while (!isOver()) {
      try {
        for await (const _record of this.#http.lines('/api/audit/follow', signal))
          timer ??= setTimeout(() => {
            timer = undefined;
            if (!isOver()) void this.#newest();
          }, gatherMs);
      } catch {
        // The banner says that the connection is lost; a right that is gone is seen at the next look.
      }
      if (!isOver()) await patience(againMs);
    }
    clearTimeout(timer);
  }

  async #newest(): Promise<void> {
    const filter = this.#filter;
    await this.#ask(async () => {
      const { records, next } = await this.#page(filter, pageSize);
      const known = this.records ?? [];
      const newest = known[0]?.seq ?? -1;
      if (filter !== this.#filter) return;
      if (next !== undefined && next > newest) {
        // More has come than one page holds: what lies between would be missing.
        this.records = records;
        this.#next = next;
        return;
      }
      this.records = [...records.filter(({ seq }) => seq > newest), ...known];
    });
  }

  async #ask(act: () => Promise<void>): Promise<void> {
    this.isBusy = true;
    try {
      await act();
      this.problem = '';
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'unreachable') this.problem = messageOf(error);
    } finally {
      this.isBusy = false;
    }
  }

  async #page(filter: AuditFilter, limit: number, before?: number): Promise<Page> {
    const query = new URLSearchParams({ limit: String(limit) });
    for (const [name, value] of Object.entries({ ...filter, before }))
      if (value !== undefined) query.set(name, String(value));
    return await this.#http.get<Page>(`/api/audit?${query.toString()}`);
  }
}
