// remote_write 1.0 requests as they go out: decoded samples straight into the snappy block of a `prometheus.WriteRequest`. This is the hot
// path of a migration. No compressor has to search, because what repeats in such a message is known: the tags of every sample, the upper
// bytes of its time, unchanged values and the zeros below integers, the timestamps of series that were scraped together, most of the
// labels. Filled by migration/lanes.ts.

import { EarlierSeries } from './earlier-series.ts';
import type { LabelBytes } from '../labels.ts';
import { uvarintSize, writeUvarint } from '../proto-reader.ts';
import type { SampleColumns } from '../sample-columns.ts';
import { decompress } from '../snappy/snappy.ts';
import { REACH_BYTES, SnappyWriter, writeCopy } from '../snappy/snappy-writer.ts';

const TAG_TIMESERIES = 0x0a;
const TAG_SAMPLES = 0x12;
const TAG_HISTOGRAMS = 0x22;
const TAG_SAMPLE_VALUE = 0x09;
const TAG_SAMPLE_TIME = 0x10;

/** An ordinary Sample: its tag, its length and the value's tag; the value; the time's tag; six bytes of time. */
const HEAD_BYTES = 3;
const VALUE_BYTES = 8;
const TIME_TAG_BYTES = 1;
const TIME_BYTES = 6;
const SAMPLE_BYTES = HEAD_BYTES + VALUE_BYTES + TIME_TAG_BYTES + TIME_BYTES;
const LONGEST_SAMPLE_BYTES = SAMPLE_BYTES + 4;
/** Today's milliseconds take six bytes as a varint: 2^35 is early 1971, 2^42 the year 2109. */
const SIX_BYTES_FROM = 2 ** 35;
const SIX_BYTES_TO = 2 ** 42;
/** The lower four of them are four groups of seven bits. */
const LOWER_TIMES = 2 ** 28;

/** One copy and one literal of value and time, and what is written beyond the end and then overwritten. */
const SAMPLE_ELEMENT_BYTES = 3 + 1 + VALUE_BYTES + TIME_TAG_BYTES + TIME_BYTES;
const OVERHANG_BYTES = 64;
const SHORTEST_LABEL_COPY = 6;
/** Of a series' samples in other forms: more is rare, and not kept from request to request. */
const MAX_KEPT_BYTES = 256 * 1024;

/** One WriteRequest in the making. Reused from batch to batch: `clear()` keeps the memory. */
export class WriteBatch {
  readonly #block: SnappyWriter;
  readonly #earlier = new EarlierSeries();
  /** The labels that were appended last, and where in the message they stand. */
  #labels = new Uint8Array(512);
  #labelsLength = 0;
  #labelsStart = 0;
  #scratch = new Uint8Array(64);
  #samples = 0;
  #series = 0;
  #histograms = 0;

  /** `capacityBytes` is where the memory for the compressed request starts; it grows when a series needs more. */
  constructor(capacityBytes: number) {
    this.#block = new SnappyWriter(capacityBytes);
  }

  /** The request's body, one snappy block: a view that is valid until the next append or `clear()`. */
  body(): Uint8Array {
    return this.#block.block();
  }

  /** The WriteRequest itself, in memory of its own. It has to be decompressed: for failures and tests. */
  request(): Uint8Array {
    return decompress(this.body(), this.byteLength);
  }

  /** Of the WriteRequest itself. */
  get byteLength(): number {
    return this.#block.contentBytes;
  }

  /** Float samples and histograms. */
  get samples(): number {
    return this.#samples;
  }

  get histograms(): number {
    return this.#histograms;
  }

  /** TimeSeries entries: floats and histograms of one series are two. */
  get series(): number {
    return this.#series;
  }

