// Where an entry is in a response that consists of several pieces of memory, as one number.

import type { ProtoReader } from '../proto-reader.ts';
import type { SeriesEntry } from './series-entry.ts';

/** @param tagStart where an entry begins that was read before, so that its end is known to be inside the message */
export function seekEntry(reader: ProtoReader, bytes: Uint8Array, tagStart: number, entry: SeriesEntry): void {
  reader.reset(bytes, tagStart, bytes.length);
  reader.nextField();
  reader.delimited();
  entry.read(reader);
}

/** Where each segment begins, if all of them are thought of as one text. */
export function offsetsOf(segments: readonly Uint8Array[]): number[] {
  const offsets: number[] = [];
  let bytes = 0;
  for (const { length } of segments) {
    offsets.push(bytes);
    bytes += length;
  }
  return offsets;
}

/** The index of the last of the ascending `offsets` that is not greater than `place`. */
export function lastNotAfter(offsets: readonly number[], place: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((offsets[middle] as number) <= place) low = middle;
    else high = middle - 1;
  }
  return low;
}
