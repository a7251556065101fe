import assert from 'node:assert/strict';
import { verdictOf } from '../../../src/cli/report/page/verdict.ts';
import { NO_COUNTS } from '../../../src/migration/report/counts.ts';
import { completed, endMs, someRecord, someReport, someVerification, startMs } from './some-report.ts';

const HALF_MS = (startMs + endMs) / 2;
const ERROR = { code: 'unauthorized', message: 'returned 401', side: 'destination' } as const;

const cases: readonly [
  title: string,
  changes: Parameters<typeof someReport>[0],
  tone: string,
  sentence: RegExp,
  facts: RegExp,
][] = [
  [
    'a complete copy that was not verified',
    {},
    'good',
    /^The copy is complete: .* every one of the 1,000,000 samples to be copied\. It has not been verified/,
    /^Succeeded \| Yes \| No$/,
  ],
  [
    'a complete copy without a difference',
    { verification: someVerification() },
    'good',
    /copy is complete.*compared all 1,000,000 samples of the source with the destination and found no difference\.$/,
    /^Succeeded \| Yes \| Yes, no difference$/,
  ],
  [
    'expected changes',
    { verification: someVerification({ equal: 999_990, expected: { victoriametrics_nan: 10 } }) },
    'good',
    /no difference, apart from expected changes of 10 samples, which are listed below\.$/,
    /Yes, no difference$/,
  ],
  [
    'extra samples, which are no difference',
    { verification: someVerification({ extra: 5 }) },
    'good',
    /found no difference\.$/,
    /Yes, no difference$/,
  ],
  [
    'differences',
    {
      verification: someVerification({ missing: 2, different: 1, repeated: 1 }),
      progress: completed({ phase: 'Failed' }),
      error: { code: 'differences-found', message: 'm' },
    },
    'bad',
    /^The copy is complete.*found 4 differences\.$/,
    /^Failed \| Yes \| 4 differences$/,
  ],
  [
    'repaired samples',
    { verification: someVerification({ repaired: 3 }) },
    'good',
    /Missing samples that have been written: 3\.$/,
    /Yes, no difference$/,
  ],
  [
    'a verification that was interrupted',
    { verification: someVerification({ finished: false }), progress: completed({ phase: 'Interrupted' }) },
    'warning',
    /before it was interrupted, and found no difference so far\.$/,
    /^Interrupted \| Yes \| Not completely$/,
  ],
  [
    'rejected samples',
    { progress: completed({ samplesRejected: { too_old: 7 }, samplesWritten: 999_993 }) },
    'warning',
    /^The copy is complete except for 7 samples that the destination rejected\./,
    /^Succeeded \| With exceptions \| No$/,
  ],
  [
    'rejected samples that may be there',
    { progress: completed({ samplesRejected: { too_old: 7 }, samplesRejectedUnproven: 2 }) },
    'warning',
    /except for at most 7 samples/,
    /With exceptions/,
  ],
  [
    'samples that an earlier run skipped',
    {
      progress: completed({
        resumedFromMs: HALF_MS,
        earlier: { ...NO_COUNTS, samplesRead: 10, samplesWritten: 8, samplesRejected: { other: 2 } },
      }),
    },
    'warning',
    /except for 2 samples/,
    /With exceptions/,
  ],
  [
    'an interruption in stretches',
    {
      progress: completed({
        phase: 'Interrupted',
        watermarkMs: HALF_MS,
        reachedMs: HALF_MS,
        stretches: { total: 256, finished: 120, running: [], failed: [] },
      }),
    },
    'bad',
    /^The copy was interrupted at 50\.0% of the range: 120 of 256 stretches are complete, and others may be in part\. All data before 2026-01-01T12:00:00\.000Z is in the destination\. A later run copies what is missing\.$/,
    /^Interrupted \| No, 50\.0% \| No$/,
  ],
  [
    'a failure in stretches that began with the newest',
    {
      progress: completed({
        phase: 'Failed',
        watermarkMs: startMs,
        reachedMs: HALF_MS,
        stretches: { total: 4, finished: 1, running: [], failed: [] },
      }),
      error: ERROR,
    },
    'bad',
    /^The copy failed at 50\.0% of the range: 1 of 4 stretches are complete, and others may be in part\. A later run copies what is missing\.$/,
    /^Failed \| No, 50\.0% \| No$/,
  ],
  [
    'a failure half way',
    { progress: completed({ phase: 'Failed', watermarkMs: HALF_MS, reachedMs: HALF_MS }), error: ERROR },
    'bad',
    /^The copy failed at 50\.0% of the range: the data before 2026-01-01T12:00:00\.000Z is in the destination, the rest is not\. A later run resumes there\.$/,
    /^Failed \| No, 50\.0% \| No$/,
  ],
  [
    'a failure in the first window, and a single difference',
    {
      progress: completed({ phase: 'Failed', watermarkMs: startMs, reachedMs: startMs }),
      error: ERROR,
      verification: someVerification({ missing: 1 }),
    },
    'bad',
    /^The copy failed before its first window was complete: no part of the range is known to be in the destination\. .*found 1 difference\.$/,
    /^Failed \| No, 0\.0% \| 1 difference$/,
  ],
  [
    'a copy that was complete when the run was interrupted before the comparison',
    { progress: completed({ phase: 'Interrupted' }), work: 'CopyAndVerify' },
    'warning',
    /It has not been verified: the run ended before the comparison\.$/,
    /^Interrupted \| Yes \| No$/,
  ],
  [
    'half a copy that was to be verified',
    {
      progress: completed({ phase: 'Failed', watermarkMs: HALF_MS, reachedMs: HALF_MS }),
      error: ERROR,
      work: 'CopyAndVerify',
    },
    'bad',
    /^The copy failed at 50\.0% of the range/,
    /^Failed \| No, 50\.0% \| No$/,
  ],
  [
    'an interruption',
    { progress: completed({ phase: 'Interrupted', watermarkMs: HALF_MS, reachedMs: HALF_MS }) },
    'bad',
    /^The copy was interrupted at 50\.0%/,
    /^Interrupted \| No, 50\.0% \| No$/,
  ],
  [
    'a failure before the range was known',
    {
      progress: completed({ phase: 'Failed', endMs: startMs, watermarkMs: startMs, reachedMs: startMs }),
      error: ERROR,
    },
    'bad',
    /^The copy failed before it began\.$/,
    /^Failed \| No, 0\.0% \| No$/,
  ],
  [
    'a source without samples',
    { progress: completed({ samplesRead: 0, samplesWritten: 0 }) },
    'warning',
    /^The source returned no samples for the range, so nothing was copied\./,
    /^Succeeded \| Nothing to copy \| No$/,
  ],
  [
    'nothing left to do, with unknown counts',
    {
      progress: completed({ samplesRead: 0, samplesWritten: 0, resumedFromMs: endMs }),
      record: someRecord({ isAlreadyFinished: true }),
    },
    'good',
    /^An earlier run had completed the copy\./,
    /Succeeded/,
  ],
  [
    'a rest that was copied behind runs with unknown counts',
    { progress: completed({ resumedFromMs: HALF_MS, earlier: 'unknown' }) },
    'good',
    /^The copy is complete: earlier runs had copied the data before 2026-01-01T12:00:00\.000Z, and this run copied the rest/,
    /^Succeeded \| Yes \| No$/,
  ],
  [
    'the command verify without a difference',
    { work: 'Verify', verification: someVerification() },
    'good',
    /^The verification compared all 1,000,000 samples/,
    /^Succeeded \| - \| Yes, no difference$/,
  ],
  [
    'the command verify that could not compare',
    { work: 'Verify', progress: completed({ phase: 'Failed' }), error: ERROR },
    'bad',
    /^The two sides could not be compared\.$/,
    /^Failed \| - \| No$/,
  ],
];

describe('the verdict of a report', () => {
  for (const [title, changes, tone, sentence, facts] of cases) {
    it(`about ${title}`, () => {
      const verdict = verdictOf(someReport(changes));
      assert.match(verdict.sentence, sentence);
      assert.equal(verdict.tone, tone);
      const { outcome, complete, verified } = verdict;
      assert.match([outcome, complete, verified].map((fact) => fact?.value ?? '-').join(' | '), facts);
    });
  }
});
