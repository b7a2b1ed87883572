// Gives pictures to a connection that may be slower than they come: what it has no time for is left out, and of what
// waits only the newest is kept.
import type { Picture } from '../../media/messages.js';

export class NewestOnly {
  readonly #send: (picture: Picture) => boolean;
  #waiting: Picture | undefined;
  #isBusy = false;
  #skipped = 0;

  /** `send` says whether the next may follow at once; where not, `ready` is called when it may. */
  constructor(send: (picture: Picture) => boolean) {
    this.#send = send;
  }

  offer(picture: Picture): void {
    if (this.#isBusy) {
      if (this.#waiting !== undefined) this.#skipped += 1;
      this.#waiting = picture;
    } else this.#isBusy = !this.#send(picture);
  }

  /** How many pictures were left out. */
  get skipped(): number {
    return this.#skipped;
  }

  ready(): void {
    this.#isBusy = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.offer(waiting);
  }
}
