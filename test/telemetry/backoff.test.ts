import assert from 'node:assert/strict';
import { backoffMs, fullJitter, halfJitter } from '../../src/telemetry/backoff.ts';

describe('a back-off', () => {
  const backoff = { firstMs: 500, maxMs: 30_000 };

  it('doubles from the first delay to the maximum', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 7, 8].map((failures) => backoffMs(backoff, failures)),
      [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000],
    );
  });

  it('stays finite after years of failures, and before the first', () => {
    assert.equal(backoffMs(backoff, 1e9), 30_000);
    assert.equal(backoffMs({ firstMs: 1, maxMs: Number.POSITIVE_INFINITY }, 1e9), 2 ** 30);
    assert.equal(backoffMs(backoff, 0), 500);
  });

  it('is spread over the whole delay, or over its upper half', () => {
    const almostOne = () => 1 - Number.EPSILON;
    assert.deepEqual([fullJitter(1000, () => 0), fullJitter(1000, almostOne)], [0, 999]);
    assert.deepEqual([fullJitter(1000, () => 0, 400), fullJitter(1000, almostOne, 400)], [400, 999]);
    assert.equal(fullJitter(300, almostOne, 400), 400);
    assert.deepEqual([halfJitter(1000, () => 0), halfJitter(1000, () => 0.5)], [500, 750]);
  });
});
