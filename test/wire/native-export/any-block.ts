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
);

export const anyBlock: fc.Arbitrary<TestBlock> = fc
  .record({
    first: fc.integer({ min: -1e12, max: 2e12 }),
    steps: fc.array(fc.oneof(fc.constant(15_000), fc.integer({ min: 0, max: 1e9 })), { minLength: 1, maxLength: 200 }),
    exponent: fc.integer({ min: -330, max: 308 }),
    timesEncoding: fc.constantFrom(...PLAIN),
    valuesEncoding: fc.constantFrom(...PLAIN),
  })
  .chain(({ first, steps, ...rest }) => {
    const times = [BigInt(first)];
    for (const step of steps) times.push((times.at(-1) as bigint) + BigInt(step));
    const mantissas = fc.array(mantissa, { minLength: times.length, maxLength: times.length });
    return mantissas.map((values) => ({ ...rest, times, mantissas: values }));
  });
