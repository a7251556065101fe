// What a verification knows of the copy before it.

import assert from 'node:assert/strict';
import type { Mark } from '../../../src/migration/progress/progress-mark.ts';
import { NO_COUNTS } from '../../../src/migration/report/counts.ts';
import { comparedRange } from '../../../src/migration/verify/compared-range.ts';
import { epochMs, hourMs, planFor } from '../support/plan.ts';

const nowhere = { readUrl: 'http://source', writeUrl: 'http://destination', queryUrl: 'http://destination' };
const plan = planFor({ source: nowhere, destination: nowhere }, { endMs: epochMs + 4 * hourMs });

function mark(fromHours: number, toHours: number): Mark {
  const shard = fromHours === 0 ? '0' : new Date(epochMs + fromHours * hourMs).toISOString();
  const counts = { ...NO_COUNTS, samplesRead: 10, samplesRejected: { too_old: 10 } };
  return { shard, throughMs: epochMs + toHours * hourMs - 1, samples: 0, counts, endMs: undefined };
}

async function rejectedBefore(marks: readonly Mark[]): Promise<number | undefined> {
  const view = {
    latestMark: () => Promise.resolve(marks.at(-1)),
    ledger: () => Promise.resolve(marks),
    learnWhatItHides: () => Promise.resolve(),
  };
  const { copy } = await comparedRange(plan, view, epochMs + 9 * hourMs, {}, new AbortController().signal);
  return copy?.counts?.samplesRejected['too_old'];
}

describe('what a verification knows of the samples that the copy was refused', () => {
  it('is the sum of all stretches', async () => {
    assert.equal(await rejectedBefore([mark(0, 2), mark(2, 4)]), 20);
  });

  it('is nothing if two stretches cover the same time: their sum would explain more missing samples than were refused', async () => {
    assert.equal(await rejectedBefore([mark(0, 3), mark(2, 4)]), undefined);
  });

  it('is nothing if one of them does not show it', async () => {
    assert.equal(await rejectedBefore([mark(0, 2), { ...mark(2, 4), counts: undefined }]), undefined);
  });
});
