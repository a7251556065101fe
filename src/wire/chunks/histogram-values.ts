// The numbers of the native histograms of one chunk, carried from sample to sample: integers as deltas of deltas, floats as XORs.

import { type BitReader, XorValues } from './bit-reader.ts';
import { type HistogramLayout, HISTOGRAM_TAGS, type MessageWriter, varintBytes } from './histogram-message.ts';
import { STALE_HIGH, STALE_LOW } from '../stale-marker.ts';

/** Count, zero count, sum and buckets of the current sample. */
export interface HistogramValues {
  /** Reads the chunk's first sample, after its time. Throws WireError 'truncated'. */
  readFirst(reader: BitReader): void;
  /** Reads a later sample, after its time. A stale sample has no buckets. Throws WireError. */
  readNext(reader: BitReader): void;
  /** Whether the sum is the stale marker. A stale histogram has no other content. */
  readonly stale: boolean;
  /** Writes the oneof `count`, 0 for a stale sample. Prometheus always writes both oneofs. */
  writeCount(writer: MessageWriter): void;
  /** Writes the field `sum` if any of its bits is set. */
  writeSum(writer: MessageWriter): void;
  /** Writes the oneof `zero_count`, 0 for a stale sample. */
  writeZeroCount(writer: MessageWriter): void;
  writeNegativeBuckets(writer: MessageWriter): void;
  writePositiveBuckets(writer: MessageWriter): void;
}

function isStale(values: XorValues, i: number): boolean {
  return values.bits[2 * i] === STALE_LOW && values.bits[2 * i + 1] === STALE_HIGH;
}

function writeSum(writer: MessageWriter, values: XorValues, i: number): void {
  const low = values.bits[2 * i] as number;
  const high = values.bits[2 * i + 1] as number;
  // Prometheus omits -0 like 0. This code keeps the sign.
  if (low === 0 && high === 0) return;
  writer.uint32(HISTOGRAM_TAGS.sum);
  writer.double(high, low);
}

const COUNT = 0;
const ZERO_COUNT = 1;
const FIRST_INTEGER_BUCKET = 2;

/** HISTOGRAM: 64-bit integers that wrap as in Go, each with its last delta. */
export class IntegerHistogramValues implements HistogramValues {
  stale = false;
  readonly #layout: HistogramLayout;
  readonly #sum = new XorValues(1);
  readonly #length: number;
  // Two entries per number: low half, high half.
  readonly #values: Int32Array;
  readonly #deltas: Int32Array;

  constructor(layout: HistogramLayout) {
    this.#layout = layout;
    this.#length = FIRST_INTEGER_BUCKET + layout.positiveBuckets + layout.negativeBuckets;
    this.#values = new Int32Array(2 * this.#length);
    this.#deltas = new Int32Array(2 * this.#length);
  }

