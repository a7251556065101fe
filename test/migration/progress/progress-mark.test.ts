import assert from 'node:assert/strict';
import {
  formatSelector,
  frozenEndOf,
  laterMark,
  type Mark,
  markLabels,
  markMatchers,
  uncertainMs,
} from '../../../src/migration/progress/progress-mark.ts';
import { selects } from '../support/remote-messages.ts';

const plan = { migration: 'monitoring/old', id: '1f', progressLabels: { cluster: 'eu', replica: '0' } };

describe('the progress series', () => {
  it('is found by its matchers, whatever end it was frozen at', () => {
    for (const endMs of [undefined, Date.UTC(2024, 0, 1)]) {
      assert.ok(selects(markMatchers(plan), Object.entries(markLabels(plan, endMs))));
    }
  });

  it('is not found by those of another copy, nor is the probe beside it', () => {
    const matchers = markMatchers(plan);
    const labels = markLabels(plan, undefined);
    for (const other of [
      { id: '2' },
      { migration: 'monitoring/new' },
      { cluster: 'us' },
      { shard: '1' },
      { probe: '1' },
    ]) {
      assert.ok(!selects(matchers, Object.entries({ ...labels, ...other })), JSON.stringify(other));
    }
  });

  it('keeps the frozen end to the millisecond', () => {
    const endMs = Date.UTC(2024, 1, 29, 23, 59, 59, 987);
    assert.equal(frozenEndOf(markLabels(plan, endMs)), endMs);
    assert.equal(frozenEndOf(markLabels(plan, undefined)), undefined);
    assert.equal(frozenEndOf({ end: 'tomorrow' }), undefined);
  });

  it('lets the user name neither the metric nor the migration', () => {
    const labels = markLabels(
      { ...plan, progressLabels: { __name__: 'x', migration: 'y', id: 'z', shard: '9' } },
      undefined,
    );
    assert.deepEqual(labels, { __name__: 'prom_migrator_progress', migration: 'monitoring/old', id: '1f', shard: '0' });
  });
});

describe('of two marks', () => {
  const at = (throughMs: number): Mark => ({ throughMs, samples: 1, endMs: undefined });
  it('the later one counts, the first of two at one time', () => {
    const [early, late, same] = [at(1), at(2), at(2)];
    assert.equal(laterMark(early, late), late);
    assert.equal(laterMark(late, early), late);
    assert.equal(laterMark(late, same), late);
    assert.equal(laterMark(undefined, early), early);
    assert.equal(laterMark(early, undefined), early);
    assert.equal(laterMark(undefined, undefined), undefined);
  });
});

describe('a PromQL selector', () => {
  it('quotes values, and names that are no identifiers', () => {
    const text = formatSelector([
      { kind: '=', name: '__name__', value: 'a"b\\c\nd' },
      { kind: '!~', name: 'dotted.name', value: 'x|y' },
    ]);
    assert.equal(text, '{__name__="a\\"b\\\\c\\nd","dotted.name"!~"x|y"}');
  });
});

describe('what is uncertain behind a mark', () => {
  it('is half an hour in order and a day otherwise, whatever the windows are now', () => {
    assert.equal(uncertainMs('InOrder'), 30 * 60_000);
    assert.equal(uncertainMs('Any'), 24 * 3_600_000);
  });
});
