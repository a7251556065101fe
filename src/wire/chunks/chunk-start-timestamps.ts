// The start timestamps that the XOR2 and ST histogram chunks store after their samples. Remote write 1.0 has no field for them: this code
// skips them and keeps only whether one was present.

import type { BitReader } from './bit-reader.ts';

/** The state of one chunk's start timestamps. The header byte says at which sample they begin. */
export class StartTimestamps {
  /** Whether the current sample has a start timestamp. */
  present = false;
  /** A start timestamp follows each sample from this index on. 0 if the chunk has no start timestamps. */
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

  /** Reads the start timestamp after sample `index`, if the chunk has one there. Throws WireError 'truncated'. */
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
