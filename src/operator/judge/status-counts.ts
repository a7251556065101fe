// The counts of a migration in its status: written from the engine's counts, and read by the next operator. Pure.

import type { StatusProgress } from '../../api/prom-migration-status.ts';
import { type Counts, NO_COUNTS } from '../../migration/report/counts.ts';
import { formatCount } from '../../telemetry/format.ts';

const COUNT_NAMES = [
  'samplesRead',
  'samplesWritten',
  'samplesFiltered',
  'samplesAlreadyPresent',
  'samplesConflicting',
  'samplesRejectedUnproven',
  'samplesReadPlain',
  'samplesAlteredAtMost',
  'series',
  'windows',
  'bytesRead',
  'bytesWritten',
  'retries',
] as const;

/** The counts that a status shows; undefined if it shows that they are unknown. */
export function countsIn(progress: StatusProgress | undefined): Counts | undefined {
  if (progress === undefined) return NO_COUNTS;
  if (progress.samplesRead === undefined) return undefined;
  const { samplesRejected } = progress;
  const counts = { ...NO_COUNTS, samplesRejected: { ...samplesRejected } };
  for (const name of COUNT_NAMES) counts[name] = progress[name] ?? 0;
  return counts;
}

/** RFC 3339, with milliseconds only if there are any: samples have them. */
export function exactTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}

/** A number in the form that the schema accepts. */
export function countOf(count: number): number {
  return Math.min(Math.max(0, Math.round(count)), Number.MAX_SAFE_INTEGER);
}

export function countFields(all: Counts): StatusProgress {
  const { samplesRejected, samplesRejectedUnproven, samplesReadPlain, samplesAlteredAtMost, ...counts } = all;
  return {
    samples: formatCount(counts.samplesWritten),
    ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, countOf(count)])),
    ...(Object.keys(samplesRejected).length > 0 && { samplesRejected: { ...samplesRejected } }),
    ...(samplesRejectedUnproven > 0 && { samplesRejectedUnproven: countOf(samplesRejectedUnproven) }),
    ...(samplesReadPlain > 0 && {
      samplesReadPlain: countOf(samplesReadPlain),
      samplesAlteredAtMost: countOf(samplesAlteredAtMost),
    }),
  };
}
