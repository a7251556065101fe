// Whether two native histograms count as equal. The same histogram has several encodings: a store that keeps histograms in chunks adds
// empty buckets, and changes the reset hint where a chunk begins. So their contents are compared, not their bytes. Pure.

import { CUSTOM_BUCKETS_SCHEMA } from '../../wire/chunks/chunk-histogram.ts';
import { WireError } from '../../wire/errors.ts';
import { ProtoReader } from '../../wire/proto-reader.ts';
import type { ExpectedChange } from '../report/verification.ts';
import { floatText, type Lens, STALE_TEXT, type Verdict } from './float-comparison.ts';

/** The fields of prometheus.Histogram (types.proto). */
const FIELD = {
  countInt: 1,
  countFloat: 2,
  sum: 3,
  schema: 4,
  zeroThreshold: 5,
  zeroCountInt: 6,
  zeroCountFloat: 7,
  negativeSpans: 8,
  negativeDeltas: 9,
  negativeCounts: 10,
  positiveSpans: 11,
  positiveDeltas: 12,
  positiveCounts: 13,
  resetHint: 14,
  customValues: 16,
} as const;
const GAUGE = 3;

interface Buckets {
  spans: [offset: number, length: number][];
  /** Of an integer histogram: each bucket's difference from the one before it. */
  deltas: bigint[];
  counts: string[];
}

interface HistogramFields {
  isFloat: boolean;
  isGauge: boolean;
  count: string;
  sum: string;
  schema: number;
  zeroThreshold: string;
  zeroCount: string;
  negative: Buckets;
  positive: Buckets;
  customValues: string[];
}

/** Compares two prometheus.Histogram messages of the same time. */
export function histogramVerdict(source: Uint8Array, destination: Uint8Array, lens: Lens): Verdict {
  if (Buffer.compare(source, destination) === 0) return 'equal';
  const before = fieldsOf(source);
  const after = fieldsOf(destination);
  if (textOf(before) === textOf(after)) return 'equal';
  if (lens.promql || lens.queriedSource === true) {
    // Both messages are whole: only one of them is made of what a query shows.
    const showsBuckets = !lens.promql;
    const isSame = isSameSummary(before, after) && !(showsBuckets && haveOtherBuckets(before, after));
    return isSame ? 'promql_histograms' : 'different';
  }
  const lacksBounds = before.customValues.length === 0 || after.customValues.length === 0;
  if (!lens.samples || !lacksBounds) return 'different';
  const bounds = { customValues: [] };
  const isSame = textOf({ ...before, ...bounds }) === textOf({ ...after, ...bounds });
  return isSame ? 'samples_histogram_bounds' : 'different';
}

/** Why the destination does not have a histogram of the source; undefined if there is no expected reason. */
export function missingHistogramReason(message: Uint8Array, lens: Lens): ExpectedChange | undefined {
  if (lens.victoriaMetrics) return 'victoriametrics_histograms';
  if (lens.influxdb) return 'influxdb_histograms';
  // The sum of a histogram that marks the end of its series is a stale marker.
  return lens.promql && fieldsOf(message).sum === STALE_TEXT ? 'promql_stale_markers' : undefined;
}

/** Why the source does not show a histogram of the destination; undefined if there is no expected reason. */
export function extraHistogramReason(message: Uint8Array, lens: Lens): ExpectedChange | undefined {
  return lens.queriedSource === true && fieldsOf(message).sum === STALE_TEXT ? 'promql_stale_markers' : undefined;
}

/** What a histogram says, as text: two histograms are the same if their texts are. */
export function histogramText(message: Uint8Array): string {
  return textOf(fieldsOf(message));
}

/** A PromQL result has float counts, and of the layout only what its buckets show. */
function isSameSummary(before: HistogramFields, after: HistogramFields): boolean {
  return Number(before.count) === Number(after.count) && numberOf(before.sum) === numberOf(after.sum);
}

/** Whether the buckets with a count differ. Those of different schemas are not compared. */
function haveOtherBuckets(before: HistogramFields, after: HistogramFields): boolean {
  if (before.schema !== after.schema) return false;
  if (Number(before.zeroCount) !== Number(after.zeroCount)) return true;
  const [a, b] = [shownBuckets(before), shownBuckets(after)];
  return a.size !== b.size || [...a].some(([bucket, count]) => b.get(bucket) !== count);
}

/** The count of each bucket that is not empty, by its sign and its index, or its upper bound if the histogram has custom ones. */
function shownBuckets({ negative, positive, isFloat, customValues, schema }: HistogramFields): Map<string, number> {
  const shown = new Map<string, number>();
  for (const [sign, buckets] of Object.entries({ negative, positive }))
    for (const [index, count] of countsOf(buckets, isFloat)) {
      const bound = schema === CUSTOM_BUCKETS_SCHEMA ? (customValues[index] ?? '+Inf') : index;
      shown.set(`${sign} ${bound}`, Number(count));
    }
  return shown;
}

function numberOf(text: string): number | 'NaN' {
  return text === STALE_TEXT || text.startsWith('NaN') ? 'NaN' : Number(text.replace('Inf', 'Infinity'));
}

