// The presets as this person may see them, and what can be done with them.
import type { HttpClient } from '../../client/index.js';
import { messageOf } from '../messageOf.js';

export interface Preset {
  readonly values: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly by: string;
}

/** As accounts and roles are called, too; the server says the same. */
export const namePattern = '[A-Za-z0-9][A-Za-z0-9._@\\-]{0,31}';

export class Presets {
  all = $state.raw<readonly (readonly [string, Preset])[] | undefined>();
  problem = $state('');
  readonly #http: HttpClient;

  constructor(http: HttpClient) {
    this.#http = http;
  }

  async look(): Promise<void> {
    try {
      const { presets } = await this.#http.get<{ readonly presets: Readonly<Record<string, Preset>> }>(
        '/api/presets',
      );
      this.all = Object.entries(presets).sort(([a], [b]) => a.localeCompare(b));
      this.problem = '';
    } catch (error) {
      this.problem = messageOf(error);
    }
  }

  async save(name: string, keys: readonly string[]): Promise<void> {
    await this.#http.put(addressOf(name), { keys });
    await this.look();
  }

  async rename(name: string, to: string): Promise<void> {
    await this.#http.post(`${addressOf(name)}/rename`, { name: to });
    await this.look();
  }

  async remove(name: string): Promise<void> {
    await this.#http.delete(addressOf(name));
    await this.look();
  }

  /** What people would notice, in words; fails with what stands in the way. */
  async foresee(name: string): Promise<readonly string[]> {
    const { consequences = [] } = await this.#http.post<{
      readonly consequences?: readonly { readonly message: string }[];
    }>(`${addressOf(name)}/apply`, { dryRun: true });
    return [...new Set(consequences.map(({ message }) => message))];
  }

  async apply(name: string): Promise<void> {
    await this.#http.post(`${addressOf(name)}/apply`, { wait: 'applied' });
  }
}

function addressOf(name: string): string {
  return `/api/presets/${encodeURIComponent(name)}`;
}
