// Finds where a stream can be cut so that no series is on both sides. A server may send the chunks of one series in several frames.

import { WireError } from '../errors.ts';
import { compareLabels } from '../label-order.ts';
import { canonicalLabels, type LabelBytes } from '../labels.ts';
import { ProtoReader } from '../proto-reader.ts';
import { FrameCursor } from './frame-cursor.ts';
import type { FramePlace } from './frames.ts';
import { SeriesEntry } from './series-entry.ts';

const EMPTY = new Uint8Array(0);
const SERIES = 1;
const LABELS = 1;

/**
 * Where the last frame in the last segment begins whose first series differs from the series before it. The series before that place are
 * complete if equal labels are adjacent.
 * @param segments whole frames, as FrameCollector keeps them
 * @returns a place in the last segment; undefined without one, or if the frames are malformed
 */
export function lastSeriesBorder(segments: readonly Uint8Array[]): FramePlace | undefined {
  const last = segments.at(-1);
  if (last === undefined) return undefined;
  try {
    let at = walk(last, undefined).border;
    const before = segments.at(-2);
    if (at === undefined && before !== undefined) at = walk(last, walk(before, undefined).labels).border;
    return at === undefined ? undefined : { segment: segments.length - 1, at };
  } catch (error) {
    // The cursor that decodes the frames reports it.
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/**
 * The first frame whose first series does not come before `labels`, if the frames are sorted by their series.
 * @param from the frames before it were looked at before
 * @returns undefined without one, or if the frames are malformed
 */
export function firstFrameFrom(
  segments: readonly Uint8Array[],
  labels: LabelBytes,
  from: FramePlace,
): FramePlace | undefined {
  try {
    for (let segment = from.segment; segment < segments.length; segment++) {
      const offset = segment === from.segment ? from.at : 0;
      const bytes = (segments[segment] as Uint8Array).subarray(offset);
      if (endsBefore(bytes, labels)) continue;
      const frames = new FrameCursor([bytes]);
      for (let start = 0; frames.next(); start = frames.end) {
        const first = firstLabels(frames);
        if (first !== undefined && compareLabels(first, labels) >= 0) return { segment, at: offset + start };
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Whether the last frame begins with a series that comes before `labels`: then those before it do, too. */
function endsBefore(segment: Uint8Array, labels: LabelBytes): boolean {
  const frames = new FrameCursor([segment]);
  let isAny = false;
  while (frames.next()) isAny = true;
  const last = isAny ? firstLabels(frames) : undefined;
  return last !== undefined && compareLabels(last, labels) < 0;
}

/** The labels of the first series, in memory of their own; undefined without a series. @throws WireError */
export function firstSeriesLabels(segments: readonly Uint8Array[]): LabelBytes | undefined {
  const frames = new FrameCursor(segments);
  while (frames.next()) {
    const labels = firstLabels(frames);
    if (labels !== undefined) return labels.slice();
  }
  return undefined;
}

/** Of the first series in a frame. */
function firstLabels({ segment, start, end }: FrameCursor): LabelBytes | undefined {
  const frame = new ProtoReader(segment, start, end);
  while (frame.nextField()) {
    if (frame.field === SERIES) {
      frame.delimited();
      return canonicalLabels(leadingLabels(segment, frame.valueStart, frame.valueEnd));
    }
    frame.skip();
  }
  return undefined;
}

/** The labels at the beginning of a series. No known server writes them anywhere else; if one does, this is not all of them. */
function leadingLabels(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const reader = new ProtoReader(bytes, start, end);
  let labelsEnd = start;
  while (reader.nextField() && reader.field === LABELS) {
    reader.delimited();
    labelsEnd = reader.position;
  }
  return bytes.subarray(start, labelsEnd);
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
