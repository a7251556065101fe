// Parses one series of a PromQL range response: {"metric":{…},"values":[[1700000000.123,"1.5"],…],"histograms":[[time,{…}],…]}. Pure.

import type { SampleColumns } from '../wire/sample-columns.ts';
import type { HistogramKinds } from './histogram-kinds.ts';
import { encodeHistograms, type ShownHistogram, shownHistogram } from './range-histogram.ts';

/** `value.NormalNaN` of Prometheus: 0x7ff8000000000001. */
const NORMAL_NAN_LOW = 1;
const NORMAL_NAN_HIGH = 0x7ff80000;

/**
 * Appends the samples of a series.
 * @param kinds what is known of the histograms of all series
 * @returns the labels, or what is wrong with the text
 */
export function parseRangeSamples(
  text: string,
  columns: SampleColumns,
  kinds?: HistogramKinds,
): { readonly metric: Readonly<Record<string, string>> } | { readonly problem: string } {
  const { metric, values = [], histograms = [] } = parsed(text);
  if (!isLabels(metric)) return { problem: 'a series without labels' };
  if (!Array.isArray(values) || !Array.isArray(histograms)) return { problem: 'samples that are not a list' };
  for (const pair of values as unknown[]) {
    const [timeMs, value] = pairOf(pair);
    const number = numberIn(value);
    if (timeMs === undefined || number === undefined) return { problem: 'a sample without time or value' };
    // JSON does not show which NaN it is. Prometheus itself makes this one.
    if (Number.isNaN(number)) columns.addFloat(timeMs, NORMAL_NAN_LOW, NORMAL_NAN_HIGH);
    else columns.addNumber(timeMs, number);
  }
  const shown: ShownHistogram[] = [];
  for (const pair of histograms as unknown[]) {
    const [timeMs, value] = pairOf(pair);
    const histogram = timeMs === undefined ? undefined : shownHistogram(value, timeMs, numberIn);
    if (histogram === undefined) return { problem: 'a histogram that has no time, or not the usual form' };
    shown.push(histogram);
  }
  if (shown.length > 0) {
    const encoded = encodeHistograms(shown, kinds?.of(metric));
    kinds?.learn(metric, encoded);
    for (const [i, { timeMs }] of shown.entries()) columns.addHistogram(timeMs, encoded.messages[i] as Uint8Array);
  }
  return { metric };
}

/** Text that is not JSON becomes a series without labels. */
function parsed(text: string): { readonly metric?: unknown; readonly values?: unknown; readonly histograms?: unknown } {
  try {
    return JSON.parse(text) as object;
  } catch {
    return {};
  }
}

function pairOf(pair: unknown): [timeMs: number | undefined, value: unknown] {
  if (!Array.isArray(pair) || pair.length !== 2 || !Number.isFinite(pair[0])) return [undefined, undefined];
  return [Math.round((pair[0] as number) * 1000), pair[1]];
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'string' ? numberOf(value) : undefined;
}

/** A value as Prometheus writes it: `1.5`, `1e+22`, `NaN`, `+Inf`, `-Inf`. */
function numberOf(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN;
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
}

function isLabels(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((label) => typeof label === 'string')
  );
}