  clear(): void {
    this.#block.clear();
    if (this.#scratch.length > MAX_KEPT_BYTES) this.#scratch = new Uint8Array(64);
    this.#earlier.clear();
    this.#labelsLength = 0;
    this.#samples = 0;
    this.#series = 0;
    this.#histograms = 0;
  }

  /** Appends one TimeSeries with the float samples [from, to) of `columns`, ascending in time; nothing when that is empty. */
  appendFloats(labels: LabelBytes, columns: SampleColumns, from: number, to: number): void {
    if (to <= from) return;
    const block = this.#block;
    const times = columns.floatTimesMs;
    if ((times[from] as number) < SIX_BYTES_FROM || (times[to - 1] as number) >= SIX_BYTES_TO) {
      this.#appendUnusualFloats(labels, columns, from, to);
      return;
    }
    const samplesBytes = (to - from) * SAMPLE_BYTES;
    this.#open(labels, samplesBytes, to - from);
    block.reserve((to - from) * SAMPLE_ELEMENT_BYTES + OVERHANG_BYTES);
    const start = block.contentBytes;
    const alongside = from + this.#earlier.find(start, times, from, to);
    if (alongside > from) writeAlongside(block, this.#earlier, columns, from, alongside);
    if (alongside < to) writeAlone(block, columns, from, alongside, to);
    block.contentBytes = start + samplesBytes;
    this.#earlier.add(start, columns, from, to);
  }

  /** Appends one TimeSeries with the histograms [from, to) of `columns`, byte for byte; nothing when that is empty. */
  appendHistograms(labels: LabelBytes, columns: SampleColumns, from: number, to: number): void {
    if (to <= from) return;
    let size = 0;
    for (let index = from; index < to; index++) {
      const { length } = columns.histograms[index] as Uint8Array;
      size += 1 + uvarintSize(length) + length;
    }
    const out = this.#scratchOf(size);
    let at = 0;
    for (let index = from; index < to; index++) {
      const message = columns.histograms[index] as Uint8Array;
      out[at] = TAG_HISTOGRAMS;
      at = writeUvarint(out, at + 1, message.length);
      out.set(message, at);
      at += message.length;
    }
    this.#open(labels, size, to - from);
    this.#block.unknown(out, 0, size);
    this.#histograms += to - from;
  }

  /** Appends one TimeSeries with one float sample of the migrator's own. */
  appendSample(labels: LabelBytes, timeMs: number, value: number): void {
    this.#block.reserve(SAMPLE_ELEMENT_BYTES);
    const out = this.#scratchOf(LONGEST_SAMPLE_BYTES);
    const bits = new Uint32Array(new Float64Array([value]).buffer);
    const end = writeSample(out, 0, timeMs, bits[0] as number, bits[1] as number);
    this.#open(labels, end, 1);
    this.#block.literal(out, 0, end);
  }

  /** Times before 1971 or after 2109: varints of other lengths. */
  #appendUnusualFloats(labels: LabelBytes, columns: SampleColumns, from: number, to: number): void {
    const { floatTimesMs: times, floatBits: bits } = columns;
    const out = this.#scratchOf((to - from) * LONGEST_SAMPLE_BYTES);
    let at = 0;
    for (let i = from; i < to; i++) {
      at = writeSample(out, at, times[i] as number, bits[2 * i] as number, bits[2 * i + 1] as number);
    }
    this.#open(labels, at, to - from);
    this.#block.unknown(out, 0, at);
  }

  #scratchOf(size: number): Uint8Array {
    if (this.#scratch.length < size) this.#scratch = new Uint8Array(Math.max(size, 2 * this.#scratch.length));
    return this.#scratch;
  }

  /** Begins a TimeSeries: everything of it before its samples, which take `samplesBytes`. */
  #open(labels: LabelBytes, samplesBytes: number, samples: number): void {
    headBytes[0] = TAG_TIMESERIES;
    this.#block.literal(headBytes, 0, writeUvarint(headBytes, 1, labels.length + samplesBytes));
    this.#appendLabels(labels);
    this.#samples += samples;
    this.#series++;
  }

  /**
   * Copies what the labels of the series before had at the same place. Both are walked label by label, so that one that became longer
   * does not put those behind it out of step.
   */
  #appendLabels(labels: LabelBytes): void {
    const block = this.#block;
    // Nothing that follows could reach them.
    if (labels.length >= REACH_BYTES) {
      block.literal(labels, 0, labels.length);
      this.#labelsLength = 0;
      return;
    }
    const start = block.contentBytes;
    const distance = start - this.#labelsStart;
    const before = this.#labels;
    const beforeEnd = distance + labels.length < REACH_BYTES ? this.#labelsLength : 0;
    const end = labels.length;
    let at = 0;
    let beforeAt = 0;
    let next = 0;
    let beforeNext = 0;
    let written = 0;
    while (at < end && beforeAt < beforeEnd) {
      let run = 0;
      while (at + run < end && beforeAt + run < beforeEnd && labels[at + run] === before[beforeAt + run]) run++;
      if (run >= SHORTEST_LABEL_COPY) {
        block.literal(labels, written, at);
        block.copy(run, distance + at - beforeAt);
        written = at + run;
      }
      at += run + 1;
      beforeAt += run + 1;
      next = entryEnd(labels, next, at);
      beforeNext = entryEnd(before, beforeNext, beforeAt);
      if (at < next && beforeAt < beforeNext) continue;
      at = next;
      beforeAt = beforeNext;
    }
    block.literal(labels, written, end);
    if (this.#labels.length < end) this.#labels = new Uint8Array(2 * end);
    this.#labels.set(labels);
    this.#labelsLength = end;
    this.#labelsStart = start;
  }
}

