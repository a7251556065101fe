// Label entries as a remote_read response has them. src/wire/labels.ts explains their canonical form.

export const TAG_FIRST: u32 = 0x0a;
export const TAG_VALUE: u32 = 0x12;
/** `__name__`, the first byte lowest. */
export const NAME: u64 = ((<u64>0x5f5f_656d) << 32) | 0x616e_5f5f;
export const NAME_BYTES: u32 = 8;

/** Lengths below it take one byte, and such a byte is ASCII. */
const SHORT: u32 = 0x80;
const HIGH_BITS: u32 = 0x8080_8080;
/** Two tags and their lengths. */
const ENTRY_OVERHEAD: u32 = 4;
const UNUSUAL: f64 = -1;

/** Of the bytes that were hashed last. */
let highBits: u32 = 0;

export function compareText(a: usize, aBytes: u32, b: usize, bBytes: u32): i32 {
  const shared = min<u32>(aBytes, bBytes);
  for (let i: u32 = 0; i < shared; i++) {
    const difference = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (difference !== 0) return difference;
  }
  return <i32>aBytes - <i32>bBytes;
}

/** As src/wire/label-hash.ts. */
export function hashLabels(start: usize, length: u32): f64 {
  let a: u32 = 0x3c6e_f372 ^ length;
  let b: u32 = 0x1f83_d9ab;
  let bits: u32 = 0;
  let at = start;
  const end = start + length;
  for (; at + 4 <= end; at += 4) {
    const word = load<u32>(at);
    bits |= word;
    a = (a ^ word) * 0x9e37_79b1;
    a ^= a >> 15;
    b = (b ^ word) * 0x85eb_ca77;
    b ^= b >> 13;
  }
  for (; at < end; at++) {
    const byte = <u32>load<u8>(at);
    bits |= byte;
    a = (a ^ byte) * 0x9e37_79b1;
    a ^= a >> 15;
    b = (b ^ byte) * 0x85eb_ca77;
    b ^= b >> 13;
  }
  a = (a ^ (b >> 16)) * 0xc2b2_ae3d;
  a ^= a >> 16;
  b = (b ^ a) * 0x27d4_eb2f;
  b ^= b >> 15;
  a = (a ^ b) * 0x1656_67b1;
  a ^= a >> 14;
  highBits = bits & HIGH_BITS;
  return <f64>(b & 0x001f_ffff) * 4_294_967_296 + <f64>a;
}

/** The hash of the labels [start, end) if they are canonical, ASCII and short, and begin with the metric's name: then any receiver stores them. Otherwise −1. */
export function usualHash(start: usize, end: usize): f64 {
  if (start >= end || load<u64>(start + 4) !== NAME || <u32>load<u8>(start + 3) !== NAME_BYTES) return UNUSUAL;
  let before: usize = 0;
  let beforeBytes: u32 = 0;
  for (let at = start; at < end; ) {
    const entryBytes = <u32>load<u8>(at + 1);
    const nameBytes = <u32>load<u8>(at + 3);
    if ((entryBytes | nameBytes) >= SHORT) return UNUSUAL;
    const name = at + 4;
    const value = name + nameBytes + 2;
    const valueBytes = <u32>load<u8>(value - 1);
    const areShort = valueBytes < SHORT;
    if (!areShort || valueBytes === 0 || entryBytes !== ENTRY_OVERHEAD + nameBytes + valueBytes) return UNUSUAL;
    if (<u32>load<u8>(at) !== TAG_FIRST || <u32>load<u8>(at + 2) !== TAG_FIRST) return UNUSUAL;
    if (<u32>load<u8>(value - 2) !== TAG_VALUE) return UNUSUAL;
    if (before !== 0 && compareText(before, beforeBytes, name, nameBytes) >= 0) return UNUSUAL;
    before = name;
    beforeBytes = nameBytes;
    at = value + valueBytes;
    if (at > end) return UNUSUAL;
  }
  const hash = hashLabels(start, <u32>(end - start));
  return highBits === 0 ? hash : UNUSUAL;
}
