// A table of numbers that grows: one typed array per column, since a simulation of minutes has a hundred thousand packets.

export class Column {
  #values = new Float64Array(4096);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Float64Array(this.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length] = value;
    this.length += 1;
  }

  at(index: number): number {
    return this.#values[index] ?? Number.NaN;
  }

  /** The least first. */
  sorted(): Float64Array {
    return this.#values.slice(0, this.length).sort();
  }

  set(index: number, value: number): void {
    this.#values[index] = value;
  }
}
