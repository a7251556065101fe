import assert from 'node:assert/strict';
import fc from 'fast-check';

import { retryDelayMs } from '../../src/remote/retry-delay.ts';

const almostOne = () => 1 - Number.EPSILON;

describe('retryDelayMs', () => {
  for (const [attempt, ceilingMs] of [
    [1, 500],
    [2, 1000],
    [3, 2000],
    [6, 16_000],
    [7, 30_000],
    [100, 30_000],
    [1_000_000, 30_000],
  ] as const) {
    it(`spreads attempt ${attempt} over ${ceilingMs} ms`, () => {
      assert.equal(
        retryDelayMs(attempt, () => 0),
        0,
      );
      assert.equal(
        retryDelayMs(attempt, () => 0.5),
        ceilingMs / 2,
      );
      assert.equal(retryDelayMs(attempt, almostOne), ceilingMs - 1);
    });
  }

  it('never retries before the delay requested by the server, nor long after it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 300_000 }),
        (attempt, random, retryAfterMs) => {
          const delayMs = retryDelayMs(attempt, () => random, retryAfterMs);
          assert.ok(Number.isInteger(delayMs) && delayMs >= retryAfterMs && delayMs < retryAfterMs + 500);
        },
      ),
    );
  });
});
