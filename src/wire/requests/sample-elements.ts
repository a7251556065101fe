// The samples of a `prometheus.WriteRequest` as elements of its snappy block. Bytes that repeat the sample before, or an earlier series
// that was scraped together with this one, become a copy. The other bytes become a literal.

import type { SampleColumns } from '../sample-columns.ts';
import { type SnappyWriter, writeCopy } from '../snappy/snappy-writer.ts';
import type { EarlierSeries } from './earlier-series.ts';

const TAG_SAMPLES = 0x12;
const TAG_SAMPLE_VALUE = 0x09;
const TAG_SAMPLE_TIME = 0x10;

/** The parts of an ordinary Sample: its tag, its length and the value's tag; the value; the time's tag; six bytes of time. */
const HEAD_BYTES = 3;
const VALUE_BYTES = 8;
const TIME_TAG_BYTES = 1;
const TIME_BYTES = 6;
export const SAMPLE_BYTES = HEAD_BYTES + VALUE_BYTES + TIME_TAG_BYTES + TIME_BYTES;
export const LONGEST_SAMPLE_BYTES = SAMPLE_BYTES + 4;

/** The lower four time bytes hold four groups of seven bits. */
const LOWER_TIMES = 2 ** 28;

/** One copy and one literal of value and time, plus the bytes that are written past the end and then overwritten. */
export const SAMPLE_ELEMENT_BYTES = 3 + 1 + VALUE_BYTES + TIME_TAG_BYTES + TIME_BYTES;

/**
 * Writes samples whose timestamps are in an earlier series of the request, at the distance that `earlier` found. Tags and times become
 * copies. Only the value bytes that differ become literals.
 */
export function writeAlongside(
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
  // The number of bytes since the last element that equal the earlier series.
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

/** Writes samples [first, to) of a series whose samples [from, first) are written. Each copies from the sample before it where possible. */
export function writeAlone(block: SnappyWriter, columns: SampleColumns, from: number, first: number, to: number): void {
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
  // The number of bytes since the last element that equal the sample before.
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
      // The upper time bytes change every three days.
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

/** The number of low bytes of a double that are zero in these halves. One of the halves is not 0. */
function equalLowBytes(low: number, high: number): number {
  // x & −x keeps the lowest set bit.
  return low === 0 ? 4 + ((31 - Math.clz32(high & -high)) >>> 3) : (31 - Math.clz32(low & -low)) >>> 3;
}

/** Writes eight bytes. The first `8 − skipped` are the value without its lowest `skipped` bytes. */
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

/** Writes one Sample. It includes the value even if it is +0, so that the request has the same bits as the source. */
export function writeSample(out: Uint8Array, start: number, timeMs: number, low: number, high: number): number {
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
