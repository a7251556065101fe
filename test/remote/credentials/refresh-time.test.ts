import assert from 'node:assert/strict';
import { decideRefresh, refreshAtMs, type RefreshDecision } from '../../../src/remote/credentials/refresh-time.ts';

const minute = 60_000;

describe('the time at which a token is replaced', () => {
  const times: readonly (readonly [lifeMs: number | undefined, atMs: number])[] = [
    [60 * minute, 48 * minute],
    [5 * minute, 4 * minute],
    [4 * minute, 3 * minute],
    [2 * minute, minute],
    [minute, minute / 2],
    [10_000, 5_000],
    [undefined, Number.POSITIVE_INFINITY],
  ];
  for (const [lifeMs, atMs] of times) {
    it(`is ${atMs / 1000} s after its issue if it lives ${lifeMs === undefined ? 'forever' : `${lifeMs / 1000} s`}`, () => {
      assert.equal(refreshAtMs({ issuedMs: 0, lifeMs }), atMs);
      assert.equal(refreshAtMs({ issuedMs: 7, lifeMs }), atMs + 7);
    });
  }
});

describe('what happens with a token of one hour', () => {
  const lease = { issuedMs: 1000, lifeMs: 60 * minute };
  const cases: readonly (readonly [ageMs: number, failedAgoMs: number | undefined, RefreshDecision])[] = [
    [0, undefined, 'use'],
    [48 * minute - 1, undefined, 'use'],
    [48 * minute, undefined, 'use-and-refresh'],
    [48 * minute, 9_999, 'use'],
    [48 * minute, 10_000, 'use-and-refresh'],
    [60 * minute - 5_001, undefined, 'use-and-refresh'],
    [60 * minute - 5_000, undefined, 'wait'],
    // An expired token is of no use, however recent the failure is: the caller waits before it tries again.
    [60 * minute - 5_000, 1, 'wait'],
    [70 * minute, undefined, 'wait'],
  ];
  for (const [ageMs, failedAgoMs, decision] of cases) {
    const failure = failedAgoMs === undefined ? '' : `, ${failedAgoMs} ms after a failed request for a new one`;
    it(`after ${ageMs} ms${failure}: ${decision}`, () => {
      const nowMs = lease.issuedMs + ageMs;
      const failedMs = failedAgoMs === undefined ? undefined : nowMs - failedAgoMs;
      assert.equal(decideRefresh(lease, nowMs, failedMs), decision);
    });
  }

  it('is use, without end, if it does not expire', () => {
    assert.equal(decideRefresh({ issuedMs: 0, lifeMs: undefined }, Number.MAX_SAFE_INTEGER, undefined), 'use');
  });

  it('is wait at once if it had expired when it was issued', () => {
    assert.equal(decideRefresh({ issuedMs: 0, lifeMs: 0 }, 0, undefined), 'wait');
  });
});
