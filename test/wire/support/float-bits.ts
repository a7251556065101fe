// 64-bit values as BigInts for tests: those that JavaScript numbers would change, and the samples of columns in this form.

import fc from 'fast-check';
import type { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { type ChunkSample, staleBits } from './chunk-encoder.ts';

/** Stale marker, the ordinary NaN, NaNs with payload and sign, both zeros, both infinities, denormals, ordinary numbers. */
export const notableBits: readonly bigint[] = [
  staleBits,
  0x7ff8_0000_0000_0001n,
  0x7ff8_0000_0000_0000n,
  0x7ff0_0000_dead_beefn,
  0xffff_ffff_ffff_ffffn,
  0x0000_0000_0000_0000n,
  0x8000_0000_0000_0000n,
  0x7ff0_0000_0000_0000n,
  0xfff0_0000_0000_0000n,
  0x0000_0000_0000_0001n,
  0x3ff0_0000_0000_0000n,
  0x4059_0000_0000_0000n,
];

export const anyBits: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(...notableBits),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

export function addFloats(columns: SampleColumns, samples: readonly ChunkSample[]): void {
  for (const { timeMs, bits } of samples) {
    columns.addFloat(timeMs, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  }
}

export function floatsOf(columns: SampleColumns): ChunkSample[] {
  return Array.from({ length: columns.floats }, (_, index) => ({
    timeMs: columns.floatTimesMs[index]!,
    bits: (BigInt(columns.floatBits[2 * index + 1]!) << 32n) | BigInt(columns.floatBits[2 * index]!),
  }));
}