const headBytes = new Uint8Array(16);

/** Where the label entry that holds byte `at − 1` ends, searched for from the entry that begins at `from`. */
function entryEnd(labels: Uint8Array, from: number, at: number): number {
  let end = from;
  while (end < at) {
    const length = labels[end + 1] as number;
    // A label longer than this one's length in one byte says: no step is kept beyond it.
    if (!(length < 0x80)) return Number.POSITIVE_INFINITY;
    end += 2 + length;
  }
  return end;
}

/**
 * Samples whose timestamps stand in an earlier series of the request, at the distance that `earlier` found: tags and times are copies, and
 * only what differs of the value is new.
 */
function writeAlongside(
  block: SnappyWriter,
  earlier: EarlierSeries,
  columns: SampleColumns,
  from: number,
  to: number,
): void {
  const { bytes: out, view } = block;
  const bits = columns.floatBits;
  const { distance, bits: earlierBits, mask } = earlier;
  let slot = earlier.slot;
  let at = block.at;
  let previousLow = 0;
  let previousHigh = 0;
  // How many bytes since the last element are as they are in the earlier series.
  let run = 0;
  for (let i = from; i < to; i++) {
    const low = bits[2 * i] as number;
    const high = bits[2 * i + 1] as number;
    const lowChange = low ^ (earlierBits[2 * slot] as number);
    const highChange = high ^ (earlierBits[2 * slot + 1] as number);
    slot = (slot + 1) & mask;
    if ((lowChange | highChange) === 0) {
      run += SAMPLE_BYTES;
    } else if (low === previousLow && high === previousHigh && i > from) {
      at = writeCopy(out, at, run + HEAD_BYTES, distance);
      at = writeCopy(out, at, VALUE_BYTES, SAMPLE_BYTES);
      run = TIME_TAG_BYTES + TIME_BYTES;
    } else {
      const lowerEqual = equalLowBytes(lowChange, highChange);
      const upperEqual = highChange === 0 ? 4 + (Math.clz32(lowChange) >>> 3) : Math.clz32(highChange) >>> 3;
      at = writeCopy(out, at, run + HEAD_BYTES + lowerEqual, distance);
      const length = VALUE_BYTES - lowerEqual - upperEqual;
      out[at] = (length - 1) << 2;
      writeValue(view, at + 1, low, high, lowerEqual);
      at += 1 + length;
      run = upperEqual + TIME_TAG_BYTES + TIME_BYTES;
    }
    previousLow = low;
    previousHigh = high;
  }
  if (run > 0) at = writeCopy(out, at, run, distance);
  block.at = at;
}

