// The numbers of the histograms of one chunk: count, zero count, buckets and sum, carried from sample to sample.
// src/wire/chunks/histogram-values.ts explains the encoding.

import { bitsAt, lastVarbitEnd, peek, readVarbit, readVarbitUint, shortBitsAt } from './bits';
import { AFTER_LAYOUT, MAX_BUCKETS } from './histogram-layout';
import { writeLength, writeVarint } from './varints';

const STALE: u64 = ((<u64>0x7ff0_0000) << 32) | 2;

const COUNT: u32 = 0;
const ZERO_COUNT: u32 = 1;
const SUM: u32 = 2;
/** Buckets begin here, the positive ones first. */
const BUCKETS: u32 = 3;
const MAX_VALUES: u32 = BUCKETS + MAX_BUCKETS + MAX_BUCKETS;

/** Of eight bytes each: the values; for integers, the last change of each. */
const VALUES: usize = AFTER_LAYOUT;
const CHANGES: usize = VALUES + MAX_VALUES * 8;
/** Of two bytes each, for values that are stored as an XOR: the window's significant bits, the bits after it. */
const WINDOWS: usize = CHANGES + MAX_VALUES * 8;
export const AFTER_VALUES: usize = WINDOWS + MAX_VALUES * 2;

const FULL_WINDOW: u16 = 64;

/** What `peek` gives at least. */
const PEEKED_BITS: u32 = 57;
/** Changes of at most 12 bits, after up to four ones and a zero. */
const MAX_SHORT_ONES: u32 = 4;
const LONGEST_SHORT_CODE: u32 = 17;

let end: u32 = 0;

function valueAt(i: u32): u64 {
  return load<u64>(VALUES + (i << 3));
}

export function isStale(): bool {
  return valueAt(SUM) === STALE;
}

/** Reads the first sample, after its time. @returns the position after it; 0 if it passes the bit `last` */
export function readFirst(start: u32, last: u32, buckets: u32, float: bool): u32 {
  end = BUCKETS + buckets;
  memory.fill(CHANGES, 0, end << 3);
  for (let i: u32 = 0; i < end; i++) store<u16>(WINDOWS + (i << 1), FULL_WINDOW);
  let position = start;
  for (let i: u32 = 0; i < end; i++) {
    let value: u64;
    if (float || i === SUM) {
      value = bitsAt(position, 64);
      position += 64;
    } else {
      value = i < SUM ? readVarbitUint(position) : <u64>readVarbit(position);
      position = lastVarbitEnd();
    }
    if (position > last) return 0;
    store<u64>(VALUES + (i << 3), value);
  }
  return position;
}

/** Reads a later sample, after its time. A stale one has no buckets. @returns the position after it; 0 if it is wrong or passes `last` */
export function readNext(start: u32, last: u32, float: bool): u32 {
  let position = float ? readXors(start, last, COUNT, SUM) : readChanges(start, last, COUNT, SUM);
  if (position !== 0) position = readXors(position, last, SUM, BUCKETS);
  if (position === 0 || isStale()) return position;
  return float ? readXors(position, last, BUCKETS, end) : readChanges(position, last, BUCKETS, end);
}

/** Each as the change of the change. Several codes are taken from one load of bits. */
function readChanges(start: u32, last: u32, from: u32, to: u32): u32 {
  let position = start;
  let next: u64 = 0;
  let left: u32 = 0;
  for (let at = VALUES + (from << 3); at < VALUES + (to << 3); at += 8) {
    if (left < LONGEST_SHORT_CODE) {
      if (position > last) return 0;
      next = peek(position);
      left = PEEKED_BITS;
    }
    let change = load<i64>(at, CHANGES - VALUES);
    const ones = <u32>clz<u64>(~next);
    if (ones <= MAX_SHORT_ONES) {
      const size = 3 * ones;
      const code = size + ones + 1;
      const value = ((next << (ones + 1)) >> 1) >> (63 - size);
      // Exactly half of the range is positive.
      change += <i64>value - (value > (<u64>1) << (size - 1) ? (<i64>1) << size : 0);
      next <<= code;
      left -= code;
      position += code;
    } else {
      change += readVarbit(position);
      position = lastVarbitEnd();
      left = 0;
    }
    store<i64>(at, change, CHANGES - VALUES);
    store<i64>(at, load<i64>(at) + change);
  }
  return position > last ? 0 : position;
}