function textOf(fields: HistogramFields): string {
  const { isFloat, isGauge, count, sum, schema, zeroThreshold, zeroCount, negative, positive, customValues } = fields;
  const kind = `${isFloat ? 'float' : 'integer'}${isGauge ? ' gauge' : ''}`;
  const buckets = `negative:[${bucketsText(negative, isFloat)}] positive:[${bucketsText(positive, isFloat)}]`;
  const bounds = customValues.length === 0 ? '' : ` bounds:[${customValues.join(' ')}]`;
  return `{${kind} schema:${schema} count:${count} sum:${sum} zero:${zeroCount} within ${zeroThreshold} ${buckets}${bounds}}`;
}

/** `index:count` of all buckets that are not empty. */
function bucketsText(buckets: Buckets, isFloat: boolean): string {
  return countsOf(buckets, isFloat)
    .map(([index, count]) => `${index}:${count}`)
    .join(' ');
}

/** Of all buckets that are not empty. */
function countsOf({ spans, deltas, counts }: Buckets, isFloat: boolean): [index: number, count: string][] {
  const found: [number, string][] = [];
  let index = 0;
  let at = 0;
  let count = 0n;
  for (const [offset, length] of spans) {
    index += offset;
    const present = Math.min(length, (isFloat ? counts.length : deltas.length) - at);
    for (let i = 0; i < present; i++, index++, at++) {
      count += deltas[at] ?? 0n;
      const text = isFloat ? (counts[at] ?? '0') : count.toString();
      if (text !== '0') found.push([index, text]);
    }
  }
  return found;
}

function fieldsOf(message: Uint8Array): HistogramFields {
  const buckets = (): Buckets => ({ spans: [], deltas: [], counts: [] });
  const fields: HistogramFields = {
    isFloat: false,
    isGauge: false,
    count: '0',
    sum: '0',
    schema: 0,
    zeroThreshold: '0',
    zeroCount: '0',
    negative: buckets(),
    positive: buckets(),
    customValues: [],
  };
  const reader = new ProtoReader(message);
  try {
    while (reader.nextField()) readField(reader, fields);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    // No other histogram has this text.
    fields.count = `unreadable: ${error.message}`;
  }
  return fields;
}

function readField(reader: ProtoReader, fields: HistogramFields): void {
  switch (reader.field) {
    case FIELD.countInt:
      fields.count = bigVarint(reader).toString();
      break;
    case FIELD.countFloat:
      fields.isFloat = true;
      fields.count = double(reader.bytes, reader.fixed64());
      break;
    case FIELD.sum:
      fields.sum = double(reader.bytes, reader.fixed64());
      break;
    case FIELD.schema:
      fields.schema = Number(zigzag(bigVarint(reader)));
      break;
    case FIELD.zeroThreshold:
      fields.zeroThreshold = double(reader.bytes, reader.fixed64());
      break;
    case FIELD.zeroCountInt:
      fields.zeroCount = bigVarint(reader).toString();
      break;
    case FIELD.zeroCountFloat:
      fields.zeroCount = double(reader.bytes, reader.fixed64());
      break;
    case FIELD.negativeSpans:
      fields.negative.spans.push(span(reader));
      break;
    case FIELD.positiveSpans:
      fields.positive.spans.push(span(reader));
      break;
    case FIELD.negativeDeltas:
      addDeltas(reader, fields.negative.deltas);
      break;
    case FIELD.positiveDeltas:
      addDeltas(reader, fields.positive.deltas);
      break;
    case FIELD.negativeCounts:
      addDoubles(reader, fields.negative.counts);
      break;
    case FIELD.positiveCounts:
      addDoubles(reader, fields.positive.counts);
      break;
    case FIELD.resetHint:
      fields.isGauge = reader.uvarint() === GAUGE;
      break;
    case FIELD.customValues:
      addDoubles(reader, fields.customValues);
      break;
    default:
      reader.skip();
  }
}

function span(reader: ProtoReader): [offset: number, length: number] {
  reader.delimited();
  const inner = new ProtoReader(reader.bytes, reader.valueStart, reader.valueEnd);
  let [offset, length] = [0, 0];
  while (inner.nextField()) {
    if (inner.field === 1) offset = Number(zigzag(bigVarint(inner)));
    else if (inner.field === 2) length = inner.uvarint();
    else inner.skip();
  }
  return [offset, length];
}

const VARINT = 0;
const FIXED64 = 1;

/** Packed or not. */
function addDeltas(reader: ProtoReader, to: bigint[]): void {
  if (reader.wireType === VARINT) {
    to.push(zigzag(bigVarint(reader)));
    return;
  }
  reader.delimited();
  const inner = new ProtoReader(reader.bytes, reader.valueStart, reader.valueEnd);
  while (inner.position < inner.end) to.push(zigzag(bigVarint(inner)));
}

function addDoubles(reader: ProtoReader, to: string[]): void {
  if (reader.wireType === FIXED64) {
    to.push(double(reader.bytes, reader.fixed64()));
    return;
  }
  reader.delimited();
  for (let at = reader.valueStart; at + 8 <= reader.valueEnd; at += 8) to.push(double(reader.bytes, at));
}

function double(bytes: Uint8Array, at: number): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
  return floatText(view.getUint32(0, true), view.getUint32(4, true));
}

/** All 64 bits. The reader has checked that the message is well formed. */
function bigVarint(reader: ProtoReader): bigint {
  let value = 0n;
  for (let shift = 0n; reader.position < reader.end && shift < 70n; shift += 7n) {
    const byte = reader.bytes[reader.position++] as number;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return BigInt.asUintN(64, value);
}

function zigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}
