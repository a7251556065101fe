// The chunks of one series entry, as src/wire/responses/series-entry.ts finds them.

import { isSafe, lastVarint, readVarint, REFUSED } from './bits';
import { decodeHistograms, longestMessage, restartHistograms } from './histograms';
import { usualHash } from './labels';
import { RESULT } from './layout';
import { restartSummary, setAfter, storeSummary } from './summary';
import { decodeXor } from './xor';
import { decodeXor2 } from './xor2';

/** Tags: the chunk in its series; the chunk's fields. */
const CHUNK: u32 = 0x12;
const MIN_TIME: u32 = 0x08;
const MAX_TIME: u32 = 0x10;
const ENCODING: u32 = 0x18;
const DATA: u32 = 0x22;

const XOR: i64 = 1;
const HISTOGRAM: i64 = 2;
const FLOAT_HISTOGRAM: i64 = 3;
const XOR2: i64 = 4;
const HISTOGRAM_ST: i64 = 5;
const FLOAT_HISTOGRAM_ST: i64 = 6;
/** The other bits of the count in these chunks say how the counters began. */
const ST_COUNT: u32 = 0x3fff;

/** What a float takes in the columns, and a histogram beside its message. */
const FLOAT_BYTES: f64 = 24;
const HISTOGRAM_BYTES: f64 = 160;

let minMs: i64 = 0;
let maxMs: i64 = 0;
let hasRange: bool = false;
let encoding: i64 = 0;
let dataStart: usize = 0;
let dataEnd: usize = 0;

/** Reads the chunk [start, end). @returns false if it has a field that is not one of these, or wrong */
function readHeader(start: usize, end: usize): bool {
  let hasMin = false;
  let hasMax = false;
  encoding = 0;
  dataStart = 0;
  dataEnd = 0;
  for (let at = start; at < end; ) {
    const tag = <u32>load<u8>(at);
    at = readVarint(at + 1, end);
    if (at === 0) return false;
    const value = <i64>lastVarint();
    if (tag === DATA) {
      if (<u64>value > <u64>(end - at)) return false;
      dataStart = at;
      dataEnd = at + <usize>value;
      at = dataEnd;
      continue;
    }
    if (!isSafe(value)) return false;
    if (tag === MIN_TIME) {
      minMs = value;
      hasMin = true;
    } else if (tag === MAX_TIME) {
      maxMs = value;
      hasMax = true;
    } else if (tag === ENCODING) encoding = value;
    else return false;
  }
  hasRange = hasMin && hasMax && minMs <= maxMs;
  return true;
}

/** Reads the field of a chunk that begins at `start`. @returns the address after it; 0 for another field, or one that `readHeader` does not read */
function readChunk(start: usize, end: usize): usize {
  if (<u32>load<u8>(start) !== CHUNK) return 0;
  const at = readVarint(start + 1, end);
  if (at === 0 || lastVarint() > <u64>(end - at)) return 0;
  const after = at + <usize>lastVarint();
  return readHeader(at, after) ? after : 0;
}

function declaredSamples(): u32 {
  return ((<u32>load<u8>(dataStart)) << 8) | <u32>load<u8>(dataStart + 1);
}

/**
 * Measures the chunks in [from, to) without decoding them. RESULT: two float64, upper bounds of the samples and of the bytes that they take when
 * decoded (src/wire/responses/read-response.ts).
 * @returns 0, or REFUSED: an unknown field or encoding, wrong bytes, or a large layout
 */
export function measureChunks(from: usize, to: usize): i32 {
  let samples: f64 = 0;
  let bytes: f64 = 0;
  for (let at = from; at < to; ) {
    at = readChunk(at, to);
    if (at === 0 || encoding < 0 || encoding > FLOAT_HISTOGRAM_ST || dataStart + 2 > dataEnd) return REFUSED;
    const declared = declaredSamples();
    const count = encoding >= HISTOGRAM_ST ? declared & ST_COUNT : declared;
    // No encoding takes less than one bit per sample.
    const most = <f64>min<u32>(count, (<u32>(dataEnd - dataStart)) << 3);
    samples += most;
    if (!isHistogram()) bytes += most * FLOAT_BYTES;
    else if (count > 0) {
      const message = longestMessage(dataStart, dataEnd);
      if (message === REFUSED) return REFUSED;
      bytes += most * HISTOGRAM_BYTES + <f64>count * <f64>message;
    }
  }
  store<f64>(RESULT, samples);
  store<f64>(RESULT, bytes, 8);
  return 0;
}

/**
 * Measures the chunks [items, to) of a series as `measureChunks`. RESULT, behind it: a float64, the `usualHash` of its labels [from, items).
 */
export function measureSeries(from: usize, items: usize, to: usize): i32 {
  store<f64>(RESULT, usualHash(from, items), 16);
  return measureChunks(items, to);
}

/**
 * Decodes the chunks in [from, to) and appends their samples with fromMs <= t < toMs to columns that hold `used` of `capacity`. Histograms go
 * to the columns at the address `histograms` (0 if there are none), which hold `usedHistograms`. RESULT: the summary.
 * @returns how many floats the columns hold then, or REFUSED: an unknown field or encoding, wrong bytes, or not enough room
 */
export function decodeChunks(
  from: usize,
  to: usize,
  fromMs: f64,
  toMs: f64,
  times: usize,
  bits: usize,
  used: u32,
  capacity: u32,
  histograms: usize,
  usedHistograms: u32,
): i32 {
  let n = used;
  restartHistograms(histograms, usedHistograms);
  restartSummary(used === 0 ? -Infinity : load<f64>(times + (used - 1) * 8));
  for (let at = from; at < to; ) {
    at = readChunk(at, to);
    if (at === 0) return REFUSED;
    if (hasRange && (<f64>maxMs < fromMs || <f64>minMs >= toMs)) continue;
    if (dataStart + 2 > dataEnd) return REFUSED;
    const count = declaredSamples();
    if (isHistogram()) {
      if (decodeHistogramChunk(count, fromMs, toMs) === REFUSED) return REFUSED;
      continue;
    }
    if (count > capacity - n) return REFUSED;
    const kept = decodeChunk(count, fromMs, toMs, times + n * 8, bits + n * 8);
    if (kept === REFUSED) return REFUSED;
    n += kept;
    if (kept > 0) setAfter(load<f64>(times + (n - 1) * 8));
  }
  storeSummary();
  return n;
}

function decodeChunk(count: u32, fromMs: f64, toMs: f64, times: usize, bits: usize): i32 {
  if (encoding === 0 || encoding === XOR) return decodeXor(dataStart, dataEnd, count, fromMs, toMs, times, bits);
  return encoding === XOR2 ? decodeXor2(dataStart, dataEnd, count, fromMs, toMs, times, bits) : REFUSED;
}

function isHistogram(): bool {
  return encoding === HISTOGRAM || encoding === FLOAT_HISTOGRAM || encoding >= HISTOGRAM_ST;
}

function decodeHistogramChunk(count: u32, fromMs: f64, toMs: f64): i32 {
  if (encoding > FLOAT_HISTOGRAM_ST) return REFUSED;
  const withStarts = encoding >= HISTOGRAM_ST;
  const float = encoding === FLOAT_HISTOGRAM || encoding === FLOAT_HISTOGRAM_ST;
  return decodeHistograms(dataStart, dataEnd, withStarts ? count & ST_COUNT : count, fromMs, toMs, float, withStarts);
}
