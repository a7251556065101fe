// XOR2 chunks. src/wire/chunks/chunk-xor2.ts explains the encoding, chunk-start-timestamps.ts that of start timestamps.

import {
  bitsAt,
  isSafe,
  lastVarbitEnd,
  lastVarint,
  peek,
  readVarbit,
  readVarint64,
  REFUSED,
  shortBitsAt,
  unzigzag,
} from './bits';
import { foundStart, foundTime, foundUnordered } from './summary';

const HEADER_BYTES: usize = 3;
const FIRST_SAMPLE_BITS: u32 = 9 * 8;
const SECOND_SAMPLE_BITS: u32 = 9;
const LATER_SAMPLE_BITS: u32 = 1;
const STALE: u64 = ((<u64>0x7ff0_0000) << 32) | 2;

/** As `decodeXor`. */
export function decodeXor2(
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
  if (start + HEADER_BYTES > end || <u32>(start + HEADER_BYTES) * 8 + least > last) return REFUSED;
  const header = <u32>load<u8>(start + 2);
  const changeOn = (header & 0x7f) === 0 ? u32.MAX_VALUE : header & 0x7f;

  let at = readVarint64(start + HEADER_BYTES, end);
  let time = unzigzag(lastVarint());
  if (at === 0 || at + 8 > end || !isSafe(time)) return REFUSED;
  // The base of the next XOR is the last value that was not a stale marker.
  let value = bswap<u64>(load<u64>(at));
  at += 8;
  let started = false;
  if ((header & 0x80) !== 0) {
    at = readVarint64(at, end);
    if (at === 0) return REFUSED;
    started = <f64>time !== <f64>unzigzag(lastVarint());
  }
  let kept: u32 = 0;
  let timeMs = <f64>time;
  store<f64>(times, timeMs);
  store<u64>(bits, value);
  if (value === STALE) value = 0;
  if (timeMs >= fromMs && timeMs < toMs) {
    kept = 1;
    if (started) foundStart();
  }
  foundTime(timeMs);
  if (count === 1) return kept;

  at = readVarint64(at, end);
  let delta = <i64>lastVarint();
  if (at === 0 || !isSafe(delta)) return REFUSED;
  if (delta <= 0) foundUnordered();
  let position = (<u32>at) << 3;
  let significant: u32 = 64;
  let trailing: u32 = 0;
  let distance: f64 = 0;
  let next: u64 = 0;
  for (let i: u32 = 1; i < count; i++) {
    const previous = time;
    next = peek(position);
    // How the value changes, in the codes of a value after a changed time: 0 same, 10 same window, 110 new window, 111 stale.
    let code: u32 = 0;
    if (i > 1 && <i64>next >= 0) position++;
    else if (i > 1 && (next & 0x4000_0000_0000_0000) === 0) {
      code = (next & 0x2000_0000_0000_0000) === 0 ? 0b10 : 0b110;
      position += 3;
      next <<= 3;
    } else if (i > 1 && next >> 59 === 0b11111) {
      position += 5;
      code = 0b111;
    } else {
      if (i > 1) {
        if ((next & 0x2000_0000_0000_0000) === 0) {
          delta += <i64>(next << 3) >> 51;
          position += 16;
        } else if ((next & 0x1000_0000_0000_0000) === 0) {
          delta += <i64>(next << 4) >> 44;
          position += 24;
        } else {
          const change = <i64>bitsAt(position + 5, 64);
          if (!isSafe(change)) return REFUSED;
          delta += change;
          position += 69;
        }
        if (!isSafe(delta)) return REFUSED;
        if (delta <= 0) foundUnordered();
        next = peek(position);
      }
      if (<i64>next >= 0) position++;
      else if ((next & 0x4000_0000_0000_0000) === 0) {
        position += 2;
        code = 0b10;
      } else {
        code = <u32>(next >> 61);
        position += 3;
        next <<= 3;
      }
    }
    time += delta;

    if (code === 0b110) {
      const leading = <u32>(next >> 59);
      significant = <u32>(next >> 53) & 63;
      if (significant === 0) significant = 64;
      if (leading + significant > 64) return REFUSED;
      trailing = 64 - leading - significant;
      position += 11;
    }
    const stale = code === 0b111;
    if (code !== 0 && !stale) {
      const changed = significant <= 57 ? shortBitsAt(position, significant) : bitsAt(position, significant);
      value ^= changed << trailing;
      position += significant;
    }
    if (position > last) return REFUSED;
    if (i >= changeOn) {
      const change = readVarbit(position);
      position = lastVarbitEnd();
      if (position > last) return REFUSED;
      // Doubles, as in JavaScript.
      distance += <f64>change;
      // Prometheus writes a start timestamp of 0, which means none, at sample 127 of every longer chunk.
      started = <f64>previous !== distance;
    }
    timeMs = <f64>time;
    store<f64>(times + (kept << 3), timeMs);
    store<u64>(bits + (kept << 3), stale ? STALE : value);
    if (timeMs >= fromMs && timeMs < toMs) {
      kept++;
      if (started) foundStart();
    } else if (!isSafe(time)) return REFUSED;
  }
  return kept;
}
