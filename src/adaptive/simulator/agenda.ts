// What is to happen when, in virtual time: a binary heap. Of things at the same time the one that was entered first comes
// first.

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly run: (at: number) => void;
}

export class Agenda {
  readonly #heap: Entry[] = [];
  #entered = 0;

  enter(at: number, run: (at: number) => void): void {
    this.#entered += 1;
    const entry = { at, order: this.#entered, run };
    let place = this.#heap.length;
    this.#heap.push(entry);
    for (;;) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above];
      if (place === 0 || parent === undefined || !isBefore(entry, parent)) break;
      this.#heap[place] = parent;
      place = above;
    }
    this.#heap[place] = entry;
  }

  runUntil(end: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.at <= end; first = this.#heap[0]) {
      this.#removeFirst();
      first.run(first.at);
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      const right = this.#heap[below + 1];
      let child = this.#heap[below];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        below += 1;
      }
      if (child === undefined || !isBefore(child, last)) break;
      this.#heap[place] = child;
      place = below;
    }
    this.#heap[place] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
