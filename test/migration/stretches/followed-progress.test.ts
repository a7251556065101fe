// The progress of stretches that are copied elsewhere, from their marks.

import assert from 'node:assert/strict';
import { divide } from '../../../src/migration/plan/stretches.ts';
import type { Mark } from '../../../src/migration/progress/progress-mark.ts';
import { countsOfAllRuns, NO_COUNTS } from '../../../src/migration/report/counts.ts';
import type { FoundStretches } from '../../../src/migration/stretches/find-stretches.ts';
import { FollowedProgress } from '../../../src/migration/stretches/followed-progress.ts';
import { epochMs, hourMs } from '../support/plan.ts';

const range = { startMs: epochMs, endMs: epochMs + 4 * hourMs };
const lengthMs = 2 * hourMs;

function mark(fromHours: number, toHours: number): Mark {
  const shard = fromHours === 0 ? '0' : new Date(epochMs + fromHours * hourMs).toISOString();
  const samples = 10 * (toHours - fromHours);
  const counts = { ...NO_COUNTS, samplesRead: samples, samplesWritten: samples };
  return { shard, throughMs: epochMs + toHours * hourMs - 1, samples, counts, endMs: undefined };
}

function withoutCounts(fromHours: number, toHours: number): Mark {
  return { ...mark(fromHours, toHours), counts: undefined };
}

function following(marks: readonly Mark[]): FollowedProgress {
  const division = divide({ range, lengthMs, marks, uncertainMs: 0, startMayHoldSamples: false });
  const found: FoundStretches = { ...division, range, lengthMs, frozenEndMs: undefined, marks };
  return new FollowedProgress(found, 'Copy');
}

function writtenByAll({ progress }: FollowedProgress): number | undefined {
  return countsOfAllRuns(progress)?.samplesWritten;
}

describe('the counts of a migration that is followed', () => {
  it('are those of all shards', () => {
    const followed = following([mark(0, 1)]);
    assert.deepEqual([writtenByAll(followed), followed.progress.samplesWritten], [10, 0]);
    followed.look([mark(0, 2), mark(2, 3)]);
    assert.deepEqual([writtenByAll(followed), followed.progress.samplesWritten], [30, 20]);
  });

  it('never decrease while the counts beside a mark are not visible yet', () => {
    const followed = following([]);
    followed.look([mark(0, 1), mark(2, 3)]);
    followed.look([withoutCounts(0, 2), mark(2, 3)]);
    assert.equal(writtenByAll(followed), 20);
    followed.look([mark(0, 2), mark(2, 3)]);
    assert.equal(writtenByAll(followed), 30);
  });

  it('are known while those of a stretch that has just begun are not visible yet', () => {
    const followed = following([mark(0, 1)]);
    followed.look([mark(0, 2), withoutCounts(2, 3)]);
    assert.deepEqual([writtenByAll(followed), followed.progress.samplesWritten], [20, 10]);
    followed.look([mark(0, 2), mark(2, 3)]);
    assert.equal(writtenByAll(followed), 30);
  });

  it('are unknown if those of one shard stay invisible, as with the marks of an older version', () => {
    const followed = following([]);
    followed.look([mark(0, 1), withoutCounts(2, 3)]);
    followed.look([mark(0, 1), withoutCounts(2, 3)]);
    assert.equal(writtenByAll(followed), undefined);
    assert.equal(followed.progress.samplesWritten, 0);
    followed.look([mark(0, 1), mark(2, 3)]);
    assert.equal(writtenByAll(followed), 20);
  });

  it('are unknown at the end if a stretch shows none that has just begun', () => {
    const followed = following([mark(0, 2)]);
    followed.look([mark(0, 2), withoutCounts(2, 4)]);
    assert.ok(followed.isComplete);
    assert.equal(writtenByAll(followed), undefined);
  });

  it('are unknown at the end if those of the last mark of a shard are', () => {
    const followed = following([]);
    followed.look([mark(0, 1), mark(2, 3)]);
    followed.look([withoutCounts(0, 2), mark(2, 4)]);
    assert.ok(followed.isComplete);
    assert.equal(writtenByAll(followed), undefined);
  });
});