  readFirst(reader: BitReader): void {
    for (let i = 0; i < this.#length; i++) {
      if (i < FIRST_INTEGER_BUCKET) reader.varbitUint();
      else reader.varbitInt();
      this.#values[2 * i] = reader.low;
      this.#values[2 * i + 1] = reader.high;
      if (i === ZERO_COUNT) this.#sum.readRaw(reader, 0);
    }
    this.stale = isStale(this.#sum, 0);
  }

  readNext(reader: BitReader): void {
    for (let i = 0; i < FIRST_INTEGER_BUCKET; i++) this.#advance(reader, i);
    this.#sum.readXor(reader, 0);
    this.stale = isStale(this.#sum, 0);
    if (this.stale) return;
    for (let i = FIRST_INTEGER_BUCKET; i < this.#length; i++) this.#advance(reader, i);
  }

  #advance(reader: BitReader, i: number): void {
    reader.varbitInt();
    add(this.#deltas, i, reader.low, reader.high);
    add(this.#values, i, this.#deltas[2 * i] as number, this.#deltas[2 * i + 1] as number);
  }

  writeCount(writer: MessageWriter): void {
    this.#writeNumber(writer, HISTOGRAM_TAGS.countInt, COUNT);
  }

  writeSum(writer: MessageWriter): void {
    writeSum(writer, this.#sum, 0);
  }

  writeZeroCount(writer: MessageWriter): void {
    this.#writeNumber(writer, HISTOGRAM_TAGS.zeroCountInt, ZERO_COUNT);
  }

  writeNegativeBuckets(writer: MessageWriter): void {
    const first = FIRST_INTEGER_BUCKET + this.#layout.positiveBuckets;
    this.#writeDeltas(writer, HISTOGRAM_TAGS.negativeDeltas, first, this.#length);
  }

  writePositiveBuckets(writer: MessageWriter): void {
    const end = FIRST_INTEGER_BUCKET + this.#layout.positiveBuckets;
    this.#writeDeltas(writer, HISTOGRAM_TAGS.positiveDeltas, FIRST_INTEGER_BUCKET, end);
  }

  #writeNumber(writer: MessageWriter, tag: number, i: number): void {
    writer.uint32(tag);
    if (this.stale) writer.uint32(0);
    else writer.varint(this.#values[2 * i + 1] as number, this.#values[2 * i] as number);
  }

  #writeDeltas(writer: MessageWriter, tag: number, first: number, end: number): void {
    if (first === end) return;
    const values = this.#values;
    let bytes = 0;
    for (let i = first; i < end; i++) {
      const low = values[2 * i] as number;
      const high = values[2 * i + 1] as number;
      const sign = high >> 31;
      bytes += varintBytes(((high << 1) | (low >>> 31)) ^ sign, (low << 1) ^ sign);
    }
    writer.uint32(tag);
    writer.uint32(bytes);
    for (let i = first; i < end; i++) writer.zigzag(values[2 * i + 1] as number, values[2 * i] as number);
  }
}

/** Adds a 64-bit number to entry `i`, with wrap-around. */
function add(numbers: Int32Array, i: number, low: number, high: number): void {
  const carry = ((numbers[2 * i] as number) >>> 0) + (low >>> 0) > 0xffff_ffff ? 1 : 0;
  numbers[2 * i] = (numbers[2 * i] as number) + low;
  numbers[2 * i + 1] = (numbers[2 * i + 1] as number) + high + carry;
}

const SUM = 2;
const FIRST_FLOAT_BUCKET = 3;

/** FLOAT_HISTOGRAM: doubles, each kept as its bits. */
export class FloatHistogramValues implements HistogramValues {
  stale = false;
  readonly #layout: HistogramLayout;
  readonly #length: number;
  readonly #values: XorValues;

  constructor(layout: HistogramLayout) {
    this.#layout = layout;
    this.#length = FIRST_FLOAT_BUCKET + layout.positiveBuckets + layout.negativeBuckets;
    this.#values = new XorValues(this.#length);
  }

  readFirst(reader: BitReader): void {
    for (let i = 0; i < this.#length; i++) this.#values.readRaw(reader, i);
    this.stale = isStale(this.#values, SUM);
  }

  readNext(reader: BitReader): void {
    for (let i = 0; i < FIRST_FLOAT_BUCKET; i++) this.#values.readXor(reader, i);
    this.stale = isStale(this.#values, SUM);
    if (this.stale) return;
    for (let i = FIRST_FLOAT_BUCKET; i < this.#length; i++) this.#values.readXor(reader, i);
  }

  writeCount(writer: MessageWriter): void {
    this.#writeNumber(writer, HISTOGRAM_TAGS.countFloat, COUNT);
  }

  writeSum(writer: MessageWriter): void {
    writeSum(writer, this.#values, SUM);
  }

  writeZeroCount(writer: MessageWriter): void {
    this.#writeNumber(writer, HISTOGRAM_TAGS.zeroCountFloat, ZERO_COUNT);
  }

  writeNegativeBuckets(writer: MessageWriter): void {
    const first = FIRST_FLOAT_BUCKET + this.#layout.positiveBuckets;
    this.#writeCounts(writer, HISTOGRAM_TAGS.negativeCounts, first, this.#length);
  }

  writePositiveBuckets(writer: MessageWriter): void {
    const end = FIRST_FLOAT_BUCKET + this.#layout.positiveBuckets;
    this.#writeCounts(writer, HISTOGRAM_TAGS.positiveCounts, FIRST_FLOAT_BUCKET, end);
  }

  #writeNumber(writer: MessageWriter, tag: number, i: number): void {
    writer.uint32(tag);
    if (this.stale) writer.double(0, 0);
    else writer.double(this.#values.bits[2 * i + 1] as number, this.#values.bits[2 * i] as number);
  }

  #writeCounts(writer: MessageWriter, tag: number, first: number, end: number): void {
    if (first === end) return;
    const { bits } = this.#values;
    writer.uint32(tag);
    writer.uint32(8 * (end - first));
    for (let i = first; i < end; i++) writer.double(bits[2 * i + 1] as number, bits[2 * i] as number);
  }
}
