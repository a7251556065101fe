// The chunks of native histograms (encodings 2, 3, 5 and 6): a layout that all samples share, then the numbers of each sample. Each sample
// becomes one `prometheus.Histogram` message, identical to the one that Prometheus sends in SAMPLES mode.

import { type BitReader, safeTime } from './bit-reader.ts';
import { StartTimestamps } from './chunk-start-timestamps.ts';
import { WireError } from '../errors.ts';
import {
  type HistogramLayout,
  HISTOGRAM_TAGS,
  MessageWriter,
  type ResetHint,
  RESET_HINTS,
  varintBytes,
} from './histogram-message.ts';
import { FloatHistogramValues, type HistogramValues, IntegerHistogramValues } from './histogram-values.ts';
import type { SampleColumns } from '../sample-columns.ts';

export type HistogramChunkKind = {
  readonly name: string;
  readonly float: boolean;
  readonly startTimestamps: boolean;
};

const HEADER_BYTES = 3;
/** Zero threshold, schema, two span counts, time, and the first sample's count, zero count and sum. */
const FIRST_INTEGER_BITS = 8 + 3 + 1 + 2 + 64;
const FIRST_FLOAT_BITS = 8 + 3 + 1 + 3 * 64;
const LATER_SAMPLE_BITS = 4;

export const CUSTOM_BUCKETS_SCHEMA = -53;
const GAUGE_HEADER = 0xc0;
// The float64 range has 2^11 powers of two on each side of zero. The finest schema that Prometheus writes cuts each into 2^8 buckets.
const MAX_BUCKETS = 2 ** 20;
// One bit of a chunk can unpack to eight bytes of a message. Real chunks unpack to less than a megabyte.
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Far above the size of any real histogram. A histogram in memory takes several times the size of its message. */
export const MAX_HISTOGRAM_BYTES = 2 * 1024 * 1024;
/** A generous bound for count, sum, zero count, threshold and time of a message, with their tags. */
const FIXED_MESSAGE_BYTES = 80;
const LONGEST_BUCKET_BYTES = 10;

const WRITER = new MessageWriter();

/**
 * The maximum bytes that the messages of a chunk take, computed from the chunk's layout. 0 for a chunk that cannot be decoded:
 * `decodeHistogramChunk` then throws the reason.
 */
export function histogramMessageBytes(kind: HistogramChunkKind, reader: BitReader, count: number): number {
  if (count === 0) return 0;
  try {
    reader.load(kind.name, HEADER_BYTES, Number.POSITIVE_INFINITY);
    const layout = readLayout(reader);
    const buckets = layout.positiveBuckets + layout.negativeBuckets;
    const shared = layout.scale.length + layout.positiveSpans.length + layout.negativeSpans.length;
    return count * (FIXED_MESSAGE_BYTES + shared + layout.customValues.length + LONGEST_BUCKET_BYTES * buckets);
  } catch (error) {
    if (error instanceof WireError) return 0;
    throw error;
  }
}

/**
 * Appends the histograms of a chunk with fromMs <= t < toMs as `prometheus.Histogram` messages. Throws WireError ('truncated', 'corrupt',
 * or 'unknown-encoding' for a schema of a later Prometheus) and then appends nothing.
 *
 * Three things match the iterator of current Prometheus versions. The first sample of a counter chunk has the reset hint UNKNOWN whatever
 * the chunk's header says, because the chunk before may be gone. The later samples have NO. A stale sample has only its sum. One thing
 * differs: schemas above 8 stay as they are stored, while Prometheus since 3.7 merges their buckets down to schema 8.
 */
