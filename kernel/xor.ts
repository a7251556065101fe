// XOR chunks. src/wire/chunks/chunk-xor.ts explains the encoding.

import { bitsAt, isSafe, lastVarint, peek, readVarint64, REFUSED, shortBitsAt, unzigzag } from './bits';
import { foundTime, foundUnordered } from './summary';

const HEADER_BYTES: usize = 2;
const FIRST_SAMPLE_BITS: u32 = 9 * 8;
const SECOND_SAMPLE_BITS: u32 = 9;
const LATER_SAMPLE_BITS: u32 = 2;

/**
 * Decodes the chunk [start, end) of `count` samples. Writes the samples with fromMs <= t < toMs to the columns, which have room for all.
 * @returns how many, or REFUSED
 */
export function decodeXor(
  start: usize,
  end: usize,
  count: u32,
  fromMs: f64,
  toMs: f64,
  times: usize,
  bits: usize,
): i32 {
  if (count === 0) return 0;
  const last = (<u32>end) << 3;
  const least = FIRST_SAMPLE_BITS + (count > 1 ? SECOND_SAMPLE_BITS + (count - 2) * LATER_SAMPLE_BITS : 0);
  if (<u32>(start + HEADER_BYTES) * 8 + least > last) return REFUSED;

  let at = readVarint64(start + HEADER_BYTES, end);
  let time = unzigzag(lastVarint());
  if (at === 0 || at + 8 > end || !isSafe(time)) return REFUSED;
  let value = bswap<u64>(load<u64>(at));
  at += 8;
  let kept: u32 = 0;
  let timeMs = <f64>time;
  store<f64>(times, timeMs);
  store<u64>(bits, value);
  if (timeMs >= fromMs && timeMs < toMs) kept = 1;
  foundTime(timeMs);
  if (count === 1) return kept;

  at = readVarint64(at, end);
  let delta = <i64>lastVarint();
  if (at === 0 || !isSafe(delta) || !isSafe(time + delta)) return REFUSED;
  if (delta <= 0) foundUnordered();
  let position = (<u32>at) << 3;
  let significant: u32 = 64;
  let trailing: u32 = 0;
  let next = peek(position);
  for (let i: u32 = 1; i < count; ) {
    time += delta;
    if (<i64>next >= 0) position++;
    else {
      if ((next & 0x4000_0000_0000_0000) === 0) position += 2;
      else {
        const leading = <u32>(next >> 57) & 31;
        significant = <u32>(next >> 51) & 63;
        if (significant === 0) significant = 64;
        if (leading + significant > 64) return REFUSED;
        trailing = 64 - leading - significant;
        position += 13;
      }
      const changed = significant <= 57 ? shortBitsAt(position, significant) : bitsAt(position, significant);
      value ^= changed << trailing;
      position += significant;
    }
    if (position > last) return REFUSED;
    timeMs = <f64>time;
    store<f64>(times + (kept << 3), timeMs);
    store<u64>(bits + (kept << 3), value);
    if (timeMs >= fromMs && timeMs < toMs) kept++;
    else if (!isSafe(time)) return REFUSED;
    if (++i === count) break;

    next = peek(position);
    if (<i64>next >= 0) {
      position++;
      next <<= 1;
      continue;
    }
    const ones = <u32>clz<u64>(~next);
    if (ones < 4) {
      const size: u32 = ones === 1 ? 14 : 11 + 3 * ones;
      let change = <i64>((next << (ones + 1)) >> (64 - size));
      // The encoder treats exactly half of the range as positive.
      if (change > (<i64>1) << (size - 1)) change -= (<i64>1) << size;
      delta += change;
      position += ones + 1 + size;
    } else {
      const change = <i64>bitsAt(position + 4, 64);
      if (!isSafe(change)) return REFUSED;
      delta += change;
      position += 68;
    }
    if (!isSafe(delta)) return REFUSED;
    if (delta <= 0) foundUnordered();
    next = peek(position);
  }
  return kept;
}
