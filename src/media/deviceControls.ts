// The controls of the device that a pipeline has opened: set in order, and only those that are not so yet.
import type { DeviceControls } from '../pipelines/controls.js';
import type { MediaAddon } from './gstreamer.js';
import type { Refusal } from './messages.js';

export class ControlSetter {
  readonly #addon: Pick<MediaAddon, 'setControls'>;
  /** What was asked of the device since it was opened, by the number of the control. */
  #asked = new Map<number, number>();
  #refusals = new Map<number, Refusal>();
  #busy: Promise<void> = Promise.resolve();

  constructor(addon: Pick<MediaAddon, 'setControls'>) {
    this.#addon = addon;
  }

  /** What the device does not do of what settings ask of it. */
  get refusals(): readonly Refusal[] {
    return [...this.#refusals.values()];
  }

  /** A device that is opened knows nothing of what was set before, and what was said of it then is nobody's any more. */
  opened(): void {
    this.#asked = new Map();
    this.#refusals = new Map();
    this.#busy = Promise.resolve();
  }

  /** Resolves when the device has them or has refused them, which may be never. */
  set({ device, atOnce, wishes: later }: DeviceControls, givesPictures: boolean): Promise<void> {
    const wishes = givesPictures ? [...atOnce, ...later] : atOnce;
    const [asked, refusals] = [this.#asked, this.#refusals];
    const changed = wishes.filter(({ id, value }) => asked.get(id) !== value);
    const wanted = new Set(wishes.map(({ id }) => id));
    // What an automatic has taken over is set again when it lets go.
    for (const id of asked.keys()) if (!wanted.has(id)) asked.delete(id);
    for (const id of refusals.keys()) if (!wanted.has(id)) refusals.delete(id);
    for (const { id, value } of changed) asked.set(id, value);
    if (changed.length > 0)
      this.#busy = this.#busy.then(async () => {
        const answers = await this.#addon.setControls(device, changed);
        for (const [index, { id, name, setting }] of changed.entries()) {
          const reason = answers[index] ?? '';
          if (reason === '') refusals.delete(id);
          else refusals.set(id, { setting, reason: `${name}: ${reason}` });
        }
      });
    return this.#busy;
  }
}
