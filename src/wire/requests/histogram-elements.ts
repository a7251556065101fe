// The native histograms of a `prometheus.WriteRequest` as elements of its snappy block. Successive histograms of a series have the same layout
// and mostly the same numbers, so each is compared with the one before it, byte by byte. kernel/histogram-elements.ts writes the same bytes.

import { REACH_BYTES, type SnappyWriter } from '../snappy/snappy-writer.ts';

const SHORTEST_COPY = 4;
/** The first histogram of a run is compared with itself: its numbers are doubles, many of them equal. */
const DOUBLE_BYTES = 8;
/** Reset hint and timestamp end a message. If two messages differ in length, these are compared from the end. */
const TAIL_BYTES = 9;

/**
 * Writes the fields [from, to) of `bytes`, each a histogram with its tag and length. Field i ends at `ends[i]`.
 * @param start where the first one begins
 */
export function writeHistograms(
  block: SnappyWriter,
  { bytes, ends }: { readonly bytes: Uint8Array; readonly ends: ArrayLike<number> },
  start: number,
  { from, to }: { readonly from: number; readonly to: number },
): void {
  const elements = new Elements(block, bytes, start);
  let at = start;
  let before = 0;
  for (let i = from; i < to; i++) {
    const end = ends[i] as number;
    const length = end - at;
    if (before === 0) elements.compare(Math.min(at + DOUBLE_BYTES, end), end, DOUBLE_BYTES);
    else if (length === before) elements.compare(at, end, length);
    else {
      const tail = Math.max(at, end - TAIL_BYTES);
      elements.compare(at, tail, before);
      // The tail is compared with what lies before this histogram.
      if (before >= TAIL_BYTES) elements.compare(tail, end, length);
    }
    before = length;
    at = end;
  }
  elements.finish(at);
}

class Elements {
  readonly #block: SnappyWriter;
  readonly #bytes: Uint8Array;
  /** What is not written yet begins here. */
  #written: number;

  constructor(block: SnappyWriter, bytes: Uint8Array, start: number) {
    this.#block = block;
    this.#bytes = bytes;
    this.#written = start;
  }

  /** Copies the runs of [start, end) that equal the bytes at this distance before them. */
  compare(start: number, end: number, distance: number): void {
    if (distance >= REACH_BYTES) return;
    const bytes = this.#bytes;
    for (let at = start; at < end; at++) {
      const first = at;
      while (at < end && bytes[at] === bytes[at - distance]) at++;
      if (at - first < SHORTEST_COPY) continue;
      this.#block.literal(bytes, this.#written, first);
      this.#block.copy(at - first, distance);
      this.#written = at;
    }
  }

  finish(end: number): void {
    this.#block.literal(this.#bytes, this.#written, end);
  }
}