/** Each as the XOR with the value before: 0 unchanged, 10 same window, 11 new window. */
function readXors(start: u32, last: u32, from: u32, to: u32): u32 {
  let position = start;
  for (let i = from; i < to; ) {
    const next = peek(position);
    if (<i64>next >= 0) {
      const unchanged = min<u32>(min<u32>(<u32>clz<u64>(next), PEEKED_BITS), to - i);
      i += unchanged;
      position += unchanged;
    } else {
      const window = WINDOWS + (i << 1);
      if ((next & 0x4000_0000_0000_0000) === 0) position += 2;
      else {
        const leading = <u32>(next >> 57) & 31;
        let size = <u32>(next >> 51) & 63;
        if (size === 0) size = 64;
        if (leading + size > 64) return 0;
        store<u16>(window, size | ((64 - leading - size) << 8));
        position += 13;
      }
      const significant = <u32>load<u8>(window);
      const at = VALUES + (i << 3);
      const bits = significant <= 57 ? shortBitsAt(position, significant) : bitsAt(position, significant);
      store<u64>(at, load<u64>(at) ^ (bits << load<u8>(window, 1)));
      position += significant;
      i++;
    }
    if (position > last) return 0;
  }
  return position;
}

/** Writes a count; 0 for a stale histogram. */
export function writeCount(start: usize, zero: bool, float: bool, stale: bool): usize {
  const value = stale ? 0 : valueAt(zero ? ZERO_COUNT : COUNT);
  if (float) {
    store<u8>(start, zero ? 0x39 : 0x11);
    store<u64>(start, value, 1);
    return start + 9;
  }
  store<u8>(start, zero ? 0x30 : 0x08);
  return writeVarint(start + 1, value);
}

export function writeSum(start: usize): usize {
  const value = valueAt(SUM);
  if (value === 0) return start;
  store<u8>(start, 0x19);
  store<u64>(start, value, 1);
  return start + 9;
}

/** Writes the buckets [first, first + count) of a field of doubles. Up to eight more bytes are written. */
export function writeFloatBuckets(start: usize, tag: u8, first: u32, count: u32): usize {
  if (count === 0) return start;
  store<u8>(start, tag);
  const at = writeVarint(start + 1, count << 3);
  const from = VALUES + ((BUCKETS + first) << 3);
  for (let i: u32 = 0; i < count << 3; i += 16) v128.store(at + i, v128.load(from + i));
  return at + (count << 3);
}

/** Of a field of zigzag integers. One more byte may be written. */
export function writeIntegerBuckets(start: usize, tag: u8, first: u32, count: u32): usize {
  if (count === 0) return start;
  store<u8>(start, tag);
  const guess: u32 = count < 80 ? 1 : 2;
  let at = start + 1 + guess;
  const from = VALUES + ((BUCKETS + first) << 3);
  for (let i: u32 = 0; i < count << 3; i += 8) {
    const value = load<i64>(from + i);
    const zigzag = <u64>((value << 1) ^ (value >> 63));
    if (zigzag < 0x4000) {
      const isLong = zigzag >= 0x80;
      store<u16>(at, isLong ? <u16>((zigzag & 0x7f) | 0x80 | ((zigzag >> 7) << 8)) : <u16>zigzag);
      at += isLong ? 2 : 1;
    } else at = writeVarint(at, zigzag);
  }
  return writeLength(start + 1, guess, at);
}
