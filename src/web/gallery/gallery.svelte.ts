// What is kept, the newest first, as far as somebody has looked back. Photos so far; whatever else is kept has a kind of
// its own and stands among them by its time.
import { desk } from '../desk.svelte.js';
import { messageOf } from '../messageOf.js';
import { everything, query, type Filter, type Item } from './items.js';

interface Answer {
  readonly photos: readonly Omit<Item, 'kind'>[];
  readonly total_count: number;
  readonly total_size: number;
}

const pageSize = 60;
/** The server lists no more at once; whoever looks further back narrows the days. */
const most = 1000;

export class Gallery {
  list = $state.raw<readonly Item[] | undefined>();
  total = $state.raw({ count: 0, bytes: 0 });
  hasMore = $state(false);
  problem = $state('');
  #filter = everything;
  #wanted = pageSize;
  #isStale = false;
  #asking: Promise<void> | undefined;

  /** Asks anew for as much as is shown, or for what another filter lets through. */
  look(filter: Filter = this.#filter): Promise<void> {
    const shown = filter === this.#filter ? (this.list?.length ?? 0) : 0;
    this.#filter = filter;
    this.#wanted = Math.max(pageSize, shown);
    return this.#ask();
  }

  more(): Promise<void> {
    this.#wanted = (this.list?.length ?? 0) + pageSize;
    return this.#ask();
  }

  /** What could not be deleted stays, and why is told. */
  async remove(keys: readonly string[]): Promise<number> {
    const { deleted, failed } = await desk.http.post<{
      readonly deleted: number;
      readonly failed: readonly { readonly key: string; readonly message: string }[];
    }>('/api/photos/delete', { keys });
    await this.look();
    const [first] = failed;
    if (first !== undefined) throw new Error(`${first.key}: ${first.message}`);
    return deleted;
  }

  /** Once more where something happens while the answer is on its way, however much that is. */
  #ask(): Promise<void> {
    this.#isStale = true;
    this.#asking ??= this.#askUntilFresh();
    return this.#asking;
  }

  async #askUntilFresh(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      // One more than is shown tells whether there are more.
      const limit = Math.min(this.#wanted + 1, most);
      try {
        this.#show(await desk.http.get<Answer>(`/api/photos?${query(this.#filter, limit)}`), limit);
        this.problem = '';
      } catch (error) {
        this.problem = messageOf(error);
      }
    }
    this.#asking = undefined;
  }

  #show({ photos, total_count: count, total_size: bytes }: Answer, limit: number): void {
    this.hasMore = photos.length === limit && limit < most;
    this.list = photos
      .slice(0, this.hasMore ? limit - 1 : limit)
      .map((photo) => ({ kind: 'photo', ...photo }));
    this.total = { count, bytes };
  }
}
