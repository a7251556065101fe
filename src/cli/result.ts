// The result of a migration, as the text and as the JSON object that `run` prints on stdout. Pure.

import type { MigrationCode } from '../migration/report/migration-codes.ts';
import { errorText } from '../migration/report/migration-error.ts';
import type { MigrationResult } from '../migration/report/observer.ts';
import { addCounts, type Counts, countsOfAllRuns, NO_COUNTS, rejectedSamples } from '../migration/report/counts.ts';
import { completedRatio } from '../telemetry/completion.ts';
import { formatBytes, formatDuration, formatExact, formatRate, formatTime } from '../telemetry/format.ts';
import { escapeControl, presentableText } from '../telemetry/log-text.ts';
import type { CommandCode } from './error-codes.ts';

/** Counts. `samplesRejectedUnproven` is present only if it is not 0. */
type ShownCounts = Omit<Counts, 'samplesRejectedUnproven'> & Partial<Counts>;

/** The object of `--output json`. The counts are those of this run. Times are RFC 3339 with milliseconds, or null if unknown. */
export interface RunResult extends ShownCounts {
  readonly migration: string | null;
  readonly phase: string;
  readonly resumedFrom: string | null;
  /** All samples of the range before this time are in the destination. */
  readonly through: string | null;
  /** The completed part of the range, from 0 to 1, as in the progress bar and the metric. Null if the range is not known. */
  readonly completedRatio: number | null;
  /** The parts of the range that are copied independently. Null if the range was not divided. */
  readonly stretches: { readonly total: number; readonly finished: number } | null;
  /** The counts of all runs of this migration. Null if those of earlier runs are not known. */
  readonly total: ShownCounts | null;
  readonly durationSeconds: number;
  readonly error?: {
    readonly code: MigrationCode | CommandCode;
    readonly message: string;
    readonly side: string | null;
  };
}

export function toRunResult(migration: string, result: MigrationResult, durationMs: number): RunResult {
  const { progress, error } = result;
  const { stretches } = progress;
  const ranged = progress.endMs > progress.startMs;
  const total = countsOfAllRuns(progress);
  return {
    migration,
    phase: progress.phase,
    resumedFrom: progress.resumedFromMs === undefined ? null : (formatTime(progress.resumedFromMs) ?? null),
    through: ranged ? (formatTime(progress.watermarkMs) ?? null) : null,
    completedRatio: ranged ? completedRatio(progress) : null,
    stretches: stretches === undefined ? null : { total: stretches.total, finished: stretches.finished },
    ...shownCounts(addCounts(NO_COUNTS, progress)),
    total: total === undefined ? null : shownCounts(total),
    durationSeconds: Math.max(0, Math.round(durationMs)) / 1000,
    ...(error === undefined
      ? {}
      : { error: { code: error.code, message: presentableText(errorText(error)), side: error.side ?? null } }),
  };
}

/** The output of `--output json` if the migration could not be started: the same fields, so that a reader needs only one shape. */
export function failedBeforeStart(code: CommandCode, message: string): RunResult {
  return {
    migration: null,
    phase: 'Failed',
    resumedFrom: null,
    through: null,
    completedRatio: null,
    stretches: null,
    ...shownCounts(NO_COUNTS),
    total: null,
    durationSeconds: 0,
    error: { code, message, side: null },
  };
}

function shownCounts({ samplesRejectedUnproven, ...counts }: Counts): ShownCounts {
  return { ...counts, ...(samplesRejectedUnproven > 0 && { samplesRejectedUnproven }) };
}

function rowsOfAllRuns(total: ShownCounts | null): [string, string][] {
  if (total === null) return [['samples, all runs', 'unknown']];
  const rejected = rejectedSamples(total);
  return [
    ['samples read, all runs', formatExact(total.samplesRead)],
    ['samples written, all runs', formatExact(total.samplesWritten)],
    ...(rejected > 0
      ? [
          [
            total.samplesRejectedUnproven !== undefined ? '  rejected, all runs, at most' : '  rejected, all runs',
            formatExact(rejected),
          ] satisfies [string, string],
        ]
      : []),
  ];
}

function stretchesText(stretches: RunResult['stretches']): string | undefined {
  return stretches === null
    ? undefined
    : `${formatExact(stretches.finished)} of ${formatExact(stretches.total)} finished`;
}

/** The short summary of `--output text`, without the final newline. */
export function summaryText(result: RunResult): string {
  const { durationSeconds } = result;
  const rate =
    durationSeconds > 0 && result.samplesWritten > 0 ? ` (${formatRate(result.samplesWritten / durationSeconds)})` : '';
  const rows: [string, string | undefined][] = [
    ['migration', result.migration ?? undefined],
    ['phase', result.phase],
    ['error', result.error === undefined ? undefined : `${result.error.code}: ${result.error.message}`],
    ['resumed from', result.resumedFrom ?? undefined],
    ['through', result.through ?? undefined],
    ['stretches', stretchesText(result.stretches)],
    ['samples read', formatExact(result.samplesRead)],
    ['samples written', formatExact(result.samplesWritten)],
  ];
  const onlyIfAny: [string, number][] = [
    ['  filtered', result.samplesFiltered],
    ['  already present', result.samplesAlreadyPresent],
    ['  conflicting', result.samplesConflicting],
    [result.samplesRejectedUnproven === undefined ? '  rejected' : '  rejected, at most', rejectedSamples(result)],
    ['    of these, possibly stored', result.samplesRejectedUnproven ?? 0],
  ];
  for (const [name, samples] of onlyIfAny) {
    if (samples > 0) rows.push([name, formatExact(samples)]);
  }
  for (const [reason, samples] of Object.entries(result.samplesRejected)) {
    if (samples > 0) rows.push([`    ${reason}`, formatExact(samples)]);
  }
  if (result.samplesReadPlain > 0) {
    rows.push(
      ['samples read plain', formatExact(result.samplesReadPlain)],
      ['  altered, at most', formatExact(result.samplesAlteredAtMost)],
    );
  }
  if (result.resumedFrom !== null) rows.push(...rowsOfAllRuns(result.total));
  rows.push(
    ['series', formatExact(result.series)],
    ['windows', formatExact(result.windows)],
    ['bytes read', formatBytes(result.bytesRead)],
    ['bytes written', formatBytes(result.bytesWritten)],
    ['retries', formatExact(result.retries)],
    ['duration', `${formatDuration(durationSeconds * 1000)}${rate}`],
  );
  const shown = rows.filter((row): row is [string, string] => row[1] !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${escapeControl(value)}`).join('\n');
}
