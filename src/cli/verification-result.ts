// The result of a verification, as the text and as the JSON object that `verify` prints on stdout. Pure.

import type { MigrationCode } from '../migration/report/migration-codes.ts';
import { errorText } from '../migration/report/migration-error.ts';
import type { MigrationResult } from '../migration/report/observer.ts';
import { EXPECTED_CHANGES, type ExpectedChange } from '../migration/report/verification.ts';
import { initialVerification } from '../migration/verify/verification-counts.ts';
import { formatBytes, formatDuration, formatExact, formatTime } from '../telemetry/format.ts';
import { escapeControl, presentableText } from '../telemetry/log-text.ts';
import type { CommandCode } from './error-codes.ts';

/** The object of `--output json`. Times are RFC 3339 with milliseconds, or null if unknown. */
export interface VerificationResult {
  readonly migration: string | null;
  readonly phase: string;
  /** All samples before this time have been compared. */
  readonly through: string | null;
  /** Series of one window, summed over all windows. */
  readonly seriesCompared: number;
  /** Samples of the source: equal + missing + different + expected. */
  readonly samplesCompared: number;
  readonly equal: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  readonly repeated: number;
  /** Samples with a change that the protocol or the store is known to make, by reason. */
  readonly expected: Readonly<Record<string, number>>;
  readonly repaired: number;
  /** The first differences, at most ten. */
  readonly first: readonly {
    readonly labels: string;
    readonly timestampMs: number;
    readonly kind: string;
    readonly source: string | null;
    readonly destination: string | null;
  }[];
  readonly bytesRead: number;
  readonly durationSeconds: number;
  readonly error?: {
    readonly code: MigrationCode | CommandCode;
    readonly message: string;
    readonly side: string | null;
  };
}

export function toVerificationResult(
  migration: string | null,
  {
    progress,
    error,
  }: Pick<MigrationResult, 'error'> & { progress: Pick<MigrationResult['progress'], 'phase' | 'verification'> },
  durationMs: number,
): VerificationResult {
  const { verification } = progress;
  const { expected, first, ...counts } = verification ?? initialVerification(0, 0);
  const { seriesCompared, samplesCompared, equal, missing, extra, different, repeated, repaired, bytesRead } = counts;
  return {
    migration,
    phase: progress.phase,
    through: verification === undefined ? null : (formatTime(verification.throughMs) ?? null),
    seriesCompared,
    samplesCompared,
    equal,
    missing,
    extra,
    different,
    repeated,
    expected: { ...expected },
    repaired,
    first: first.map(({ labels, timestampMs, kind, source, destination }) => ({
      labels,
      timestampMs,
      kind,
      source: source ?? null,
      destination: destination ?? null,
    })),
    bytesRead,
    durationSeconds: Math.max(0, Math.round(durationMs)) / 1000,
    ...(error !== undefined && {
      error: { code: error.code, message: presentableText(errorText(error)), side: error.side ?? null },
    }),
  };
}

export function verificationText(result: VerificationResult): string {
  const rows: [string, string][] = [
    ['migration', result.migration ?? ''],
    ['phase', result.phase],
    ...(result.error === undefined
      ? []
      : [['error', `${result.error.code}: ${result.error.message}`] as [string, string]]),
    ...(result.through === null ? [] : [['through', result.through] as [string, string]]),
    ['samples compared', formatExact(result.samplesCompared)],
    ['  equal, bit for bit', formatExact(result.equal)],
  ];
  for (const [reason, samples] of Object.entries(result.expected)) {
    rows.push([
      `  expected: ${reason}`,
      `${formatExact(samples)}  ${EXPECTED_CHANGES[reason as ExpectedChange] ?? ''}`,
    ]);
  }
  for (const kind of ['missing', 'different', 'repeated', 'extra', 'repaired'] as const) {
    if (result[kind] > 0 || kind === 'missing' || kind === 'different')
      rows.push([`  ${kind}`, formatExact(result[kind])]);
  }
  rows.push(['bytes read', formatBytes(result.bytesRead)], ['duration', formatDuration(result.durationSeconds * 1000)]);
  for (const { labels, timestampMs, kind, source, destination } of result.first) {
    const values = `source ${source ?? 'none'}, destination ${destination ?? 'none'}`;
    rows.push([`${kind} at`, `${formatTime(timestampMs)}  ${labels}  ${values}`]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${escapeControl(presentableText(value))}`).join('\n');
}