/** Samples [first, to) of a series whose samples before, from `from`, are written: each repeats the one before it as far as it can. */
function writeAlone(block: SnappyWriter, columns: SampleColumns, from: number, first: number, to: number): void {
  const { bytes: out, view } = block;
  const { floatTimesMs: times, floatBits: bits } = columns;
  let at = block.at;
  let i = first;
  if (i === from) {
    out[at++] = (SAMPLE_BYTES - 1) << 2;
    at = writeSample(out, at, times[i] as number, bits[2 * i] as number, bits[2 * i + 1] as number);
    i++;
  }
  let time = times[i - 1] as number;
  let low = bits[2 * i - 2] as number;
  let high = bits[2 * i - 1] as number;
  let lower = (time % LOWER_TIMES) | 0;
  let packed = packLower(lower);
  // How many bytes since the last element are as they are one sample earlier.
  let run = 0;
  for (; i < to; i++) {
    const lowChange = low ^ (bits[2 * i] as number);
    const highChange = high ^ (bits[2 * i + 1] as number);
    low ^= lowChange;
    high ^= highChange;
    const step = (times[i] as number) - time;
    time += step;
    run += HEAD_BYTES;
    if (step + lower >= LOWER_TIMES) {
      // Every three days the upper time bytes change.
      at = writeCopy(out, at, run, SAMPLE_BYTES);
      lower = (time % LOWER_TIMES) | 0;
      packed = packLower(lower);
      const upper = Math.floor(time / LOWER_TIMES);
      out[at] = (VALUE_BYTES + TIME_TAG_BYTES + TIME_BYTES - 1) << 2;
      writeValue(view, at + 1, low, high, 0);
      out[at + 9] = TAG_SAMPLE_TIME;
      view.setInt32(at + 10, packed, true);
      out[at + 14] = upper | 0x80;
      out[at + 15] = upper >>> 7;
      at += 16;
      run = 0;
      continue;
    }
    lower += step;
    const before = packed;
    packed = packLower(lower);
    const timeBytes = 4 - (Math.clz32(packed ^ before) >>> 3);
    if ((lowChange | highChange) === 0) {
      at = writeCopy(out, at, run + VALUE_BYTES + TIME_TAG_BYTES, SAMPLE_BYTES);
      out[at] = (timeBytes - 1) << 2;
      at++;
    } else {
      const equal = equalLowBytes(lowChange, highChange);
      at = writeCopy(out, at, run + equal, SAMPLE_BYTES);
      out[at] = (VALUE_BYTES - equal + TIME_TAG_BYTES + timeBytes - 1) << 2;
      writeValue(view, at + 1, low, high, equal);
      at += 1 + VALUE_BYTES - equal;
      out[at] = TAG_SAMPLE_TIME;
      at++;
    }
    view.setInt32(at, packed, true);
    at += timeBytes;
    run = TIME_BYTES - timeBytes;
  }
  if (run > 0) at = writeCopy(out, at, run, SAMPLE_BYTES);
  block.at = at;
}

/** How many of a double's bytes, from the lowest, have no bit in these halves; one of them is not 0. */
function equalLowBytes(low: number, high: number): number {
  // x & −x leaves the lowest bit.
  return low === 0 ? 4 + ((31 - Math.clz32(high & -high)) >>> 3) : (31 - Math.clz32(low & -low)) >>> 3;
}

/** Writes eight bytes of which the first `8 − skipped` are the value's without its lowest `skipped`. */
function writeValue(view: DataView, at: number, low: number, high: number, skipped: number): void {
  if (skipped === 0) {
    view.setInt32(at, low, true);
    view.setInt32(at + 4, high, true);
  } else if (skipped < 4) {
    view.setInt32(at, (low >>> (8 * skipped)) | (high << (32 - 8 * skipped)), true);
    view.setInt32(at + 4, high >>> (8 * skipped), true);
  } else {
    view.setInt32(at, high >>> (8 * (skipped - 4)), true);
  }
}

/** The lower 28 bits of a time as the first four bytes of its varint. */
function packLower(lower: number): number {
  return (
    (lower & 0x7f) |
    ((lower & 0x3f80) << 1) |
    ((lower & 0x1f_c000) << 2) |
    ((lower & 0xfe0_0000) << 3) |
    (0x8080_8080 | 0)
  );
}

/** Writes one Sample. The value stands in it even when it is +0, so that its bits are in the request as they were at the source. */
function writeSample(out: Uint8Array, start: number, timeMs: number, low: number, high: number): number {
  out[start] = TAG_SAMPLES;
  out[start + 2] = TAG_SAMPLE_VALUE;
  for (let byte = 0; byte < 4; byte++) {
    out[start + HEAD_BYTES + byte] = low >>> (8 * byte);
    out[start + HEAD_BYTES + 4 + byte] = high >>> (8 * byte);
  }
  out[start + HEAD_BYTES + VALUE_BYTES] = TAG_SAMPLE_TIME;
  const end = writeInt64(out, start + HEAD_BYTES + VALUE_BYTES + TIME_TAG_BYTES, timeMs);
  out[start + 1] = end - start - 2;
  return end;
}

function writeInt64(out: Uint8Array, start: number, value: number): number {
  let low = value >>> 0;
  let high = Math.floor(value / 0x100000000) >>> 0;
  let at = start;
  while (high !== 0 || low >= 0x80) {
    out[at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  out[at++] = low;
  return at;
}
