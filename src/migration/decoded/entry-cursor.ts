// Moves over the entries of a response that is kept in memory.

export abstract class EntryCursor {
  /** −1 before the first entry. */
  protected entry = -1;

  protected abstract readonly entries: number;
  protected abstract readonly labelBytes: Uint8Array;
  /** Where each entry's labels end. */
  protected abstract readonly labelEnds: Uint32Array;

  next(): boolean {
    if (this.entry + 1 >= this.entries) return false;
    this.entry++;
    return true;
  }

  rewind(): void {
    this.entry = -1;
  }

  get place(): number {
    return this.entry;
  }

  seek(place: number): void {
    this.entry = place;
  }

  get labels(): Uint8Array {
    return this.labelBytes.subarray(this.labelEnds[this.entry - 1] ?? 0, this.labelEnds[this.entry]);
  }
}
