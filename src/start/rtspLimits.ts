// Tells the media process how much of its stream an RTSP viewer over UDP gets whom the encoder does not wait for: it asked
// for this stream and keeps it, so whole pictures are left out until the rest fits. Over TCP the connection itself does that.
import type { LoopOutput, ViewerDecision } from '../adaptive/decisions.js';
import type { Orders, RtspClientReport } from '../media/messages.js';

type Limit = Orders['rtsp-limit'];

const betweenMs = 1000;
/** Changes smaller than this part are not worth telling. */
const smallestChange = 0.1;

export class RtspLimits {
  readonly #order: (limit: Limit) => Promise<unknown>;
  readonly #told = new Map<number, { readonly bps: number | null; readonly at: number }>();

  constructor(order: (limit: Limit) => Promise<unknown>) {
    this.#order = order;
  }

  /** `isOn`: whether the loop decides anything; otherwise everybody gets everything. */
  take(
    { at, viewers }: Pick<LoopOutput, 'at' | 'viewers'>,
    clients: readonly Pick<RtspClientReport, 'id' | 'transport'>[],
    isOn: boolean,
  ): void {
    const present = new Set(clients.map(({ id }) => id));
    for (const id of this.#told.keys()) if (!present.has(id)) this.#told.delete(id);
    for (const { id, transport } of clients) {
      const bps = isOn ? limitOf(viewers[`rtsp-${String(id)}`]) : null;
      if (transport === 'udp' && bps !== undefined) this.#tell(id, bps, at);
    }
  }

  #tell(client: number, bps: number | null, at: number): void {
    const told = this.#told.get(client);
    if (isMuchTheSame(told?.bps ?? null, bps)) return;
    if (told !== undefined && at - told.at < betweenMs) return;
    this.#told.set(client, { bps, at });
    this.#order({ client, bps }).catch(() => {
      // It is told again, as if it had never been.
      this.#told.delete(client);
    });
  }
}

/** Undefined where nothing is known that would change it. */
function limitOf(decision: ViewerDecision | undefined): number | null | undefined {
  if (decision === undefined) return undefined;
  const { votes, state, target } = decision;
  if (votes) return null;
  return state === 'starting' || state === 'silent' ? undefined : target;
}

function isMuchTheSame(before: number | null, next: number | null): boolean {
  if (before === null || next === null) return before === next;
  return Math.abs(next - before) <= before * smallestChange;
}
