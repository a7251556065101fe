// A set of series by the hash of their labels, 16 bytes a series: tells whether a response names a label set twice without holding the
// label sets. A false "twice" (two label sets of one 52-bit hash) only costs the slower way through the merge.

/** Of memory for each series that there is room for. */
export const BYTES_PER_SERIES = 16;

export class SeriesHashes {
  #slots: Float64Array<ArrayBuffer>;
  #size = 0;

  /** @param room how many series it takes before it has to grow */
  constructor(room: number) {
    this.#slots = new Float64Array(2 * room);
  }

  get bytes(): number {
    return this.#slots.byteLength;
  }

  get size(): number {
    return this.#size;
  }

  /** How many series it takes; `grow` has to be called before there are more. */
  get room(): number {
    return this.#slots.length / 2;
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
    if (this.#size === this.room) throw new RangeError(`there is no room for more than ${this.room} series`);
    this.#slots[slot] = value;
    this.#size++;
    return true;
  }

  /** Until it returns, the memory before and after are both there. */
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

  /** Gives the memory up; nothing can be added any more. */
  free(): void {
    this.#slots.buffer.transfer(0);
    this.#slots = new Float64Array(0);
  }
}
