// The samples of a write request that InfluxDB drops silently. They are counted so that they can be reported.

import { RequestCursor } from './request-cursor.ts';

/**
 * The number of samples in a WriteRequest that InfluxDB 1.x does not store although it responds with 204: floats that are NaN (stale
 * markers too) or infinite, and all native histograms. Throws WireError if the bytes are not a WriteRequest of ours.
 */
export function countLostInInfluxdb(request: Uint8Array): number {
  const cursor = new RequestCursor(request);
  let lost = 0;
  while (cursor.nextSeries()) {
    while (cursor.nextSample()) if (!cursor.isFiniteFloat) lost++;
  }
  return lost;
}
