// Values that change and are listened to, in the shape that RxJS's `from` understands, without needing RxJS.

export interface Subscription {
  unsubscribe(): void;
}

export interface Watchable<T> {
  subscribe(next: ((value: T) => void) | { next?: (value: T) => void }): Subscription;
}

export class Listeners<T> implements Watchable<T> {
  readonly #listeners = new Set<(value: T) => void>();

  subscribe(next: ((value: T) => void) | { next?: (value: T) => void }): Subscription {
    const listener = typeof next === 'function' ? next : (value: T) => next.next?.(value);
    this.#listeners.add(listener);
    return { unsubscribe: () => void this.#listeners.delete(listener) };
  }

  emit(value: T): void {
    for (const listener of [...this.#listeners]) listener(value);
  }
}

/** Has a value at every moment and tells it to whoever begins to listen. */
export class Current<T> implements Watchable<T> {
  readonly #changes = new Listeners<T>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    this.#changes.emit(value);
  }

  subscribe(next: ((value: T) => void) | { next?: (value: T) => void }): Subscription {
    const subscription = this.#changes.subscribe(next);
    if (typeof next === 'function') next(this.#value);
    else next.next?.(this.#value);
    return subscription;
  }
}
