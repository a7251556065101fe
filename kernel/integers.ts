// VictoriaMetrics' arrays of integers. src/wire/native-export/integers.ts explains the encodings.

import { lastVarint, readVarint64, setVarint, unzigzag } from './bits';

const ZSTD_DELTA2: u32 = 1;
const DELTA_CONST: u32 = 2;
const CONST: u32 = 3;
const ZSTD_DELTA: u32 = 4;
const DELTA2: u32 = 5;
const DELTA: u32 = 6;

/** Of eight bytes: the bit that says that another byte follows. */
const CONTINUED: u64 = ((<u64>0x8080_8080) << 32) | 0x8080_8080;
/** The upper one of two neighbouring groups of bits, as groups of 7, 14 and 28 become groups of 14, 28 and 56. */
const UPPER_7: u64 = ((<u64>0x7f00_7f00) << 32) | 0x7f00_7f00;
const UPPER_14: u64 = ((<u64>0x3fff_0000) << 32) | 0x3fff_0000;
const UPPER_28: u64 = (<u64>0x0fff_ffff) << 32;

export function isEncoding(encoding: u32): bool {
  return encoding >= ZSTD_DELTA2 && encoding <= DELTA;
}

export function isCompressed(encoding: u32): bool {
  return encoding === ZSTD_DELTA || encoding === ZSTD_DELTA2;
}

/**
 * Decodes the first `wanted` of `count` integers to `out`: the differences are the bytes [start, end), decompressed.
 * @returns false for wrong bytes or an unknown encoding
 */
export function decodeIntegers(
  encoding: u32,
  first: i64,
  count: u32,
  wanted: u32,
  start: usize,
  end: usize,
  out: usize,
): bool {
  if (encoding === CONST) {
    writeLine(out, wanted, first, 0);
    return start === end;
  }
  if (encoding === DELTA_CONST) {
    if (readVarint64(start, end) !== end) return false;
    writeLine(out, wanted, first, unzigzag(lastVarint()));
    return true;
  }
  const secondOrder = encoding === DELTA2 || encoding === ZSTD_DELTA2;
  if (secondOrder ? count < 2 : encoding !== DELTA && encoding !== ZSTD_DELTA) return false;
  const at = readDeltas(out, wanted, first, start, end, secondOrder);
  return wanted === count ? at === end : at !== 0;
}

function writeLine(out: usize, wanted: u32, first: i64, delta: i64): void {
  const last = out + (wanted << 3);
  let at = out;
  let pair = i64x2.replace_lane(i64x2.splat(first), 1, first + delta);
  const step = i64x2.splat(delta << 1);
  for (; at + 16 <= last; at += 16) {
    v128.store(at, pair);
    pair = i64x2.add(pair, step);
  }
  if (at < last) store<i64>(at, i64x2.extract_lane(pair, 0));
}

/**
 * Adds up differences, or, of second order, differences of differences.
 * @returns where the integers end; 0 for wrong bytes
 */
function readDeltas(out: usize, wanted: u32, first: i64, start: usize, end: usize, secondOrder: bool): usize {
  const kept: i64 = secondOrder ? -1 : 0;
  let value = first;
  let delta: i64 = 0;
  let at = start;
  store<i64>(out, value);
  for (let to = out + 8, last = out + (wanted << 3); to < last; ) {
    const word = load<u64>(at);
    if ((word & CONTINUED) === 0 && to + 64 <= last && at + 8 <= end) {
      // Eight integers of one byte each. The differences of times that are scraped regularly are nearly all zeros.
      if (word === 0) {
        delta &= kept;
        writeLine(to, 8, value + delta, delta);
        value += delta << 3;
      } else {
        for (let shift: u64 = 0; shift < 64; shift += 8) {
          delta = unzigzag((word >> shift) & 0x7f) + (delta & kept);
          value += delta;
          store<i64>(to + <usize>shift, value);
        }
      }
      at += 8;
      to += 64;
      continue;
    }
    let next = word & 0xff;
    if (next < 0x80) at++;
    else {
      at = readLong(at, end);
      if (at === 0) return 0;
      next = lastVarint();
    }
    delta = unzigzag(next) + (delta & kept);
    value += delta;
    store<i64>(to, value);
    if (at > end) return 0;
    to += 8;
  }
  return at;
}

/** Reads a varint of at least two bytes; lastVarint() is its value. @returns the address after it, which may be behind `end`; 0 if it has more than 64 bits */
function readLong(start: usize, end: usize): usize {
  const word = load<u64>(start);
  const stops = ~word & CONTINUED;
  if (stops === 0) return readVarint64(start, end);
  const last = <u64>ctz<u64>(stops);
  // Closes the gaps between the groups of seven bits, two groups at a time.
  let value = word & (~(<u64>0) >> (63 - last)) & ~CONTINUED;
  value = (value & (UPPER_7 >> 8)) | ((value & UPPER_7) >> 1);
  value = (value & (UPPER_14 >> 16)) | ((value & UPPER_14) >> 2);
  setVarint((value & (UPPER_28 >> 32)) | ((value & UPPER_28) >> 4));
  return start + <usize>((last + 1) >> 3);
}