export function decodeHistogramChunk(
  kind: HistogramChunkKind,
  reader: BitReader,
  count: number,
  fromMs: number,
  toMs: number,
  columns: SampleColumns,
): void {
  if (count === 0) return;
  reader.load(kind.name, HEADER_BYTES, Number.POSITIVE_INFINITY);
  const least = (kind.float ? FIRST_FLOAT_BITS : FIRST_INTEGER_BITS) + (count - 1) * LATER_SAMPLE_BITS;
  reader.require(least, `${count} samples`);
  const held = columns.histograms.length;
  try {
    decodeSamples(kind, reader, count, fromMs, toMs, columns);
  } catch (error) {
    columns.histograms.length = held;
    columns.histogramTimesMs.length = held;
    throw error;
  }
}

function decodeSamples(
  kind: HistogramChunkKind,
  reader: BitReader,
  count: number,
  fromMs: number,
  toMs: number,
  columns: SampleColumns,
): void {
  const gauge = (reader.byteAt(kind.startTimestamps ? 0 : 2) & GAUGE_HEADER) === GAUGE_HEADER;
  const starts = new StartTimestamps(kind.startTimestamps ? reader.byteAt(2) : 0);
  const layout = readLayout(reader);
  if (kind.float) reader.require(64 * (layout.positiveBuckets + layout.negativeBuckets), 'buckets');
  const values = kind.float ? new FloatHistogramValues(layout) : new IntegerHistogramValues(layout);
  let time = 0;
  let delta = 0;
  let messageBytes = 0;
  let started = false;
  for (let i = 0; i < count; i++) {
    const previous = time;
    reader.varbitInt();
    if (i === 0) {
      time = safeTime(reader.signed());
      values.readFirst(reader);
    } else {
      delta = safeTime(delta + safeTime(reader.signed()));
      time = safeTime(time + delta);
      values.readNext(reader);
    }
    starts.read(reader, i, time, previous);
    if (time < fromMs || time >= toMs) continue;
    const hint = gauge ? RESET_HINTS.gauge : i === 0 ? RESET_HINTS.unknown : RESET_HINTS.no;
    const message = encodeMessage(layout, values, hint, time);
    messageBytes += message.length;
    if (message.length > MAX_HISTOGRAM_BYTES) {
      throw new WireError(
        'corrupt',
        `a native histogram takes ${message.length} bytes, more than ${MAX_HISTOGRAM_BYTES}`,
      );
    }
    if (messageBytes > MAX_MESSAGE_BYTES) {
      throw new WireError('corrupt', `chunk of encoding ${kind.name} unpacks to more than ${MAX_MESSAGE_BYTES} bytes`);
    }
    columns.addHistogram(time, message);
    if (starts.present) started = true;
  }
  if (started) columns.startTimestamps = true;
}

function encodeMessage(layout: HistogramLayout, values: HistogramValues, hint: ResetHint, timeMs: number): Uint8Array {
  const full = !values.stale;
  WRITER.clear();
  values.writeCount(WRITER);
  values.writeSum(WRITER);
  if (full) WRITER.append(layout.scale);
  values.writeZeroCount(WRITER);
  if (full) {
    WRITER.append(layout.negativeSpans);
    values.writeNegativeBuckets(WRITER);
    WRITER.append(layout.positiveSpans);
    values.writePositiveBuckets(WRITER);
    if (hint !== RESET_HINTS.unknown) {
      WRITER.uint32(HISTOGRAM_TAGS.resetHint);
      WRITER.uint32(hint);
    }
  }
  if (timeMs !== 0) {
    WRITER.uint32(HISTOGRAM_TAGS.timestamp);
    WRITER.int64(timeMs);
  }
  if (full) WRITER.append(layout.customValues);
  return WRITER.copy();
}

