// Finds where a stream can be cut so that no series is on both sides. A server may send the chunks of one series in several frames.

import { WireError } from '../errors.ts';
import { ProtoReader } from '../proto-reader.ts';
import { FrameCursor } from './frame-cursor.ts';
import { SeriesEntry } from './series-entry.ts';

const EMPTY = new Uint8Array(0);
const SERIES = 1;

/**
 * Where the last frame in the last segment begins whose first series differs from the series before it. The series before that place are
 * complete if equal labels are adjacent.
 * @param segments whole frames, as FrameCollector keeps them
 * @returns an offset in the last segment; undefined if there is no such place in it, or if the frames are malformed
 */
export function lastSeriesBorder(segments: readonly Uint8Array[]): number | undefined {
  const last = segments.at(-1);
  if (last === undefined) return undefined;
  try {
    const inside = walk(last, undefined).border;
    const before = segments.at(-2);
    if (inside !== undefined || before === undefined) return inside;
    return walk(last, walk(before, undefined).labels).border;
  } catch (error) {
    // The cursor that decodes the frames reports it.
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

interface Walked {
  readonly border: number | undefined;
  /** Of the last series. */
  readonly labels: Uint8Array | undefined;
}

/** @param before the labels of the series before the segment, if they are known */
function walk(segment: Uint8Array, before: Uint8Array | undefined): Walked {
  const frames = new FrameCursor([segment]);
  const frame = new ProtoReader(EMPTY);
  const entry = new SeriesEntry();
  let labels = before;
  let border: number | undefined;
  for (let start = 0; frames.next(); start = frames.end) {
    frame.reset(segment, frames.start, frames.end);
    let isFirst = true;
    while (frame.nextField()) {
      if (frame.field !== SERIES) {
        frame.skip();
        continue;
      }
      frame.delimited();
      entry.read(frame);
      if (isFirst && labels !== undefined && Buffer.compare(labels, entry.labels) !== 0) border = start;
      isFirst = false;
      labels = entry.labels;
    }
  }
  return { border, labels };
}
