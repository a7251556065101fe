// Chunks of native histograms, decoded to `prometheus.Histogram` messages. Each is written as the field 4 of a TimeSeries, so that the
// messages of a series one after the other are a part of a request. src/wire/chunks/chunk-histogram.ts explains the encoding.

import { bitsAt, isSafe, lastVarbitEnd, readVarbit, REFUSED, unzigzag } from './bits';
import {
  hasCustomBuckets,
  layoutBytes,
  negativeBuckets,
  positiveBuckets,
  readLayout,
  writeCustomValues,
  writeNegativeSpans,
  writePositiveSpans,
  writeScale,
} from './histogram-layout';
import {
  isStale,
  readFirst,
  readNext,
  writeCount,
  writeFloatBuckets,
  writeIntegerBuckets,
  writeSum,
} from './histogram-values';
import { HISTOGRAM_MESSAGES_BYTES, HISTOGRAMS_CAPACITY } from './layout';
import { foundStart } from './summary';
import { writeLength, writeVarint } from './varints';

/** The parts of the columns, from their address on. */
const ENDS: usize = HISTOGRAMS_CAPACITY * 8;
const MESSAGES: usize = ENDS + HISTOGRAMS_CAPACITY * 4;

const HEADER_BYTES: usize = 3;
const GAUGE: u32 = 0xc0;
const TAG_HISTOGRAM: u8 = 0x22;
const TAG_RESET_HINT: u8 = 0x70;
const TAG_TIMESTAMP: u8 = 0x78;
const HINT_UNKNOWN: u8 = 0;
const HINT_NO: u8 = 2;
const HINT_GAUGE: u8 = 3;

/** All fields of a message apart from the layout and the buckets. */
const FIXED_BYTES: u32 = 96;
const LONGEST_BUCKET_BYTES: u32 = 10;
/** The same as JavaScript counts them, without the tag and the length of the message. */
const MEASURED_FIXED_BYTES: u32 = 80;

/** What is in the columns: a bit for each kind of histogram (src/wire/requests/commit-rank.ts). */
const KIND_INTEGER: u32 = 1;
const KIND_INTEGER_CUSTOM: u32 = 2;
const KIND_FLOAT: u32 = 4;
const KIND_FLOAT_CUSTOM: u32 = 8;
const KIND_STALE_FLOAT: u32 = 16;

let columns: usize = 0;
let held: u32 = 0;
let kinds: u32 = 0;

/** Begins a call with columns that hold `count` histograms. 0 for no columns. */
export function restartHistograms(address: usize, count: u32): void {
  columns = address;
  held = count;
  kinds = 0;
}

export function histogramsHeld(): u32 {
  return held;
}

/** The kinds of histograms that this call has added. */
export function histogramKinds(): u32 {
  return kinds;
}

/** The address of the field of a histogram in the columns. */
export function histogramStart(columns: usize, index: u32): usize {
  return index === 0 ? columns + MESSAGES : histogramEnd(columns, index - 1);
}

export function histogramEnd(columns: usize, index: u32): usize {
  return columns + MESSAGES + load<u32>(columns + ENDS + (index << 2));
}

/**
 * The bound of the bytes that each message of the chunk [start, end) takes, as src/wire/chunks/chunk-histogram.ts computes it.
 * @returns REFUSED if the layout is left to JavaScript
 */
export function longestMessage(start: usize, end: usize): i32 {
  const last = (<u32>end) << 3;
  if (start + HEADER_BYTES > end) return REFUSED;
  const position = readLayout((<u32>(start + HEADER_BYTES)) << 3, last);
  const buckets = positiveBuckets() + negativeBuckets();
  // JavaScript refuses a layout with more buckets than bits for them.
  if (position === 0 || buckets > last - position) return REFUSED;
  return <i32>(MEASURED_FIXED_BYTES + layoutBytes() + LONGEST_BUCKET_BYTES * buckets);
}

let distance: f64 = 0;

/** The start timestamp after the first sample: a varint between bits. @returns the position after it, or 0 */
function readFirstStart(start: u32, last: u32, timeMs: f64): u32 {
  let position = start;
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    const byte = bitsAt(position, 8);
    position += 8;
    if (position > last) return 0;
    value |= (byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    if (shift === 63 && byte > 1) return 0;
    started = timeMs - <f64>unzigzag(value) !== 0;
    return position;
  }
  return 0;
}

let started: bool = false;

/**
 * Decodes the chunk [start, end) of `count` samples and appends those with fromMs <= t < toMs, which are later than what the columns hold.
 * @returns 0, or REFUSED
 */
