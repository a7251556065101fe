// A set of series by the hash of their labels, 16 bytes per series. It detects whether a response contains a label set twice without storing the
// label sets. A false positive (two label sets with the same 52-bit hash) only costs the slower path through the merge.

/** Memory per series of capacity. */
export const BYTES_PER_SERIES = 16;

export class SeriesHashes {
  #slots: Float64Array<ArrayBuffer>;
  #size = 0;

  /** @param room how many series fit before it has to grow */
  constructor(room: number) {
    this.#slots = new Float64Array(2 * room);
  }

  has(hash: number): boolean {
    const value = hash + 1;
    if (this.#slots.length === 0) return false;
    let slot = value % this.#slots.length;
    while (this.#slots[slot] !== 0) {
      if (this.#slots[slot] === value) return true;
      slot = slot + 1 === this.#slots.length ? 0 : slot + 1;
    }
    return false;
  }

  /** @returns false if the hash was already there. @throws RangeError if there is no room for it: `grow` must be called before */
  add(hash: number): boolean {
    // 0 means an empty slot.
    const value = hash + 1;
    let slot = value % this.#slots.length;
    while (this.#slots[slot] !== 0) {
      if (this.#slots[slot] === value) return false;
      slot = slot + 1 === this.#slots.length ? 0 : slot + 1;
    }
    if (this.#size === this.#slots.length / 2)
      throw new RangeError(`there is no room for more than ${this.#size} series`);
    this.#slots[slot] = value;
    this.#size++;
    return true;
  }

  /** Needs the old and the new memory at the same time. */
  grow(room: number): void {
    const old = this.#slots;
    const slots = new Float64Array(2 * room);
    for (const value of old) {
      if (value === 0) continue;
      let slot = value % slots.length;
      while (slots[slot] !== 0) slot = slot + 1 === slots.length ? 0 : slot + 1;
      slots[slot] = value;
    }
    this.#slots = slots;
    old.buffer.transfer(0);
  }

  /** Frees the memory; nothing can be added any more. */
  free(): void {
    this.#slots.buffer.transfer(0);
    this.#slots = new Float64Array(0);
  }
}
