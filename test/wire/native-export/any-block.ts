// Blocks with all encodings, and integers of all sizes.

import fc from 'fast-check';
import { ENCODING } from '../../../src/wire/native-export/integers.ts';
import type { TestBlock } from './encoder.ts';

export const INFINITE = 2n ** 63n - 1n;
export const STALE_MANTISSA = 2n ** 63n - 2n;
export const NEGATIVE_INFINITE = -(2n ** 63n);

const PLAIN = [ENCODING.delta, ENCODING.delta2, ENCODING.zstdDelta, ENCODING.zstdDelta2];

const mantissa = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }),
  fc.bigInt({ min: -1000n, max: 1000n }),
  fc.constantFrom(INFINITE, STALE_MANTISSA, NEGATIVE_INFINITE, 2n ** 53n, -(2n ** 53n), 2n ** 53n - 1n),
  fc.constantFrom(2n ** 51n, 2n ** 51n - 1n, -(2n ** 51n), -(2n ** 51n) - 1n, 0n),
);
/** Differences that take one byte each, nearly all of them. */
const steadyMantissa = fc.oneof({ weight: 30, arbitrary: fc.bigInt({ min: -9n, max: 9n }) }, mantissa);

const anyStep = fc.oneof(fc.constant(15_000), fc.integer({ min: 0, max: 1e9 }));
const steadyStep = fc.oneof({ weight: 30, arbitrary: fc.constant(15_000) }, fc.integer({ min: 0, max: 30_000 }));

export const anyBlock: fc.Arbitrary<TestBlock> = fc
  .record({
    first: fc.oneof(fc.integer({ min: -1e12, max: 2e12 }), fc.constantFrom(0, 2 ** 52 - 3_000_000, 2 ** 52)),
    steps: fc.oneof(
      fc.array(anyStep, { minLength: 1, maxLength: 200 }),
      fc.array(steadyStep, { minLength: 1, maxLength: 200 }),
    ),
    exponent: fc.integer({ min: -330, max: 308 }),
    timesEncoding: fc.constantFrom(...PLAIN),
    valuesEncoding: fc.constantFrom(...PLAIN),
  })
  .chain(({ first, steps, ...rest }) => {
    const times = [BigInt(first)];
    for (const step of steps) times.push((times.at(-1) as bigint) + BigInt(step));
    const length = { minLength: times.length, maxLength: times.length };
    const mantissas = fc.oneof(fc.array(mantissa, length), fc.array(steadyMantissa, length));
    return mantissas.map((values) => ({ ...rest, times, mantissas: values }));
  });