export function decodeHistograms(
  start: usize,
  end: usize,
  count: u32,
  fromMs: f64,
  toMs: f64,
  float: bool,
  withStarts: bool,
): i32 {
  if (columns === 0 || start + HEADER_BYTES > end) return count === 0 && columns !== 0 ? 0 : REFUSED;
  if (count === 0) return 0;
  const last = (<u32>end) << 3;
  const gauge = (<u32>load<u8>(start + (withStarts ? 0 : 2)) & GAUGE) === GAUGE;
  const starts: u32 = withStarts ? <u32>load<u8>(start, 2) : 0;
  const changeOn = starts & 0x7f;
  let position = readLayout((<u32>(start + HEADER_BYTES)) << 3, last);
  if (position === 0) return REFUSED;
  const buckets = positiveBuckets() + negativeBuckets();
  const longest = FIXED_BYTES + layoutBytes() + LONGEST_BUCKET_BYTES * buckets;
  let time: i64 = 0;
  let delta: i64 = 0;
  distance = 0;
  started = false;
  for (let i: u32 = 0; i < count; i++) {
    const previous = time;
    const change = readVarbit(position);
    position = lastVarbitEnd();
    if (position > last || !isSafe(change)) return REFUSED;
    if (i === 0) {
      time = change;
      position = readFirst(position, last, buckets, float);
      if (position !== 0 && starts >= 0x80) position = readFirstStart(position, last, <f64>time);
    } else {
      delta += change;
      if (!isSafe(delta) || !isSafe(time + delta)) return REFUSED;
      time += delta;
      position = readNext(position, last, float);
      if (position !== 0 && changeOn > 0 && i >= changeOn) {
        distance += <f64>readVarbit(position);
        position = lastVarbitEnd();
        started = <f64>previous - distance !== 0;
      }
    }
    if (position === 0 || position > last) return REFUSED;
    const timeMs = <f64>time;
    if (timeMs < fromMs || timeMs >= toMs) continue;
    const hint = gauge ? HINT_GAUGE : i === 0 ? HINT_UNKNOWN : HINT_NO;
    if (!append(time, hint, float, longest)) return REFUSED;
    if (started) foundStart();
  }
  return 0;
}

/** @returns false if the histogram is not later than the last one, or if there is no room for it */
function append(time: i64, hint: u8, float: bool, longest: u32): bool {
  if (held === HISTOGRAMS_CAPACITY) return false;
  const entry = columns + (held << 3);
  const endEntry = columns + ENDS + (held << 2);
  let start: u32 = 0;
  if (held > 0) {
    if (<f64>time <= load<f64>(entry - 8)) return false;
    start = load<u32>(endEntry - 4);
  }
  if (start + longest > HISTOGRAM_MESSAGES_BYTES) return false;
  const end = writeField(columns + MESSAGES + start, time, hint, float, longest);
  store<f64>(entry, <f64>time);
  store<u32>(endEntry, <u32>(end - columns - MESSAGES));
  held++;
  return true;
}

function writeField(start: usize, time: i64, hint: u8, float: bool, longest: u32): usize {
  store<u8>(start, TAG_HISTOGRAM);
  // Usually right: integers take about two bytes, and one fifth of the bound.
  const guess: u32 = (float ? longest - FIXED_BYTES : longest / 4) < 0x80 ? 1 : 2;
  const stale = isStale();
  let at = writeCount(start + 1 + guess, false, float, stale);
  at = writeSum(at);
  if (!stale) at = writeScale(at);
  at = writeCount(at, true, float, stale);
  if (stale) kinds |= float ? KIND_STALE_FLOAT : KIND_INTEGER;
  else {
    if (hasCustomBuckets()) kinds |= float ? KIND_FLOAT_CUSTOM : KIND_INTEGER_CUSTOM;
    else kinds |= float ? KIND_FLOAT : KIND_INTEGER;
    at = writeBuckets(at, float);
    if (hint !== HINT_UNKNOWN) {
      store<u16>(at, TAG_RESET_HINT | ((<u16>hint) << 8));
      at += 2;
    }
  }
  if (time !== 0) {
    store<u8>(at, TAG_TIMESTAMP);
    at = writeVarint(at + 1, <u64>time);
  }
  if (!stale) at = writeCustomValues(at);
  return writeLength(start + 1, guess, at);
}

function writeBuckets(start: usize, float: bool): usize {
  const positives = positiveBuckets();
  let at = writeNegativeSpans(start);
  if (float) at = writeFloatBuckets(at, 0x52, positives, negativeBuckets());
  else at = writeIntegerBuckets(at, 0x4a, positives, negativeBuckets());
  at = writePositiveSpans(at);
  return float ? writeFloatBuckets(at, 0x6a, 0, positives) : writeIntegerBuckets(at, 0x62, 0, positives);
}