function readLayout(reader: BitReader): HistogramLayout {
  readZeroThreshold(reader);
  const { high, low } = reader;
  const schema = readSmall(reader, 'schema');
  if (schema !== CUSTOM_BUCKETS_SCHEMA && (schema < -9 || schema > 52)) {
    throw new WireError(
      'unknown-encoding',
      `histogram schema ${schema} is not supported; supported are -9 to 52 and -53`,
    );
  }
  WRITER.clear();
  if (schema !== 0) {
    WRITER.uint32(HISTOGRAM_TAGS.schema);
    WRITER.zigzag(schema >> 31, schema);
  }
  if (high !== 0 || low !== 0) {
    WRITER.uint32(HISTOGRAM_TAGS.zeroThreshold);
    WRITER.double(high, low);
  }
  const scale = WRITER.copy();
  const positive = readSpans(reader, HISTOGRAM_TAGS.positiveSpans);
  const negative = readSpans(reader, HISTOGRAM_TAGS.negativeSpans);
  return {
    schema,
    scale,
    negativeSpans: negative.fields,
    positiveSpans: positive.fields,
    customValues: schema === CUSTOM_BUCKETS_SCHEMA ? readCustomValues(reader) : new Uint8Array(0),
    negativeBuckets: negative.buckets,
    positiveBuckets: positive.buckets,
  };
}

/** Reads the bits of the threshold into `reader.high` and `reader.low`. */
function readZeroThreshold(reader: BitReader): void {
  const code = reader.bits(8);
  if (code === 255) {
    reader.bits64(64);
    return;
  }
  // A power of two, stored as its exponent: code 1 is 2^-243, code 254 is 2^10.
  reader.high = code === 0 ? 0 : (code - 244 + 1023) << 20;
  reader.low = 0;
}

/** Reads a signed varbit number that must fit 32 bits. */
function readSmall(reader: BitReader, what: string): number {
  reader.varbitInt();
  if (reader.high !== reader.low >> 31) throw new WireError('corrupt', `histogram ${what} is out of range`);
  return reader.low;
}

/** Reads an unsigned varbit number: a count in the layout. */
function readLength(reader: BitReader, what: string): number {
  reader.varbitUint();
  const length = reader.unsigned();
  if (length > MAX_BUCKETS) throw new WireError('corrupt', `histogram has ${length} ${what}`);
  return length;
}

function readSpans(reader: BitReader, tag: number): { fields: Uint8Array; buckets: number } {
  const spans = readLength(reader, 'spans');
  reader.require(2 * spans, 'spans');
  let buckets = 0;
  WRITER.clear();
  for (let i = 0; i < spans; i++) {
    const length = readLength(reader, 'buckets');
    const offset = readSmall(reader, 'span offset');
    buckets += length;
    const zigzag = ((offset << 1) ^ (offset >> 31)) >>> 0;
    WRITER.uint32(tag);
    WRITER.uint32((zigzag === 0 ? 0 : 1 + varintBytes(0, zigzag)) + (length === 0 ? 0 : 1 + varintBytes(0, length)));
    if (zigzag !== 0) {
      WRITER.uint32(HISTOGRAM_TAGS.spanOffset);
      WRITER.uint32(zigzag);
    }
    if (length !== 0) {
      WRITER.uint32(HISTOGRAM_TAGS.spanLength);
      WRITER.uint32(length);
    }
  }
  if (buckets > MAX_BUCKETS) throw new WireError('corrupt', `histogram has ${buckets} buckets`);
  reader.require(buckets, 'buckets');
  return { fields: WRITER.copy(), buckets };
}

const BOUND = new DataView(new ArrayBuffer(8));

/** Reads the upper bounds of custom buckets. Each is an integer of thousandths plus 1, or 0 followed by the double. */
function readCustomValues(reader: BitReader): Uint8Array {
  const length = readLength(reader, 'custom bounds');
  reader.require(5 * length, 'custom bounds');
  WRITER.clear();
  if (length === 0) return WRITER.copy();
  WRITER.uint32(HISTOGRAM_TAGS.customValues);
  WRITER.uint32(8 * length);
  for (let i = 0; i < length; i++) {
    reader.varbitUint();
    if (reader.high === 0 && reader.low === 0) {
      reader.bits64(64);
      WRITER.double(reader.high, reader.low);
    } else {
      BOUND.setFloat64(0, (reader.unsigned() - 1) / 1000);
      WRITER.double(BOUND.getInt32(0), BOUND.getInt32(4));
    }
  }
  return WRITER.copy();
}
