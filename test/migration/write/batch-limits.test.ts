// How large requests may be, after the destination has refused some.
import assert from 'node:assert/strict';
import { BatchLimits } from '../../../src/migration/write/batch-limits.ts';

const MINUTE_MS = 60_000;
const limitsOf = () =>
  new BatchLimits({ samplesPerWrite: 8000, samplesPerSecond: undefined, bytesPerSecond: undefined } as never);

describe('the limits of a batch', () => {
  it('stay lower for a destination that refuses requests by their size', () => {
    const limits = limitsOf();
    limits.lowerBySize({ bytes: 400_000, samples: 8000 });
    for (let atMs = 0; atMs < 600 * MINUTE_MS; atMs += MINUTE_MS) limits.accepted(4000, atMs);
    assert.deepEqual([limits.maxSamples, limits.maxBytes], [4000, 200_000]);
  });

  it('grow again after a rate limit, when requests of the lower size were accepted for a while', () => {
    const limits = limitsOf();
    limits.lowerByRate(8000, 0);
    limits.lowerByRate(4000, 0);
    assert.equal(limits.maxSamples, 2000);
    limits.accepted(2000, MINUTE_MS - 1);
    assert.equal(limits.maxSamples, 2000);
    limits.accepted(2000, MINUTE_MS);
    assert.equal(limits.maxSamples, 4000);
    // Small requests say nothing about large ones.
    limits.accepted(100, 10 * MINUTE_MS);
    assert.equal(limits.maxSamples, 4000);
    limits.accepted(4000, 10 * MINUTE_MS);
    assert.equal(limits.maxSamples, 8000);
  });

  it('are tested more rarely, the more often the destination refuses the larger size', () => {
    const limits = limitsOf();
    limits.lowerByRate(8000, 0);
    const grownAfter: number[] = [];
    let atMs = 0;
    for (let i = 0; i < 5; i++) {
      const sinceMs = atMs;
      for (; limits.maxSamples === 4000; atMs += 1000) limits.accepted(4000, atMs);
      grownAfter.push(Math.round((atMs - sinceMs) / MINUTE_MS));
      limits.lowerByRate(8000, atMs);
    }
    assert.deepEqual(grownAfter, [1, 4, 16, 60, 60]);
  });

  it('never exceed those of the manifest', () => {
    const limits = limitsOf();
    limits.lowerByRate(1, 0);
    for (let atMs = 0; atMs < 600 * MINUTE_MS; atMs += MINUTE_MS) limits.accepted(limits.maxSamples, atMs);
    assert.equal(limits.maxSamples, 8000);
  });
});
