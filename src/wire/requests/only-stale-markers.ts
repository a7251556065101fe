// Recognises requests that carry only stale markers. Some destinations do not show these on read.

import { RequestCursor } from './request-cursor.ts';

/**
 * Whether every sample of an encoded WriteRequest is a stale marker, float or histogram. Throws WireError if the bytes are not a
 * WriteRequest of ours.
 */
export function hasOnlyStaleMarkers(request: Uint8Array): boolean {
  const cursor = new RequestCursor(request);
  let samples = 0;
  while (cursor.nextSeries()) {
    while (cursor.nextSample()) {
      if (!cursor.isStaleMarker) return false;
      samples++;
    }
  }
  return samples > 0;
}
