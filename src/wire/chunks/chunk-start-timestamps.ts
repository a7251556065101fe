// The start timestamps that the XOR2 and ST histogram chunks carry behind their samples. Remote write 1.0 has no place for them:
// they are read past, and only whether one is there is kept. Used by the chunk decoders.

import type { BitReader } from './bit-reader.ts';

/** The state of one chunk's start timestamps, from the header byte that says where they begin. */
export class StartTimestamps {
  /** Whether the current sample has a start timestamp. */
  present = false;
  /** From which sample index on each sample is followed by one; 0 when none is. */
  readonly changeOn: number;
  readonly changes: boolean;
  readonly #first: boolean;
  // The previous sample's time minus the start timestamp.
  #distanceMs = 0;

  constructor(header: number) {
    this.#first = (header & 0x80) !== 0;
    this.changeOn = header & 0x7f;
    this.changes = this.changeOn > 0;
  }

  /** Reads what follows sample `index`, if anything does. Throws WireError 'truncated'. */
  read(reader: BitReader, index: number, timeMs: number, previousMs: number): void {
    if (index === 0) {
      if (!this.#first) return;
      reader.varint();
      this.present = timeMs - reader.signed() !== 0;
      return;
    }
    if (!this.changes || index < this.changeOn) return;
    reader.varbitInt();
    this.#distanceMs += reader.signed();
    // Prometheus writes a start timestamp of 0, which means none, at sample 127 of every longer chunk.
    this.present = previousMs - this.#distanceMs !== 0;
  }
}
