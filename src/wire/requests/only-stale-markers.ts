// Recognises requests that carry nothing but the end of a series. Called by migration/delivery.ts, for destinations that do not show it.

import { ProtoReader } from '../proto-reader.ts';
import { isStaleMarker } from '../stale-marker.ts';

/** Whether every sample of an encoded WriteRequest is a stale marker, float or histogram. Throws WireError on bytes that are none of ours. */
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

/** Whether the Sample or Histogram message in [start, end) is a stale marker: the value of the one, the sum of the other says so. */
export function endsSeries(bytes: Uint8Array, start: number, end: number, isHistogram: boolean): boolean {
  const field = isHistogram ? 3 : 1;
  const reader = new ProtoReader(bytes, start, end);
  while (reader.nextField()) {
    if (reader.field === field) return isStaleMarker(bytes, reader.fixed64());
    reader.skip();
  }
  return false;
}
