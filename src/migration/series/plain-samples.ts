// Estimates what a plain response (SAMPLES) may have lost in the source's encoder, from the samples that arrived. Pure.

import { ProtoReader } from '../../wire/proto-reader.ts';
import type { SampleColumns } from '../../wire/sample-columns.ts';

/** Fields of `prometheus.Histogram`. */
const SUM = 3;
const SCHEMA = 4;
const CUSTOM_VALUES = 16;
/** Schema −53, custom buckets, as a zigzag varint. */
const CUSTOM_BUCKETS = 105;

/**
 * How many of these samples of a plain response may differ from what the source has. It is an upper bound: Go's protobuf omits a value that
 * equals 0, so a 0 that arrived was a 0 or a −0, and the same applies to a histogram's sum. A histogram with custom buckets that arrives
 * without bounds (Prometheus 3.5) has lost them, unless it has one bucket only.
 */
export function alteredAtMost({ floats, floatBits, histograms }: SampleColumns): number {
  let samples = 0;
  for (let i = 0; i < floats * 2; i += 2) if (floatBits[i] === 0 && floatBits[i + 1] === 0) samples++;
  for (const histogram of histograms) if (mayBeAltered(histogram)) samples++;
  return samples;
}

function mayBeAltered(message: Uint8Array): boolean {
  const reader = new ProtoReader(message);
  let hasSum = false;
  let hasBounds = false;
  let isCustom = false;
  while (reader.nextField()) {
    const { field } = reader;
    if (field === SCHEMA) {
      isCustom = reader.int64() === CUSTOM_BUCKETS;
      continue;
    }
    if (field === SUM) hasSum = true;
    if (field === CUSTOM_VALUES) hasBounds = true;
    reader.skip();
  }
  return !hasSum || (isCustom && !hasBounds);
}
