// The progress of several stretches as one.

import assert from 'node:assert/strict';
import type { Mark } from '../../../src/migration/progress/progress-mark.ts';
import { type Counts, NO_COUNTS } from '../../../src/migration/report/counts.ts';
import { initialProgress } from '../../../src/migration/report/observer.ts';
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

describe('the limit of a destination', () => {
  const stretches = [0, 4].map((hours) => ({
    shard: hours === 0 ? '0' : new Date(epochMs + hours * hourMs).toISOString(),
    startMs: epochMs + hours * hourMs,
    endMs: epochMs + (hours + 4) * hourMs,
    fromMs: epochMs + hours * hourMs,
    mayHoldSamples: false,
  }));

  function started() {
    const merged = new MergedProgress(range, { stretches, finished: 0 }, [], 'Copy');
    for (const stretch of stretches) merged.started(stretch);
    return {
      shown: () => merged.progress.heldBy?.samplesPerSecond,
      report: (index: number, samplesPerSecond: number | undefined, bytesWritten = 1) => {
        const progress = initialProgress(stretches[index]!.startMs, stretches[index]!.endMs);
        const heldBy =
          samplesPerSecond === undefined ? undefined : ({ side: 'destination', samplesPerSecond } as const);
        merged.reported(stretches[index]!, { ...progress, bytesWritten, heldBy });
      },
    };
  }

  it('is the sum of the rates that all stretches keep to', () => {
    const { shown, report } = started();
    assert.equal(shown(), undefined);
    report(0, 10_000);
    report(1, 14_000);
    assert.equal(shown(), 24_000);
  });

  it('is not shown while a stretch writes as fast as it can: the others would add up to less than is written', () => {
    const { shown, report } = started();
    report(0, undefined);
    report(1, 14_000);
    assert.equal(shown(), undefined);
    report(0, 10_000);
    assert.equal(shown(), 24_000);
  });

  it('does not wait for a stretch that has written nothing yet', () => {
    const { shown, report } = started();
    report(1, 14_000);
    assert.equal(shown(), 14_000);
    report(0, undefined, 0);
    assert.equal(shown(), 14_000);
  });
});
