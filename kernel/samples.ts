// The samples of one series entry of a SAMPLES response. src/wire/responses/sample-messages.ts decodes all forms; these are the usual ones.

import { REFUSED } from './bits';
import { RESULT } from './layout';

/** The tag of a Sample in its series, its length; then the value, of which a 0 is omitted, and a time of six bytes, from 1971 to 2109. */
const SAMPLE_HEAD: u32 = 0x12 | (16 << 8) | (0x09 << 16);
const ZERO_HEAD: u32 = 0x12 | (7 << 8) | (0x10 << 16);
const HEAD_MASK: u32 = 0xff_ffff;
const VALUE_BYTES: usize = 8;
const TAG_TIME: u32 = 0x10;
const SAMPLE_BYTES: usize = 18;
const ZERO_BYTES: usize = 9;

const SIX_BYTES: u64 = 0x8080_8080_8080;
/** All but the last are continued. */
const SIX_BYTES_MARKS: u64 = 0x0080_8080_8080;

function timeOf(varint: u64): u64 {
  return (
    (varint & 0x7f) |
    ((varint >> 1) & (0x7f << 7)) |
    ((varint >> 2) & (0x7f << 14)) |
    ((varint >> 3) & (0x7f << 21)) |
    ((varint >> 4) & ((<u64>0x7f) << 28)) |
    ((varint >> 5) & ((<u64>0x7f) << 35))
  );
}

/**
 * Decodes the samples in [from, to) and appends those with fromMs <= t < toMs to columns that hold `used` of `capacity`. RESULT[0]: whether all
 * times ascend.
 * @returns how many floats the columns hold then, or REFUSED: another field, another form of a sample, or not enough room
 */
export function decodeSamples(
  from: usize,
  to: usize,
  fromMs: f64,
  toMs: f64,
  times: usize,
  bits: usize,
  used: u32,
  capacity: u32,
): i32 {
  let n = used;
  let ascending = true;
  let afterMs: f64 = used === 0 ? -Infinity : load<f64>(times + ((used - 1) << 3));
  for (let at = from; at < to; ) {
    const head = load<u32>(at) & HEAD_MASK;
    let value: u64 = 0;
    let timeAt = at + 3;
    if (head === SAMPLE_HEAD) {
      value = load<u64>(timeAt);
      timeAt += VALUE_BYTES;
      if (<u32>load<u8>(timeAt++) !== TAG_TIME) return REFUSED;
      at += SAMPLE_BYTES;
    } else if (head === ZERO_HEAD) at += ZERO_BYTES;
    else return REFUSED;
    const varint = load<u64>(timeAt);
    if (at > to || (varint & SIX_BYTES) !== SIX_BYTES_MARKS) return REFUSED;
    const timeMs = <f64>timeOf(varint);
    if (timeMs < fromMs || timeMs >= toMs) continue;
    if (n === capacity) return REFUSED;
    if (timeMs <= afterMs) ascending = false;
    afterMs = timeMs;
    store<f64>(times + (n << 3), timeMs);
    store<u64>(bits + (n << 3), value);
    n++;
  }
  store<u32>(RESULT, ascending ? 1 : 0);
  return n;
}
