import assert from 'node:assert/strict';
import { stretchesIn, stretchFields } from '../../../src/operator/judge/status-stretches.ts';

const startMs = Date.UTC(2025, 0, 1);
const failed = { startMs, code: 'samples-rejected', message: 'too old' };
const shown = { stretch: '2025-01-01T00:00:00Z', reason: 'samples-rejected', message: 'too old' };

describe('the stretches in the status', () => {
  it('name those that have failed, ten at most', () => {
    const of = (count: number) =>
      stretchFields({ total: 12, finished: 3, running: [], failed: Array.from({ length: count }, () => failed) }, true);
    assert.deepEqual(of(1), { total: 12, finished: 3, running: 0, failed: [shown] });
    assert.equal(of(11).failed?.length, 10);
    assert.equal(of(0).failed, undefined);
  });

  it('are taken over from an earlier operator, without those that ran', () => {
    assert.deepEqual(stretchesIn({ total: 12, finished: 3, running: 4, failed: [shown] }), {
      total: 12,
      finished: 3,
      running: [],
      failed: [failed],
    });
    assert.equal(stretchesIn(undefined), undefined);
  });
});
