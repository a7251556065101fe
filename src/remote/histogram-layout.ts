// Which buckets a native histogram has, found from the bounds that a query API shows. Bounds that are powers of two fit both an exponential
// schema and custom buckets, so what the other histograms of the series prove is looked at too. Pure.

import { CUSTOM_BUCKETS_SCHEMA } from '../wire/chunks/chunk-histogram.ts';

/** What the first number of a bucket says about its bounds. */
const BOUNDARY = { openLeft: 0, openRight: 1, closed: 3 } as const;

const LOWEST_SCHEMA = -4;
const HIGHEST_SCHEMA = 8;
/** Of a bound. The bounds of a schema are rounded to doubles, and printed without a loss. */
const TOLERANCE = 2e-15;
/** Of the upper bound of the last bucket that an exponential schema has before the one that ends at infinity. */
const LARGEST_BOUND = Number.MAX_VALUE;
/** Custom bounds come from people, who do not put two of them closer to zero than this. */
const SMALLEST_CUSTOM_BOUND = 1e-6;

export interface Bucket {
  readonly boundary: number;
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

export type IndexedCount = readonly [index: number, count: number];

export interface Layout {
  readonly schema: number;
  readonly zero: Bucket | undefined;
  readonly negative: readonly IndexedCount[];
  readonly positive: readonly IndexedCount[];
  readonly customValues: readonly number[];
}

export type LayoutKind = 'exponential' | 'custom';

export interface Layouts {
  readonly exponential: Layout | undefined;
  readonly custom: Layout | undefined;
  /** Undefined if the bounds fit both kinds. */
  readonly proven: LayoutKind | undefined;
}

/** @returns undefined if the buckets are those of no histogram */
export function layoutsOf(buckets: readonly Bucket[]): Layouts | undefined {
  const zero = buckets.find(isZeroBucket);
  const exponential = exponentialLayout(
    buckets.filter((bucket) => bucket !== zero),
    zero,
  );
  const custom = customLayout(buckets, boundsOf(buckets));
  if (exponential === undefined) return custom && { exponential, custom, proven: 'custom' };
  const isProven = custom === undefined || buckets.length === 0 || provesExponential(buckets, zero);
  // An empty histogram proves nothing, and fits both.
  return { exponential, custom, proven: isProven && buckets.length > 0 ? 'exponential' : undefined };
}

/** Finite ones, in their order. */
export function boundsOf(buckets: readonly Bucket[]): readonly number[] {
  const bounds = new Set(buckets.flatMap(({ left, right }) => [left, right]).filter(Number.isFinite));
  return [...bounds].sort((a, b) => a - b);
}

/** The place of each bound. */
export function indexesOf(customValues: readonly number[]): ReadonlyMap<number, number> {
  return new Map(customValues.map((bound, index) => [bound, index]));
}

/** Custom buckets are those between the bounds. Undefined if one of `buckets` has another bound inside. */
export function customLayout(
  buckets: readonly Bucket[],
  customValues: readonly number[],
  indexes = indexesOf(customValues),
): Layout | undefined {
  const positive: IndexedCount[] = [];
  for (const { left, right, count } of buckets) {
    const index = right === Number.POSITIVE_INFINITY ? customValues.length : (indexes.get(right) ?? -1);
    const before = index === 0 ? Number.NEGATIVE_INFINITY : customValues[index - 1];
    if (before !== left || left === right) return undefined;
    positive.push([index, count]);
  }
  return { schema: CUSTOM_BUCKETS_SCHEMA, zero: undefined, negative: [], positive: sorted(positive), customValues };
}

function isZeroBucket({ boundary, left, right }: Bucket): boolean {
  return boundary === BOUNDARY.closed && Number.isFinite(right) && left === -right;
}

/** Bounds that are not written by hand: irrational ones of a schema, and a zero bucket that is very narrow. */
function provesExponential(buckets: readonly Bucket[], zero: Bucket | undefined): boolean {
  if (zero !== undefined && zero.right < SMALLEST_CUSTOM_BOUND) return true;
  return buckets.some((bucket) => bucket !== zero && ![bucket.left, bucket.right].every(isPowerOfTwo));
}

/** Whether a histogram that shows only this bucket would prove nothing. */
export function fitsBothKinds({ left, right }: Bucket): boolean {
  return isPowerOfTwo(left) && isPowerOfTwo(right);
}

function isPowerOfTwo(bound: number): boolean {
  const exponent = Math.round(Math.log2(Math.abs(bound)));
  return Number.isFinite(exponent) && Math.abs(bound) === 2 ** exponent;
}

/** Undefined if the bounds are not those of an exponential schema. */
function exponentialLayout(buckets: readonly Bucket[], zero: Bucket | undefined): Layout | undefined {
  let schema: number | undefined;
  const negative: IndexedCount[] = [];
  const positive: IndexedCount[] = [];
  const placed = buckets.map(({ boundary, left, right, count }) => {
    if (boundary === BOUNDARY.openLeft) return { side: positive, low: left, high: right, count };
    if (boundary === BOUNDARY.openRight) return { side: negative, low: -right, high: -left, count };
    return undefined;
  });
  for (const bucket of placed) {
    if (bucket === undefined || !(bucket.low > 0)) return undefined;
    if (bucket.high === Number.POSITIVE_INFINITY) {
      if (bucket.low !== LARGEST_BOUND) return undefined;
      continue;
    }
    const own = schemaOf(bucket.low, bucket.high);
    if (own === undefined || (schema ?? own) !== own) return undefined;
    schema = own;
  }
  schema ??= 0;
  const perOctave = 2 ** schema;
  for (const bucket of placed) {
    if (bucket === undefined) continue;
    const { side, low, high, count } = bucket;
    const isLast = high === Number.POSITIVE_INFINITY;
    const index = Math.round(Math.log2(isLast ? low : high) * perOctave);
    if (!isLast && !(isBound(high, index, perOctave) && isBound(low, index - 1, perOctave))) return undefined;
    side.push([isLast ? index + 1 : index, count]);
  }
  return { schema, zero, negative: sorted(negative), positive: sorted(positive), customValues: [] };
}

/** The schema whose neighbouring bounds have this ratio, 2^(2^−schema). */
function schemaOf(low: number, high: number): number | undefined {
  const exact = -Math.log2(Math.log2(high) - Math.log2(low));
  const schema = Math.round(exact);
  const isOne = Math.abs(exact - schema) < 1e-3 && schema >= LOWEST_SCHEMA && schema <= HIGHEST_SCHEMA;
  return isOne ? schema : undefined;
}

function isBound(bound: number, index: number, perOctave: number): boolean {
  const octave = Math.floor(index / perOctave);
  const expected = 2 ** (index / perOctave - octave);
  // The largest bound would be 2^1024.
  if (bound === LARGEST_BOUND) return octave === 1024 && expected === 1;
  return Math.abs(bound / 2 ** octave / expected - 1) <= TOLERANCE;
}

function sorted(counts: IndexedCount[]): IndexedCount[] {
  return counts.sort(([a], [b]) => a - b);
}
