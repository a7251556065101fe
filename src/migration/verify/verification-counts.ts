// Adds up the counts of a verification: those of series to those of a window, those of windows to the total. Pure.

import type { Counts } from '../report/counts.ts';
import type { Difference, ExpectedChange, VerificationCounts, VerificationProgress } from '../report/verification.ts';
import type { SeriesTally } from './sample-comparison.ts';

const MAX_FIRST = 10;

export function noCounts(): VerificationCounts {
  return {
    seriesCompared: 0,
    samplesCompared: 0,
    equal: 0,
    missing: 0,
    extra: 0,
    different: 0,
    repeated: 0,
    expected: {},
    repaired: 0,
  };
}

export function addTally(counts: VerificationCounts, tally: SeriesTally): void {
  if (tally.samples > 0) counts.seriesCompared++;
  counts.samplesCompared += tally.samples;
  counts.equal += tally.equal;
  counts.missing += tally.missing;
  counts.extra += tally.extra;
  counts.different += tally.different;
  counts.repeated += tally.repeated;
  for (const [reason, samples] of tally.expected) addExpected(counts, reason, samples);
}

/** Adds `more` to `counts`. */
export function addCounts(counts: VerificationCounts, more: Readonly<VerificationCounts>): void {
  counts.seriesCompared += more.seriesCompared;
  counts.samplesCompared += more.samplesCompared;
  counts.equal += more.equal;
  counts.missing += more.missing;
  counts.extra += more.extra;
  counts.different += more.different;
  counts.repeated += more.repeated;
  counts.repaired += more.repaired;
  for (const [reason, samples] of Object.entries(more.expected)) addExpected(counts, reason as ExpectedChange, samples);
}

/** The counts of a verification from those beside its mark, which are in the form of a copy's. */
export function verificationCountsOf({
  samplesRead,
  samplesWritten,
  samplesRejected,
  series,
}: Counts): VerificationCounts {
  return {
    ...noCounts(),
    seriesCompared: series,
    samplesCompared: samplesRead,
    equal: samplesWritten,
    expected: { ...samplesRejected } as Partial<Record<ExpectedChange, number>>,
  };
}

/** Keeps the ten earliest differences, in the order of time. */
export function noteFirst(progress: Pick<VerificationProgress, 'first'>, difference: Difference): void {
  progress.first = earliest(progress.first, [difference]);
}

/** The ten earliest differences of both, in the order of time. */
export function earliest(first: readonly Difference[], more: readonly Difference[]): readonly Difference[] {
  const last = first[MAX_FIRST - 1];
  const added = last === undefined ? more : more.filter(({ timestampMs }) => timestampMs < last.timestampMs);
  if (added.length === 0) return first;
  return [...first, ...added].sort((a, b) => a.timestampMs - b.timestampMs).slice(0, MAX_FIRST);
}

export function initialVerification(startMs: number, endMs: number): VerificationProgress {
  return {
    ...noCounts(),
    startMs,
    endMs,
    resumedFromMs: undefined,
    throughMs: startMs,
    reachedMs: startMs,
    first: [],
    firstPresent: [],
    bytesRead: 0,
    finished: false,
    isDivided: false,
  };
}

function addExpected(counts: VerificationCounts, reason: ExpectedChange, samples: number): void {
  counts.expected[reason] = (counts.expected[reason] ?? 0) + samples;
}
