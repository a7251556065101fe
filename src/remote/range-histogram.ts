// Native histograms as a query API shows them: {"count":"6","sum":"7.5","buckets":[[0,"1","2","3"],…]}, each bucket with its bounds, and not with
// schema and index. Both are found again from the bounds. What JSON does not show is lost: whether counts were integers (a query engine computes
// with floats), reset hints, and bounds between which no bucket has a count. Pure.

import { HISTOGRAM_TAGS, MessageWriter } from '../wire/chunks/histogram-message.ts';

/** What the first number of a bucket says about its bounds. */
const BOUNDARY = { openLeft: 0, openRight: 1, closed: 3 } as const;

const LOWEST_SCHEMA = -4;
const HIGHEST_SCHEMA = 8;
const CUSTOM_BUCKETS_SCHEMA = -53;
/** Far less than half the distance of two bounds of the finest schema, and far more than the error of a logarithm. */
const TOLERANCE = 1e-7;

interface Bucket {
  readonly boundary: number;
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

type IndexedCount = readonly [index: number, count: number];

interface Buckets {
  readonly schema: number;
  readonly negative: readonly IndexedCount[];
  readonly positive: readonly IndexedCount[];
  readonly customValues: readonly number[];
}

/** @returns a prometheus.Histogram message with float counts; undefined if the value is no histogram */
export function histogramOf(
  value: unknown,
  timeMs: number,
  numberOf: (text: unknown) => number | undefined,
): Uint8Array | undefined {
  const { count, sum, buckets = [] } = (value ?? {}) as { count?: unknown; sum?: unknown; buckets?: unknown };
  const [countNumber, sumNumber] = [numberOf(count), numberOf(sum)];
  if (countNumber === undefined || sumNumber === undefined || !Array.isArray(buckets)) return undefined;
  const shown: Bucket[] = [];
  for (const bucket of buckets as unknown[]) {
    const parsed = bucketOf(bucket, numberOf);
    if (parsed === undefined) return undefined;
    shown.push(parsed);
  }
  const zero = shown.find(isZeroBucket);
  const others = shown.filter((bucket) => bucket !== zero);
  const layout = exponential(others) ?? custom(others);
  if (layout === undefined) return undefined;
  return encode(layout, { count: countNumber, sum: sumNumber, zero, timeMs });
}

function bucketOf(bucket: unknown, numberOf: (text: unknown) => number | undefined): Bucket | undefined {
  if (!Array.isArray(bucket) || bucket.length !== 4) return undefined;
  const [boundary, ...texts] = bucket as unknown[];
  const [left, right, count] = texts.map(numberOf);
  if (typeof boundary !== 'number' || left === undefined || right === undefined || count === undefined)
    return undefined;
  return Number.isInteger(boundary) && left <= right ? { boundary, left, right, count } : undefined;
}

function isZeroBucket({ boundary, left, right }: Bucket): boolean {
  return boundary === BOUNDARY.closed && Number.isFinite(right) && left === -right;
}

/** Undefined if the bounds are not those of an exponential schema. */
function exponential(buckets: readonly Bucket[]): Buckets | undefined {
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
    if (bucket.high === Number.POSITIVE_INFINITY) continue;
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
    const exact = Math.log2(isLast ? low : high) * perOctave;
    const index = Math.round(exact);
    if (Math.abs(exact - index) > TOLERANCE * Math.max(1, Math.abs(exact))) return undefined;
    side.push([isLast ? index + 1 : index, count]);
  }
  return { schema, negative: sorted(negative), positive: sorted(positive), customValues: [] };
}

/** The schema whose neighbouring bounds have this ratio, 2^(2^−schema). */
function schemaOf(low: number, high: number): number | undefined {
  const exact = -Math.log2(Math.log2(high) - Math.log2(low));
  const schema = Math.round(exact);
  const isOne = Math.abs(exact - schema) < 1e-3 && schema >= LOWEST_SCHEMA && schema <= HIGHEST_SCHEMA;
  return isOne ? schema : undefined;
}

