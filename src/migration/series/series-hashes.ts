// A set of series by the hash of their labels, 16 bytes a series: tells whether an answer names a label set twice without holding the
// label sets. A false "twice" (two label sets of one 52-bit hash) only costs the slower way through the merge.

export class SeriesHashes {
  #slots = new Float64Array(1024);
  #size = 0;

  get bytes(): number {
    return this.#slots.byteLength;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns false when the hash was there already */
  add(hash: number): boolean {
    // 0 means an empty slot.
    const value = hash + 1;
    let slot = value % this.#slots.length;
    while (this.#slots[slot] !== 0) {
      if (this.#slots[slot] === value) return false;
      slot = slot + 1 === this.#slots.length ? 0 : slot + 1;
    }
    this.#slots[slot] = value;
    this.#size++;
    if (this.#size * 2 > this.#slots.length) this.#grow();
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Float64Array(old.length * 2);
    for (const value of old) {
      if (value === 0) continue;
      let slot = value % this.#slots.length;
      while (this.#slots[slot] !== 0) slot = slot + 1 === this.#slots.length ? 0 : slot + 1;
      this.#slots[slot] = value;
    }
  }
}
