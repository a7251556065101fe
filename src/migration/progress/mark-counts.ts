// The counts beside a mark: one series per number, with the label `count`, written in the same request with the same timestamp. They let a later
// run, or an operator that has lost the status, report the totals of all runs. Pure.

import { type Counts, NO_COUNTS, rejectedSamples } from '../report/counts.ts';

/** The label that distinguishes the series of counts from the mark itself, which does not have it. */
export const COUNT_LABEL = 'count';

/**
 * Beside the counts: how many milliseconds from the start of the shard the mark covers. A query for the last value of each series shows no time,
 * and with this value it needs none. Relative to the start it has few digits, so that a store that rounds to twelve keeps it.
 */
export const COVERED_COUNT = 'covered_ms';

const COUNT_NAMES = {
  samplesRead: 'read',
  samplesWritten: 'written',
  samplesFiltered: 'filtered',
  samplesAlreadyPresent: 'already_present',
  samplesConflicting: 'conflicting',
  samplesReadPlain: 'read_plain',
  samplesAlteredAtMost: 'altered_at_most',
  samplesRejectedUnproven: 'unproven',
  series: 'series',
  windows: 'windows',
  bytesRead: 'bytes_read',
  bytesWritten: 'bytes_written',
  retries: 'retries',
} as const satisfies Partial<Record<keyof Counts, string>>;

type NumberField = keyof typeof COUNT_NAMES;

const FIELDS = Object.keys(COUNT_NAMES) as NumberField[];
/** Written even if zero: without them the counts are unknown. */
const ALWAYS: readonly NumberField[] = ['samplesRead', 'windows'];
const REJECTED_PREFIX = 'rejected_';
/** VictoriaMetrics with `-precisionBits`, and stores that keep decimals, round to about 12 significant digits. */
const ROUNDING = 1e-11;

/** The series beside a mark: the value of the label `count`, and the number. Zeros are omitted to keep the series few. */
export function seriesOfCounts(counts: Counts): [count: string, value: number][] {
  const series: [string, number][] = [];
  for (const field of FIELDS) {
    if (counts[field] !== 0 || ALWAYS.includes(field)) series.push([COUNT_NAMES[field], counts[field]]);
  }
  for (const [reason, samples] of Object.entries(counts.samplesRejected)) {
    if (samples !== 0) series.push([`${REJECTED_PREFIX}${reason}`, samples]);
  }
  return series;
}

/**
 * The counts beside a mark; undefined if they are incomplete, as with a mark of an older version. A series that the destination does not show
 * yet would silently make them wrong. So the values must add up and agree with the mark.
 * @param values by the label `count`, all with the timestamp of the mark
 * @param samplesInDestination the value of the mark itself
 */
export function countsBesideMark(
  values: ReadonlyMap<string, number>,
  samplesInDestination: number,
): Counts | undefined {
  const whole = new Map<string, number>();
  for (const [count, value] of values) {
    if (!Number.isFinite(value) || value < 0) return undefined;
    whole.set(count, Math.round(value));
  }
  if (ALWAYS.some((field) => !whole.has(COUNT_NAMES[field]))) return undefined;
  const samplesRejected: Record<string, number> = {};
  for (const [count, value] of whole) {
    if (count.startsWith(REJECTED_PREFIX)) samplesRejected[count.slice(REJECTED_PREFIX.length)] = value;
  }
  const numbers = Object.fromEntries(FIELDS.map((field) => [field, whole.get(COUNT_NAMES[field]) ?? 0]));
  const counts: Counts = { ...NO_COUNTS, ...numbers, samplesRejected };
  const inDestination = counts.samplesWritten + counts.samplesAlreadyPresent;
  const accounted =
    inDestination + counts.samplesFiltered + counts.samplesConflicting + rejectedSamples({ samplesRejected });
  if (!isSame(accounted, counts.samplesRead) || !isSame(inDestination, samplesInDestination)) return undefined;
  // The parts are rounded separately, so their sum may differ slightly from the rounded sum.
  return { ...counts, samplesRead: accounted };
}

/** Equal except for a store's rounding. */
function isSame(a: number, b: number): boolean {
  return Math.abs(a - b) <= ROUNDING * Math.max(a, b);
}
