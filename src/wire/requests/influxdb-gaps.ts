// What InfluxDB leaves out of a write request without a word. Called by migration/delivery.ts, so that it can be told.

import { ProtoReader } from '../proto-reader.ts';

/**
 * How many samples of a WriteRequest InfluxDB 1.x responds with 204 and does not store: floats that are NaN (stale markers among them) or
 * infinite, and all native histograms. Throws WireError on bytes that are no WriteRequest of ours.
 */
export function countLostInInfluxdb(request: Uint8Array): number {
  const series = new ProtoReader(request);
  const entry = new ProtoReader(request, 0, 0);
  const sample = new ProtoReader(request, 0, 0);
  let lost = 0;
  while (series.nextField()) {
    if (series.field !== 1) {
      series.skip();
      continue;
    }
    series.delimited();
    entry.reset(request, series.valueStart, series.valueEnd);
    while (entry.nextField()) {
      entry.delimited();
      if (entry.field === 4) lost++;
      if (entry.field !== 2) continue;
      sample.reset(request, entry.valueStart, entry.valueEnd);
      while (sample.nextField()) {
        if (sample.field === 1) {
          if (!isFiniteDouble(request, sample.fixed64())) lost++;
        } else sample.skip();
      }
    }
  }
  return lost;
}

/** Little-endian: the exponent, all ones in what is not finite, is in the last two bytes. */
function isFiniteDouble(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at + 7] as number) & 0x7f) !== 0x7f || ((bytes[at + 6] as number) & 0xf0) !== 0xf0;
}
