// Native histograms as a query API shows them: {"count":"6","sum":"7.5","buckets":[[0,"1","2","3"],…]}, each bucket with its bounds, and not with
// schema and index. Both are found again from the bounds (histogram-layout.ts). What JSON does not show is lost: whether counts were integers (a
// query engine computes with floats), reset hints, and bounds between which no bucket has a count. Pure.

import { HISTOGRAM_TAGS, MessageWriter } from '../wire/chunks/histogram-message.ts';
import {
  type Bucket,
  boundsOf,
  customLayout,
  indexesOf,
  fitsBothKinds,
  type IndexedCount,
  type Layout,
  type LayoutKind,
  type Layouts,
  layoutsOf,
} from './histogram-layout.ts';

export interface ShownHistogram {
  readonly timeMs: number;
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly Bucket[];
  readonly layouts: Layouts;
}

/** @returns undefined if the value is no histogram */
export function shownHistogram(
  value: unknown,
  timeMs: number,
  numberOf: (text: unknown) => number | undefined,
): ShownHistogram | undefined {
  const { count, sum, buckets = [] } = (value ?? {}) as { count?: unknown; sum?: unknown; buckets?: unknown };
  const [countNumber, sumNumber] = [numberOf(count), numberOf(sum)];
  if (countNumber === undefined || sumNumber === undefined || !Array.isArray(buckets)) return undefined;
  const shown: Bucket[] = [];
  for (const bucket of buckets as unknown[]) {
    const parsed = bucketOf(bucket, numberOf);
    if (parsed === undefined) return undefined;
    shown.push(parsed);
  }
  const layouts = layoutsOf(shown);
  return layouts && { timeMs, count: countNumber, sum: sumNumber, buckets: shown, layouts };
}

/** Histograms of one series as prometheus.Histogram messages with float counts. */
export interface EncodedHistograms {
  readonly messages: readonly Uint8Array[];
  /** What the bounds prove about the series; undefined if they fit both kinds, or if it changed. */
  readonly proven: LayoutKind | undefined;
  /** Later histograms of the series may prove nothing. */
  readonly isWorthKnowing: boolean;
  /** Histograms that were taken for exponential ones although their bounds fit custom buckets too. */
  readonly assumed: number;
}

/** @param known what earlier histograms of the series have proven */
export function encodeHistograms(
  histograms: readonly ShownHistogram[],
  known: LayoutKind | undefined,
): EncodedHistograms {
  const kinds = new Set(histograms.flatMap(({ layouts: { proven } }) => proven ?? []));
  const [proven] = kinds.size === 1 ? kinds : [];
  // A series that has changed its kind has told nothing about the histograms that fit both.
  const usual = kinds.size > 1 ? undefined : (proven ?? known);
  const bounds = boundsOf(histograms.flatMap(({ buckets }) => buckets));
  const indexes = indexesOf(bounds);
  let assumed = 0;
  const messages = histograms.map((histogram) => {
    const { layouts, buckets } = histogram;
    const kind = layouts.proven ?? usual;
    if (kind === undefined && buckets.length > 0) assumed++;
    // Buckets without a count are not shown: another histogram of the series may show their bounds.
    const custom = kind === 'custom' ? (customLayout(buckets, bounds, indexes) ?? layouts.custom) : undefined;
    const layout = custom ?? layouts.exponential ?? layouts.custom;
    if (layout === undefined) throw new RangeError('a histogram without a layout');
    return encode(layout, histogram);
  });
  const isWorthKnowing = proven !== known && histograms.some(({ buckets }) => buckets.some(fitsBothKinds));
  return { messages, proven, isWorthKnowing, assumed };
}

function bucketOf(bucket: unknown, numberOf: (text: unknown) => number | undefined): Bucket | undefined {
  if (!Array.isArray(bucket) || bucket.length !== 4) return undefined;
  const [boundary, ...texts] = bucket as unknown[];
  const [left, right, count] = texts.map(numberOf);
  if (typeof boundary !== 'number' || left === undefined || right === undefined || count === undefined)
    return undefined;
  return Number.isInteger(boundary) && left <= right ? { boundary, left, right, count } : undefined;
}

const WRITER = new MessageWriter();
const PART = new MessageWriter();
const DOUBLE = new DataView(new ArrayBuffer(8));

function encode(
  { schema, zero, negative, positive, customValues }: Layout,
  { count, sum, timeMs }: ShownHistogram,
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
