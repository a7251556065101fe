// The part of PromQL that the engine uses, as an instant query: a selector, `{…}[range]`, and functions of one range (count_over_time,
// last_over_time, max_over_time, present_over_time), optionally aggregated by count() or sum().

import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import { staleBits } from '../../migration/support/remote-messages.ts';
import { decodeHistogram, type LabeledSamples, type Labels, type Sample } from './messages.ts';

/** Which ends of `(time − range, time]` are included: Prometheus 3, Prometheus 2, M3. */
export type RangeEnds = 'left-open' | 'closed' | 'right-open';

export interface InstantQuery {
  readonly aggregation: 'count' | 'sum' | undefined;
  readonly call: 'count_over_time' | 'last_over_time' | 'max_over_time' | 'present_over_time' | undefined;
  readonly matchers: readonly Matcher[];
  /** undefined: the latest sample within five minutes. */
  readonly rangeMs: number | undefined;
}

/** A query that the store rejects with `bad_data`. */
export class BadQuery extends Error {
  override readonly name = 'BadQuery';
}

const lookbackMs = 300_000;
const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 } as const;

export function parseInstantQuery(promql: string): InstantQuery {
  let rest = promql.trim();
  const enter = <Name extends string>(names: readonly Name[]): Name | undefined => {
    const name = names.find((candidate) => rest.startsWith(`${candidate}(`) && rest.endsWith(')'));
    if (name !== undefined) rest = rest.slice(name.length + 1, -1).trim();
    return name;
  };
  const aggregation = enter(['count', 'sum']);
  const call = enter(['count_over_time', 'last_over_time', 'max_over_time', 'present_over_time']);
  const parts = /^([a-zA-Z_:][a-zA-Z0-9_:]*)?(\{.*\})?(?:\[((?:\d+(?:ms|[smhdwy]))+)\])?$/s.exec(rest);
  if (parts === null || rest === '') throw new BadQuery(`parse error: unexpected ${JSON.stringify(rest)}`);
  const [, name, selector = '{}', range] = parts;
  const matchers = parseSelector(selector);
  if (name !== undefined) matchers.unshift({ kind: '=', name: '__name__', value: name });
  if (matchers.every(({ kind, value }) => kind === '!=' || kind === '!~' || value === '')) {
    throw new BadQuery('parse error: vector selector must contain at least one non-empty matcher');
  }
  if ((range === undefined) !== (call === undefined) && (call !== undefined || aggregation !== undefined)) {
    throw new BadQuery('parse error: expected another type of vector');
  }
  return { aggregation, call, matchers, rangeMs: range === undefined ? undefined : durationMs(range) };
}

function durationMs(text: string): number {
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g)) {
    sum += Number(amount) * units[unit as keyof typeof units];
  }
  if (sum === 0) throw new BadQuery('parse error: duration must be greater than 0');
  return sum;
}

export function parseSelector(text: string): Matcher[] {
  const matchers: Matcher[] = [];
  const rest = text.trim().slice(1, -1).trim();
  const matcher = /\s*([a-zA-Z_][a-zA-Z0-9_]*|"(?:[^"\\]|\\.)*")\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*")\s*,?/gsy;
  let at = 0;
  for (let found = matcher.exec(rest); found !== null; found = matcher.exec(rest)) {
    const [, name, kind, value] = found as unknown as [string, string, Matcher['kind'], string];
    matchers.push({ kind, name: unquote(name), value: unquote(value) });
    at = matcher.lastIndex;
  }
  if (at !== rest.length) throw new BadQuery(`parse error: unexpected ${JSON.stringify(rest.slice(at))}`);
  return matchers;
}

function unquote(text: string): string {
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
}

/** The inclusive range of milliseconds of a query at `timeMs`. */
export function rangeOf(query: InstantQuery, timeMs: number, ends: RangeEnds): { fromMs: number; toMs: number } {
  const fromMs = timeMs - (query.rangeMs ?? lookbackMs);
  return { fromMs: ends === 'left-open' ? fromMs + 1 : fromMs, toMs: ends === 'right-open' ? timeMs - 1 : timeMs };
}

/** The `data` of the response, from the samples within `rangeOf`. */
export function evaluate(query: InstantQuery, series: readonly LabeledSamples[], timeMs: number): object {
  const seconds = timeMs / 1000;
  const shown = series
    .map(({ labels, samples }) => ({ labels, samples: samples.filter(({ bits }) => bits !== staleBits) }))
    .filter(({ samples }) => samples.length > 0);
  if (query.rangeMs !== undefined && query.call === undefined) {
    return { resultType: 'matrix', result: shown.map(matrixElement) };
  }
  const values = shown.map(({ labels, samples }) => {
    const latest = samples.at(-1)!;
    if (query.call === 'count_over_time') return { metric: withoutName(labels), value: samples.length };
    if (query.call === 'max_over_time') {
      return { metric: withoutName(labels), value: Math.max(...samples.map(({ bits }) => numberOf(bits))) };
    }
    if (query.call === 'present_over_time') return { metric: withoutName(labels), value: 1 };
    return { metric: Object.fromEntries(labels), value: numberOf(latest.bits) };
  });
  if (query.aggregation === undefined) {
    return {
      resultType: 'vector',
      result: values.map(({ metric, value }) => ({ metric, value: [seconds, formatFloat(value)] })),
    };
  }
  const sum = query.aggregation === 'count' ? values.length : values.reduce((total, { value }) => total + value, 0);
  const result = values.length === 0 ? [] : [{ metric: {}, value: [seconds, formatFloat(sum)] }];
  return { resultType: 'vector', result };
}

function matrixElement({ labels, samples }: LabeledSamples): object {
  const floats = samples.filter(({ histogram }) => histogram === undefined);
  const histograms = samples.filter(({ histogram }) => histogram !== undefined);
  return {
    metric: Object.fromEntries(labels),
    ...(floats.length > 0 && {
      values: floats.map(({ timeMs, bits }) => [timeMs / 1000, formatFloat(numberOf(bits))]),
    }),
    ...(histograms.length > 0 && { histograms: histograms.map(histogramPair) }),
  };
}

function histogramPair({ timeMs, histogram }: Sample): unknown {
  const { countInt, countFloat, sum } = decodeHistogram(histogram!);
  return [timeMs / 1000, { count: String(countInt ?? countFloat), sum: formatFloat(Number(sum)), buckets: [] }];
}

function withoutName(labels: Labels): Record<string, string> {
  return Object.fromEntries(labels.filter(([name]) => name !== '__name__'));
}

/** A float in Go's format. */
function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

export function numberOf(bits: bigint): number {
  return new Float64Array(new BigUint64Array([bits]).buffer)[0]!;
}
