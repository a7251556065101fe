// A verification in the status of a migration: written from the engine's report, and read by the next operator. Pure.

import { parseTime } from '../../api/time.ts';
import type { PromMigrationStatus, StatusVerification, VerificationSettings } from '../../api/prom-migration-status.ts';
import type { Difference, DifferenceKind, VerificationProgress } from '../../migration/report/verification.ts';
import { countOf, exactTime } from './status-counts.ts';
import { statusText } from './status-text.ts';
import { verifiedIn } from './verification-settings.ts';

const COUNT_NAMES = [
  'samplesCompared',
  'seriesCompared',
  'missing',
  'different',
  'repeated',
  'extra',
  'repaired',
] as const;

export function verificationFields(settings: VerificationSettings, progress: VerificationProgress): StatusVerification {
  const expected = Object.entries(progress.expected).filter(([, samples]) => samples > 0);
  return {
    settings,
    // A later operator resumes there, with these counts.
    ...((!progress.isDivided || progress.finished) && { through: exactTime(progress.throughMs) }),
    ...Object.fromEntries(COUNT_NAMES.map((name) => [name, countOf(progress[name])])),
    ...(expected.length > 0 && {
      expected: Object.fromEntries(expected.map(([reason, samples]) => [reason, countOf(samples)])),
    }),
    ...(progress.first.length > 0 && { first: progress.first.map(shownDifference) }),
  };
}

function shownDifference({ labels, timestampMs, kind, source, destination }: Difference) {
  return {
    labels: statusText(labels),
    time: exactTime(timestampMs),
    kind,
    ...(source !== undefined && { source: statusText(source) }),
    ...(destination !== undefined && { destination: statusText(destination) }),
  };
}

/** The verification of [startMs, endMs) that a status shows, complete enough to be resumed; undefined if it shows none. */
export function verificationIn(
  status: PromMigrationStatus | undefined,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
): { readonly settings: VerificationSettings; readonly progress: VerificationProgress } | undefined {
  const { settings, through, expected = {}, first = [], ...shown } = status?.verification ?? {};
  const throughMs = through === undefined ? undefined : parseTime(through);
  if (settings === undefined || throughMs === undefined) return undefined;
  const { samplesCompared = 0, seriesCompared = 0, missing = 0, different = 0, repeated = 0 } = shown;
  const { extra = 0, repaired = 0 } = shown;
  const allExpected = Object.values(expected).reduce((sum, samples) => sum + samples, 0);
  const listed = first.map(({ labels, time, kind, source, destination }) => ({
    labels,
    timestampMs: parseTime(time) ?? 0,
    kind: kind as DifferenceKind,
    source,
    destination,
  }));
  const progress: VerificationProgress = {
    startMs,
    endMs,
    resumedFromMs: undefined,
    throughMs,
    reachedMs: throughMs,
    ...{ samplesCompared, seriesCompared, missing, different, repeated, extra, repaired },
    equal: Math.max(0, samplesCompared - missing - different - allExpected),
    expected: { ...expected },
    first: listed,
    firstPresent: listed.filter(({ kind }) => kind !== 'missing'),
    bytesRead: 0,
    finished: verifiedIn(status) !== undefined,
    isDivided: false,
  };
  return { settings, progress };
}
