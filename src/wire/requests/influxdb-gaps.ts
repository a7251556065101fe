// The samples of a write request that InfluxDB drops silently. They are counted so that they can be reported.

import { ProtoReader } from '../proto-reader.ts';

/**
 * The number of samples in a WriteRequest that InfluxDB 1.x does not store although it responds with 204: floats that are NaN (stale
 * markers too) or infinite, and all native histograms. Throws WireError if the bytes are not a WriteRequest of ours.
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

/** Little-endian: the exponent, all ones in a value that is not finite, is in the last two bytes. */
function isFiniteDouble(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at + 7] as number) & 0x7f) !== 0x7f || ((bytes[at + 6] as number) & 0xf0) !== 0xf0;
}
