// The progress of several stretches as one.

import assert from 'node:assert/strict';
import type { Mark } from '../../../src/migration/progress/progress-mark.ts';
import { type Counts, NO_COUNTS } from '../../../src/migration/report/counts.ts';
import { MergedProgress } from '../../../src/migration/stretches/merged-progress.ts';
import { epochMs, hourMs } from '../support/plan.ts';

const range = { startMs: epochMs, endMs: epochMs + 8 * hourMs };
const nothingLeft = { stretches: [], finished: 4 };

function mark(fromHours: number, toHours: number): Mark {
  const shard = fromHours === 0 ? '0' : new Date(epochMs + fromHours * hourMs).toISOString();
  const samples = 10 * (toHours - fromHours);
  const counts = { ...NO_COUNTS, samplesRead: samples, samplesWritten: samples };
  return { shard, throughMs: epochMs + toHours * hourMs - 1, samples, counts, endMs: undefined };
}

function writtenEarlier(marks: readonly Mark[]): Counts['samplesWritten'] | 'unknown' {
  const { earlier } = new MergedProgress(range, nothingLeft, marks, 'Copy').progress;
  return earlier === 'unknown' ? earlier : earlier.samplesWritten;
}

describe('the counts of earlier runs', () => {
  it('are the sum of all shards, including one that has only begun', () => {
    assert.equal(writtenEarlier([mark(4, 8), mark(0, 4)]), 80);
    assert.equal(writtenEarlier([mark(2, 2), mark(0, 2)]), 20);
  });

  it('are unknown if two shards cover the same time, so that samples may be counted twice', () => {
    assert.equal(writtenEarlier([mark(4, 8), mark(0, 6)]), 'unknown');
    assert.equal(writtenEarlier([mark(0, 8), mark(2, 4)]), 'unknown');
  });
});
