import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NO_COUNTS } from '../../../src/migration/report/counts.ts';
import { frozenEndOf, LatestMarks, markLabels, markMatchers } from '../../../src/migration/progress/progress-mark.ts';
import { selects } from '../support/remote-messages.ts';

const plan = { migration: 'monitoring/old', id: '1f', progressLabels: { cluster: 'eu', replica: '0' } };

describe('the progress series', () => {
  it('is found by its matchers, whatever its frozen end', () => {
    for (const endMs of [undefined, Date.UTC(2024, 0, 1)]) {
      assert.ok(selects(markMatchers(plan), Object.entries(markLabels(plan, endMs))));
    }
  });

  it('is not found by the matchers of another copy, nor is its probe', () => {
    const matchers = markMatchers(plan);
    const labels = markLabels(plan, undefined);
    for (const other of [{ id: '2' }, { migration: 'monitoring/new' }, { cluster: 'us' }, { probe: '1' }]) {
      assert.ok(!selects(matchers, Object.entries({ ...labels, ...other })), JSON.stringify(other));
    }
  });

  it('keeps the frozen end to the millisecond', () => {
    const endMs = Date.UTC(2024, 1, 29, 23, 59, 59, 987);
    assert.equal(frozenEndOf(markLabels(plan, endMs)), endMs);
    assert.equal(frozenEndOf(markLabels(plan, undefined)), undefined);
    assert.equal(frozenEndOf({ end: 'tomorrow' }), undefined);
  });

  it('does not let the user set the labels for the metric name and the migration', () => {
    const labels = markLabels(
      { ...plan, progressLabels: { __name__: 'x', migration: 'y', id: 'z', shard: '9' } },
      undefined,
    );
    assert.deepEqual(labels, { __name__: 'prom_migrator_progress', migration: 'monitoring/old', id: '1f', shard: '0' });
  });
});

describe('the latest mark', () => {
  type Sample = [labels: Record<string, string>, timeMs: number, value: number];
  const latestOf = (...samples: Sample[]) => {
    const latest = new LatestMarks();
    for (const sample of samples) latest.add(...sample);
    return latest.latest;
  };
  const mark: Sample = [{}, 2000, 7];
  const beside: Sample[] = [
    [{ count: 'read' }, 2000, 9],
    [{ count: 'written' }, 2000, 7],
    [{ count: 'rejected_too_old' }, 2000, 2],
    [{ count: 'windows' }, 2000, 3],
  ];
  const counts = {
    ...NO_COUNTS,
    samplesRead: 9,
    samplesWritten: 7,
    samplesRejected: { too_old: 2 },
    windows: 3,
  };

  it('is the latest in time, the first of two with the same time, and includes its frozen end', () => {
    const end = new Date(5000).toISOString();
    assert.equal(latestOf(), undefined);
    assert.equal(latestOf([{}, 1000, 1], [{ end }, 3000, 2], [{}, 3000, 4], [{}, 2000, 3])?.samples, 2);
    assert.equal(latestOf([{ end }, 3000, 2])?.endMs, 5000);
  });

  it('has its counts, in whatever order the series are returned', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([mark, ...beside], { minLength: 5 }), (samples) => {
        assert.deepEqual(latestOf(...samples), { shard: '0', throughMs: 2000, samples: 7, endMs: undefined, counts });
      }),
    );
  });

  it('does not use the counts of another mark', () => {
    const earlier = beside.map(([labels, , value]): Sample => [labels, 1000, value]);
    const later = beside.map(([labels, , value]): Sample => [labels, 3000, value]);
    for (const others of [earlier, later]) {
      assert.equal(latestOf(mark, ...others)?.counts, undefined);
      assert.deepEqual(latestOf(...others, mark, ...beside)?.counts, counts);
      assert.deepEqual(latestOf(...beside, ...others, mark)?.counts, counts);
    }
  });

  it('of an older version has unknown counts, not zero', () => {
    assert.deepEqual(latestOf(mark), { shard: '0', throughMs: 2000, samples: 7, endMs: undefined, counts: undefined });
  });
});
