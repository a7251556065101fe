// Integers of the chunk encodings and of protobuf. A bit position is a byte address times eight plus the bit's number, the most significant
// bit first.

/** What a decoder returns for bytes that it leaves to JavaScript. */
export const REFUSED: i32 = -1;

const MAX_SAFE: i64 = 0x1f_ffff_ffff_ffff;

let varint: u64 = 0;

/** The value that `readVarint` read. */
export function lastVarint(): u64 {
  return varint;
}

export function setVarint(value: u64): void {
  varint = value;
}

/** Reads a varint of at most ten bytes at `start`. @returns the address after it; 0 if it is longer, or does not end before `end` */
export function readVarint(start: usize, end: usize): usize {
  let value: u64 = 0;
  let at = start;
  for (let shift: u64 = 0; shift < 70 && at < end; shift += 7) {
    const byte = <u64>load<u8>(at++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      varint = value;
      return at;
    }
  }
  return 0;
}

/** As `readVarint`; also 0 if the value has more than 64 bits. */
export function readVarint64(start: usize, end: usize): usize {
  const at = readVarint(start, end);
  return at - start === 10 && load<u8>(at - 1) > 1 ? 0 : at;
}

export function unzigzag(value: u64): i64 {
  return <i64>(value >> 1) ^ -(<i64>(value & 1));
}

/** Whether JavaScript can represent this number of milliseconds exactly. */
export function isSafe(time: i64): bool {
  return <u64>(time + MAX_SAFE) <= 2 * <u64>MAX_SAFE;
}

/** At least 57 bits from `position` on, at the top of the result. */
export function peek(position: u32): u64 {
  return bswap<u64>(load<u64>(position >>> 3)) << (position & 7);
}

/** The `size` (1 to 57) bits from `position` on. Small enough for the compiler to put it into the hot loops. */
export function shortBitsAt(position: u32, size: u32): u64 {
  return peek(position) >> (64 - size);
}

/** The `size` (1 to 64) bits from `position` on. */
export function bitsAt(position: u32, size: u32): u64 {
  const top = peek(position);
  if (size <= 57) return top >> (64 - size);
  const rest = size - 32;
  return ((top >> 32) << rest) | (peek(position + 32) >> (64 - rest));
}

/** The number of bits that a varbit integer's code takes, for its count of leading ones (at most 8), and that its value takes. */
export function varbitSize(ones: u32): u32 {
  if (ones <= 5) return ones < 5 ? 3 * ones : 18;
  return ones === 6 ? 25 : ones === 7 ? 56 : 64;
}

let varbitEnd: u32 = 0;

/** The position after the varbit integer that was read last. */
export function lastVarbitEnd(): u32 {
  return varbitEnd;
}

/** Reads a signed varbit integer. Exactly half of the range is positive; larger values are negative. */
export function readVarbit(position: u32): i64 {
  const next = peek(position);
  if (<i64>next >= 0) {
    varbitEnd = position + 1;
    return 0;
  }
  const ones = <u32>clz<u64>(~next);
  // The most common sizes follow from what was read already.
  if (ones <= 4) {
    const size = 3 * ones;
    varbitEnd = position + ones + 1 + size;
    const value = <i64>((next << (ones + 1)) >> (64 - size));
    return value > (<i64>1) << (size - 1) ? value - ((<i64>1) << size) : value;
  }
  const value = readLongVarbit(position, ones);
  const size = varbitSize(min<u32>(ones, 8));
  if (size === 64) return value;
  return value > (<i64>1) << (size - 1) ? value - ((<i64>1) << size) : value;
}

/** Reads an unsigned varbit integer. */
export function readVarbitUint(position: u32): u64 {
  return <u64>readLongVarbit(position, <u32>clz<u64>(~peek(position)));
}

function readLongVarbit(position: u32, ones: u32): i64 {
  const start = position + (ones < 8 ? ones + 1 : 8);
  const size = varbitSize(min<u32>(ones, 8));
  varbitEnd = start + size;
  return size === 0 ? 0 : <i64>bitsAt(start, size);
}
