// Gives pictures to a connection that may be slower than they come: what it has no time for is left out, and of what
// waits only the newest is kept.
import type { Picture } from '../../media/messages.js';

export class NewestOnly {
  readonly #send: (picture: Picture) => boolean;
  #waiting: Picture | undefined;
  #isBusy = false;

  /** `send` says whether the next may follow at once; where not, `ready` is called when it may. */
  constructor(send: (picture: Picture) => boolean) {
    this.#send = send;
  }

  offer(picture: Picture): void {
    if (this.#isBusy) this.#waiting = picture;
    else this.#isBusy = !this.#send(picture);
  }

  ready(): void {
    this.#isBusy = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.offer(waiting);
  }
}
