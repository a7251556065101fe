// Blocks of samples as VictoriaMetrics stores them. src/wire/native-export/ explains the encodings.

import { isSafe, lastVarint, readVarint64, REFUSED, unzigzag } from './bits';
import { decodeIntegers, isCompressed, isEncoding } from './integers';
import { scaleDecimals } from './decimals';
import { RESULT } from './layout';

/** VictoriaMetrics rejects blocks with more. */
const MAX_SAMPLES: u64 = 16_384;
const MAX_EXPONENT: i64 = 32_767;
const EXACT_BITS: u32 = 64;

let end: usize = 0;
let failed: bool = false;
let position: usize = 0;

function nextUnsigned(): u64 {
  const at = readVarint64(position, end);
  if (at === 0) {
    failed = true;
    return 0;
  }
  position = at;
  return lastVarint();
}

function nextByte(): u32 {
  if (position < end) return <u32>load<u8>(position++);
  failed = true;
  return 0;
}

/** Moves behind an array of bytes. @returns where it begins */
function nextArray(): usize {
  const length = nextUnsigned();
  const start = position;
  if (length > <u64>(end - start)) failed = true;
  else position = start + <usize>length;
  return start;
}

/** The header of the block that `readHeader` has read. */
let firstMs: i64 = 0;
let lastMs: i64 = 0;
let firstValue: i64 = 0;
let count: u32 = 0;
let exponent: i32 = 0;
let timesEncoding: u32 = 0;
let valuesEncoding: u32 = 0;
let timesAt: usize = 0;
let timesEnd: usize = 0;
let valuesAt: usize = 0;
let valuesEnd: usize = 0;

/** Reads the header of the block [start, blockEnd). @returns false for wrong bytes, or a block with less than 64 bits of precision */
function readHeader(start: usize, blockEnd: usize): bool {
  position = start;
  end = blockEnd;
  failed = false;
  firstMs = unzigzag(nextUnsigned());
  lastMs = unzigzag(nextUnsigned());
  firstValue = unzigzag(nextUnsigned());
  const samples = nextUnsigned();
  const scale = unzigzag(nextUnsigned());
  timesEncoding = nextByte();
  valuesEncoding = nextByte();
  const precisionBits = nextByte();
  timesAt = nextArray();
  timesEnd = position;
  valuesAt = nextArray();
  valuesEnd = position;
  if (failed || position !== blockEnd || samples - 1 >= MAX_SAMPLES) return false;
  if (!isSafe(firstMs) || !isSafe(lastMs) || precisionBits !== EXACT_BITS) return false;
  if (!isEncoding(timesEncoding) || !isEncoding(valuesEncoding)) return false;
  if (scale > MAX_EXPONENT || scale < -MAX_EXPONENT) return false;
  count = <u32>samples;
  exponent = <i32>scale;
  return true;
}

/** Decodes the times of the block whose header was read. Their content, if they are compressed, is [content, content + timesBytes). */
function decodeTimes(content: usize, timesBytes: u32, times: usize): bool {
  if (isCompressed(timesEncoding)) {
    timesAt = content;
    timesEnd = content + timesBytes;
  }
  return (
    decodeIntegers(timesEncoding, firstMs, count, count, timesAt, timesEnd, times) &&
    convertTimes(times, count, firstMs, lastMs)
  );
}

/**
 * How many samples of the block [start, blockEnd) have fromMs <= t < toMs. The content of its times, if they are compressed, is
 * [content, content + timesBytes). `times`: memory for `capacity` times.
 * @returns REFUSED as `decodeBlock`
 */
export function countBlock(
  start: usize,
  blockEnd: usize,
  content: usize,
  timesBytes: u32,
  fromMs: f64,
  toMs: f64,
  times: usize,
  capacity: u32,
): i32 {
  if (!readHeader(start, blockEnd) || count > capacity || !decodeTimes(content, timesBytes, times)) return REFUSED;
  return <i32>max(0, <i32>firstFrom(times, count, toMs) - <i32>firstFrom(times, count, fromMs));
}

