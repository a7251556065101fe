// The samples of a write request as elements of its snappy block. src/wire/requests/sample-elements.ts explains them and writes the same
// bytes.

import { REFUSED } from './bits';
import { add, earlierBits, find, foundDistance, foundSlot } from './earlier-series';
import { OUTPUT, OUTPUT_BYTES } from './layout';

const HEAD_BYTES: u32 = 3;
const VALUE_BYTES: u32 = 8;
const TIME_TAG_BYTES: u32 = 1;
const TIME_BYTES: u32 = 6;
const SAMPLE_BYTES: u32 = HEAD_BYTES + VALUE_BYTES + TIME_TAG_BYTES + TIME_BYTES;
const SAMPLE_ELEMENT_BYTES: u32 = 3 + 1 + VALUE_BYTES + TIME_TAG_BYTES + TIME_BYTES;
const OVERHANG_BYTES: u32 = 64;

/** 0x12, the sample's length, 0x09. */
const HEAD: u32 = 0x12 | ((SAMPLE_BYTES - 2) << 8) | (0x09 << 16);
const TAG_SAMPLE_TIME: u32 = 0x10;
const LOWER_TIMES: i64 = 1 << 28;

const LONGEST_COPY: u32 = 64;
const LONGEST_NEAR_COPY: u32 = 11;
const NEAR_BYTES: u32 = 2048;
const SHORTEST_MATCH: u32 = 4;

/**
 * Writes the samples [from, to) of the columns to OUTPUT. Their times take six bytes and ascend. `start` is their position in the message.
 * @returns the number of bytes, or REFUSED if they may not fit
 */
export function encodeFloats(ring: usize, start: f64, times: usize, bits: usize, from: u32, to: u32): i32 {
  const count = to - from;
  if (to <= from || count >= (OUTPUT_BYTES - OVERHANG_BYTES) / SAMPLE_ELEMENT_BYTES) return REFUSED;
  const firstTime = times + (from << 3);
  const firstBits = bits + (from << 3);
  const shared = find(ring, start, firstTime, count);
  let at = OUTPUT;
  if (shared > 0) at = writeAlongside(at, ring, firstBits, shared);
  if (shared < count) at = writeAlone(at, firstTime, firstBits, shared, count);
  add(ring, start, firstTime, firstBits, count);
  return <i32>(at - OUTPUT);
}

export function writeCopy(start: usize, length: u32, distance: u32): usize {
  let at = start;
  let rest = length;
  for (; rest > LONGEST_COPY; rest -= LONGEST_COPY) {
    store<u32>(at, ((LONGEST_COPY - 1) << 2) | 2 | (distance << 8));
    at += 3;
  }
  if (rest >= SHORTEST_MATCH && rest <= LONGEST_NEAR_COPY && distance < NEAR_BYTES) {
    store<u16>(at, ((distance >>> 8) << 5) | ((rest - SHORTEST_MATCH) << 2) | 1 | ((distance & 0xff) << 8));
    return at + 2;
  }
  store<u32>(at, ((rest - 1) << 2) | 2 | (distance << 8));
  return at + 3;
}

function writeAlongside(start: usize, ring: usize, bits: usize, count: u32): usize {
  const distance = foundDistance();
  const slot = foundSlot();
  let at = start;
  let previous: u64 = 0;
  let run: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const value = load<u64>(bits + (i << 3));
    const change = value ^ earlierBits(ring, slot + i);
    if (change === 0) {
      run += SAMPLE_BYTES;
    } else if (value === previous && i > 0) {
      at = writeCopy(at, run + HEAD_BYTES, distance);
      at = writeCopy(at, VALUE_BYTES, SAMPLE_BYTES);
      run = TIME_TAG_BYTES + TIME_BYTES;
    } else {
      const lowerEqual = <u32>ctz<u64>(change) >>> 3;
      const upperEqual = <u32>clz<u64>(change) >>> 3;
      at = writeCopy(at, run + HEAD_BYTES + lowerEqual, distance);
      const length = VALUE_BYTES - lowerEqual - upperEqual;
      store<u8>(at, (length - 1) << 2);
      store<u64>(at, value >> (8 * lowerEqual), 1);
      at += 1 + length;
      run = upperEqual + TIME_TAG_BYTES + TIME_BYTES;
    }
    previous = value;
  }
  return run > 0 ? writeCopy(at, run, distance) : at;
}

/** The lower 28 bits of a time as the first four bytes of its varint. */
function packLower(lower: u32): u32 {
  return (
    (lower & 0x7f) | ((lower & 0x3f80) << 1) | ((lower & 0x1f_c000) << 2) | ((lower & 0xfe0_0000) << 3) | 0x8080_8080
  );
}

function writeTime(at: usize, packed: u32, upper: u32): void {
  store<u32>(at, packed);
  store<u8>(at, upper | 0x80, 4);
  store<u8>(at, upper >>> 7, 5);
}

function writeAlone(start: usize, times: usize, bits: usize, first: u32, count: u32): usize {
  let at = start;
  let i = first;
  if (i === 0) {
    const time = <i64>load<f64>(times);
    store<u8>(at, (SAMPLE_BYTES - 1) << 2);
    store<u32>(at, HEAD, 1);
    store<u64>(at, load<u64>(bits), 4);
    store<u8>(at, TAG_SAMPLE_TIME, 12);
    writeTime(at + 13, packLower(<u32>(time & (LOWER_TIMES - 1))), <u32>(time >> 28));
    at += 1 + SAMPLE_BYTES;
    i = 1;
  }
  let time = <i64>load<f64>(times + ((i - 1) << 3));
  let value = load<u64>(bits + ((i - 1) << 3));
  let packed = packLower(<u32>(time & (LOWER_TIMES - 1)));
  let run: u32 = 0;
  for (; i < count; i++) {
    const before = time;
    time = <i64>load<f64>(times + (i << 3));
    const change = value ^ load<u64>(bits + (i << 3));
    value ^= change;
    const packedBefore = packed;
    packed = packLower(<u32>(time & (LOWER_TIMES - 1)));
    run += HEAD_BYTES;
    if ((before ^ time) >= LOWER_TIMES) {
      // The upper time bytes change every three days.
      at = writeCopy(at, run, SAMPLE_BYTES);
      store<u8>(at, (VALUE_BYTES + TIME_TAG_BYTES + TIME_BYTES - 1) << 2);
      store<u64>(at, value, 1);
      store<u8>(at, TAG_SAMPLE_TIME, 9);
      writeTime(at + 10, packed, <u32>(time >> 28));
      at += 16;
      run = 0;
      continue;
    }
    const timeBytes = 4 - (<u32>clz<u32>(packed ^ packedBefore) >>> 3);
    if (change === 0) {
      at = writeCopy(at, run + VALUE_BYTES + TIME_TAG_BYTES, SAMPLE_BYTES);
      store<u8>(at, (timeBytes - 1) << 2);
      at++;
    } else {
      const equal = <u32>ctz<u64>(change) >>> 3;
      at = writeCopy(at, run + equal, SAMPLE_BYTES);
      store<u8>(at, (VALUE_BYTES - equal + TIME_TAG_BYTES + timeBytes - 1) << 2);
      store<u64>(at, value >> (8 * equal), 1);
      at += 1 + VALUE_BYTES - equal;
      store<u8>(at, TAG_SAMPLE_TIME);
      at++;
    }
    store<u32>(at, packed);
    at += timeBytes;
    run = TIME_BYTES - timeBytes;
  }
  return run > 0 ? writeCopy(at, run, SAMPLE_BYTES) : at;
}
