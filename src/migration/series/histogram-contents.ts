// What a native histogram says. The same histogram has several encodings: a store that keeps histograms in chunks adds empty buckets, and
// changes the reset hint where a chunk begins. So contents are compared, not bytes. Pure.

import { RESET_HINTS } from '../../wire/chunks/histogram-message.ts';
import { WireError } from '../../wire/errors.ts';
import { ProtoReader } from '../../wire/proto-reader.ts';
import { floatText } from './float-text.ts';

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

export interface Buckets {
  spans: [offset: number, length: number][];
  /** Of an integer histogram: each bucket's difference from the one before it. */
  deltas: bigint[];
  counts: string[];
}

export interface HistogramFields {
  isFloat: boolean;
  /** `Histogram.ResetHint`. */
  resetHint: number;
  count: string;
  sum: string;
  schema: number;
  zeroThreshold: string;
  zeroCount: string;
  negative: Buckets;
  positive: Buckets;
  customValues: string[];
}

/** What a histogram says, as text: two histograms are the same if their texts are. */
export function histogramText(message: Uint8Array): string {
  return textOf(fieldsOf(message));
}

/** Whether they are the same histogram, whatever their encodings. */
export function isSameHistogram(one: Uint8Array, other: Uint8Array): boolean {
  return histogramText(one) === histogramText(other);
}

/** Whether it says if the counter was reset before it. That is relative to the samples before it, of the store that says so. */
export function hasResetHint(message: Uint8Array): boolean {
  return fieldsOf(message).resetHint !== RESET_HINTS.unknown;
}

export function textOf(fields: HistogramFields): string {
  const { isFloat, resetHint, count, sum, schema, zeroThreshold, zeroCount, negative, positive, customValues } = fields;
  const kind = `${isFloat ? 'float' : 'integer'}${resetHint === RESET_HINTS.gauge ? ' gauge' : ''}`;
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
export function countsOf({ spans, deltas, counts }: Buckets, isFloat: boolean): [index: number, count: string][] {
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

export function fieldsOf(message: Uint8Array): HistogramFields {
  const buckets = (): Buckets => ({ spans: [], deltas: [], counts: [] });
  const fields: HistogramFields = {
    isFloat: false,
    resetHint: RESET_HINTS.unknown,
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
    fields.count = `unreadable: ${error.message}: ${Buffer.from(message).toString('hex')}`;
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
      fields.resetHint = reader.uvarint();
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