/**
 * Decodes the block [start, blockEnd) and writes its samples with fromMs <= t < toMs to columns with room for `capacity`. The content of the
 * compressed arrays is [content, content + timesBytes), and `valuesBytes` behind it. RESULT[0]: whether the block's times ascend.
 * @returns how many samples were written, or REFUSED: wrong bytes, a block with less than 64 bits of precision, or not enough room
 */
export function decodeBlock(
  start: usize,
  blockEnd: usize,
  content: usize,
  timesBytes: u32,
  valuesBytes: u32,
  fromMs: f64,
  toMs: f64,
  times: usize,
  bits: usize,
  capacity: u32,
): i32 {
  if (!readHeader(start, blockEnd) || count > capacity || !decodeTimes(content, timesBytes, times)) return REFUSED;
  if (isCompressed(valuesEncoding)) {
    valuesAt = content + timesBytes;
    valuesEnd = valuesAt + valuesBytes;
  }
  const first = firstFrom(times, count, fromMs);
  const last = firstFrom(times, count, toMs);
  if (first >= last) return 0;
  if (!decodeIntegers(valuesEncoding, firstValue, count, last, valuesAt, valuesEnd, bits)) return REFUSED;
  scaleDecimals(bits, first, last, exponent);
  if (first > 0) {
    memory.copy(times, times + first * 8, (last - first) * 8);
    memory.copy(bits, bits + first * 8, (last - first) * 8);
  }
  return last - first;
}

/** Below 2^52, an integer with these bits added is the double that is larger by this. */
const TWO_52: f64 = 4_503_599_627_370_496;
const TWO_52_BITS: i64 = (<i64>0x4330_0000) << 32;

/** Turns integers into floats. RESULT[0]: whether they ascend. @returns whether they are in order, and begin and end as the header says */
function convertTimes(times: usize, count: u32, firstMs: i64, lastMs: i64): bool {
  const timesEnd = times + (count << 3);
  if (load<i64>(times) !== firstMs || load<i64>(timesEnd - 8) !== lastMs) return false;
  const areShort = firstMs >= 0 && lastMs < <i64>TWO_52;
  return areShort ? convertShort(times, timesEnd, firstMs) : convertAny(times, timesEnd, firstMs - 1, true);
}

/** Two at a time. They are in order only if all of them are as short as the first and the last. */
function convertShort(times: usize, timesEnd: usize, firstMs: i64): bool {
  let before = i64x2.splat(firstMs - 1);
  let wrong = i64x2.splat(0);
  let repeated = i64x2.splat(0);
  let at = times;
  for (; at + 16 <= timesEnd; at += 16) {
    const pair = v128.load(at);
    // The one before each.
    const previous = v128.shuffle<i64>(before, pair, 1, 2);
    wrong = v128.or(wrong, i64x2.lt_s(pair, previous));
    repeated = v128.or(repeated, i64x2.eq(pair, previous));
    before = pair;
    v128.store(at, f64x2.sub(i64x2.add(pair, i64x2.splat(TWO_52_BITS)), f64x2.splat(TWO_52)));
  }
  if (v128.any_true(wrong)) return false;
  return convertAny(at, timesEnd, i64x2.extract_lane(before, 1), !v128.any_true(repeated));
}

/** @param after the time before the first one, or a lower one */
function convertAny(times: usize, timesEnd: usize, after: i64, ascended: bool): bool {
  let ascending = ascended;
  let previous = after;
  for (let at = times; at < timesEnd; at += 8) {
    const time = load<i64>(at);
    if (time <= previous) {
      if (time < previous) return false;
      ascending = false;
    }
    previous = time;
    store<f64>(at, <f64>time);
  }
  store<u32>(RESULT, ascending ? 1 : 0);
  return true;
}

/** The index of the first of the ordered times that is not before `timeMs`. */
function firstFrom(times: usize, count: u32, timeMs: f64): u32 {
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (load<f64>(times + middle * 8) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
