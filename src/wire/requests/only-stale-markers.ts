// Recognises requests that carry only stale markers. Some destinations do not show these on read.

import { ProtoReader } from '../proto-reader.ts';
import { isStaleMarker } from '../stale-marker.ts';

/**
 * Whether every sample of an encoded WriteRequest is a stale marker, float or histogram. Throws WireError if the bytes are not a
 * WriteRequest of ours.
 */
export function hasOnlyStaleMarkers(request: Uint8Array): boolean {
  const series = new ProtoReader(request);
  const entry = new ProtoReader(request, 0, 0);
  let samples = 0;
  while (series.nextField()) {
    if (series.field !== 1) {
      series.skip();
      continue;
    }
    series.delimited();
    entry.reset(request, series.valueStart, series.valueEnd);
    while (entry.nextField()) {
      entry.delimited();
      const isSample = entry.field === 2;
      if (!isSample && entry.field !== 4) continue;
      samples++;
      if (!endsSeries(request, entry.valueStart, entry.valueEnd, !isSample)) return false;
    }
  }
  return samples > 0;
}

/** Whether the Sample or Histogram message in [start, end) is a stale marker. The value of a Sample or the sum of a Histogram decides. */
export function endsSeries(bytes: Uint8Array, start: number, end: number, isHistogram: boolean): boolean {
  const at = positionOfDouble(bytes, start, end, isHistogram ? 3 : 1);
  return at !== undefined && isStaleMarker(bytes, at);
}

/** Whether the value of the Sample message in [start, end) is a NaN other than the stale marker. */
export function isOrdinaryNan(bytes: Uint8Array, start: number, end: number): boolean {
  const at = positionOfDouble(bytes, start, end, 1);
  if (at === undefined || isStaleMarker(bytes, at)) return false;
  return Number.isNaN(new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true));
}

function positionOfDouble(bytes: Uint8Array, start: number, end: number, field: number): number | undefined {
  const reader = new ProtoReader(bytes, start, end);
  while (reader.nextField()) {
    if (reader.field === field) return reader.fixed64();
    reader.skip();
  }
  return undefined;
}
