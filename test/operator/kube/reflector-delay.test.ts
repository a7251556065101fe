// The delay before the reflector retries a list or a watch.

import assert from 'node:assert/strict';
import { KubeApiError } from '../../../src/operator/kube/kube-errors.ts';
import { reconnectDelayMs } from '../../../src/operator/kube/reflector.ts';

describe('the delay before a list or watch is retried', () => {
  const notFound = new KubeApiError({ status: 404, reason: 'NotFound', message: '' });
  const busy = (retryAfterMs: number) =>
    new KubeApiError({ status: 429, reason: 'TooManyRequests', message: '', retryAfterMs });
  const cases: [failures: number, random: number, failure: unknown, delayMs: number][] = [
    [1, 0, undefined, 500],
    [1, 1, undefined, 1_000],
    [4, 0, undefined, 500],
    [4, 1, undefined, 8_000],
    [100, 1, undefined, 30_000],
    [100, 1, notFound, 10_000],
    [1, 0, busy(1_000), 1_000],
    [1, 0.5, busy(1_000), 1_250],
    [10, 1, busy(1_000), 30_000],
    [1, 0, busy(1e12), 3_600_000],
  ];
  for (const [failures, random, failure, delayMs] of cases) {
    it(`is ${delayMs} ms after ${failures} failures with random ${random} and ${failure ?? 'no response'}`, () => {
      assert.equal(
        reconnectDelayMs(failures, () => random, failure),
        delayMs,
      );
    });
  }
});