/** Custom buckets are those between the bounds that are shown. */
function custom(buckets: readonly Bucket[]): Buckets | undefined {
  const bounds = new Set(buckets.flatMap(({ left, right }) => [left, right]).filter(Number.isFinite));
  const customValues = [...bounds].sort((a, b) => a - b);
  const positive: IndexedCount[] = [];
  for (const { left, right, count } of buckets) {
    const index = right === Number.POSITIVE_INFINITY ? customValues.length : customValues.indexOf(right);
    const before = index === 0 ? Number.NEGATIVE_INFINITY : customValues[index - 1];
    // Two buckets would overlap.
    if (before !== left) return undefined;
    positive.push([index, count]);
  }
  return { schema: CUSTOM_BUCKETS_SCHEMA, negative: [], positive: sorted(positive), customValues };
}

function sorted(counts: IndexedCount[]): IndexedCount[] {
  return counts.sort(([a], [b]) => a - b);
}

const WRITER = new MessageWriter();
const PART = new MessageWriter();
const DOUBLE = new DataView(new ArrayBuffer(8));

interface Totals {
  readonly count: number;
  readonly sum: number;
  readonly zero: Bucket | undefined;
  readonly timeMs: number;
}

function encode(
  { schema, negative, positive, customValues }: Buckets,
  { count, sum, zero, timeMs }: Totals,
): Uint8Array {
  WRITER.clear();
  field(HISTOGRAM_TAGS.countFloat, count);
  if (sum !== 0 || Object.is(sum, -0)) field(HISTOGRAM_TAGS.sum, sum);
  if (schema !== 0) {
    WRITER.uint32(HISTOGRAM_TAGS.schema);
    WRITER.zigzag(schema < 0 ? -1 : 0, schema);
  }
  if (zero !== undefined && zero.right !== 0) field(HISTOGRAM_TAGS.zeroThreshold, zero.right);
  field(HISTOGRAM_TAGS.zeroCountFloat, zero?.count ?? 0);
  writeBuckets(negative, HISTOGRAM_TAGS.negativeSpans, HISTOGRAM_TAGS.negativeCounts);
  writeBuckets(positive, HISTOGRAM_TAGS.positiveSpans, HISTOGRAM_TAGS.positiveCounts);
  WRITER.uint32(HISTOGRAM_TAGS.timestamp);
  WRITER.int64(timeMs);
  if (customValues.length > 0) packed(HISTOGRAM_TAGS.customValues, customValues);
  return WRITER.copy();
}

/** One span for each run of neighbouring buckets. */
function writeBuckets(buckets: readonly IndexedCount[], spansTag: number, countsTag: number): void {
  if (buckets.length === 0) return;
  let next = 0;
  for (let from = 0; from < buckets.length; ) {
    const [first] = buckets[from] as IndexedCount;
    let length = 1;
    while (buckets[from + length]?.[0] === first + length) length++;
    PART.clear();
    const offset = first - next;
    if (offset !== 0) {
      PART.uint32(HISTOGRAM_TAGS.spanOffset);
      PART.zigzag(offset < 0 ? -1 : 0, offset);
    }
    PART.uint32(HISTOGRAM_TAGS.spanLength);
    PART.uint32(length);
    const span = PART.copy();
    WRITER.uint32(spansTag);
    WRITER.uint32(span.length);
    WRITER.append(span);
    next = first + length;
    from += length;
  }
  packed(
    countsTag,
    buckets.map(([, count]) => count),
  );
}

function packed(tag: number, values: readonly number[]): void {
  WRITER.uint32(tag);
  WRITER.uint32(8 * values.length);
  for (const value of values) double(value);
}

function field(tag: number, value: number): void {
  WRITER.uint32(tag);
  double(value);
}

function double(value: number): void {
  DOUBLE.setFloat64(0, value);
  // Prometheus' own NaN, 0x7ff8000000000001.
  if (Number.isNaN(value)) DOUBLE.setInt32(4, 1);
  WRITER.double(DOUBLE.getInt32(0), DOUBLE.getInt32(4));
}
