// CRC-32C (Castagnoli), sixteen bytes at a time, and the frames of a streamed response that it protects.

import { CRC_TABLES, RESULT } from './layout';

const POLYNOMIAL: u32 = 0x82f63b78;
const TABLE_BYTES: usize = 256 * 4;
const CHECKSUM_BYTES: usize = 4;
/** Prometheus' frames are far below the 2^35 bytes that five bytes can declare. */
const MAX_LENGTH_BYTES: u32 = 5;

/** Fills the tables: table k holds the checksum of a byte that is followed by k zero bytes. */
export function buildTables(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    store<u32>(CRC_TABLES + (byte << 2), crc);
  }
  for (let at = CRC_TABLES + TABLE_BYTES; at < CRC_TABLES + 16 * TABLE_BYTES; at += 4) {
    const shorter = load<u32>(at - TABLE_BYTES);
    store<u32>(at, (shorter >>> 8) ^ load<u32>(CRC_TABLES + ((shorter & 0xff) << 2)));
  }
}

function entry(table: u32, index: u32): u32 {
  return load<u32>(CRC_TABLES + (index << 2) + table * 1024);
}

/** Continues a checksum over [from, to). It begins with −1; the result is inverted at the end. */
export function updateCrc(state: u32, from: usize, to: usize): u32 {
  let crc = state;
  let at = from;
  for (; at + 16 <= to; at += 16) {
    const first = load<u32>(at) ^ crc;
    const second = load<u32>(at, 4);
    const third = load<u32>(at, 8);
    const fourth = load<u32>(at, 12);
    crc =
      entry(15, first & 0xff) ^
      entry(14, (first >>> 8) & 0xff) ^
      entry(13, (first >>> 16) & 0xff) ^
      entry(12, first >>> 24) ^
      (entry(11, second & 0xff) ^
        entry(10, (second >>> 8) & 0xff) ^
        entry(9, (second >>> 16) & 0xff) ^
        entry(8, second >>> 24)) ^
      (entry(7, third & 0xff) ^
        entry(6, (third >>> 8) & 0xff) ^
        entry(5, (third >>> 16) & 0xff) ^
        entry(4, third >>> 24)) ^
      (entry(3, fourth & 0xff) ^
        entry(2, (fourth >>> 8) & 0xff) ^
        entry(1, (fourth >>> 16) & 0xff) ^
        entry(0, fourth >>> 24));
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ entry(0, (crc ^ load<u8>(at)) & 0xff);
  return crc;
}

/**
 * Walks the whole, correct frames in [from, to). RESULT[0] is their number.
 * @returns where they end: a frame begins there that is incomplete, too long or wrong, which JavaScript examines
 */
export function verifyFrames(from: usize, to: usize, maxFrameBytes: u32): usize {
  let frames: u32 = 0;
  let start = from;
  while (start < to) {
    let length: u64 = 0;
    let at = start;
    let bytes: u32 = 0;
    let byte: u32 = 0x80;
    while (byte >= 0x80 && at < to && bytes < MAX_LENGTH_BYTES) {
      byte = load<u8>(at++);
      length |= (<u64>(byte & 0x7f)) << (7 * bytes++);
    }
    if (byte >= 0x80 || length > <u64>maxFrameBytes) break;
    const payload = at + CHECKSUM_BYTES;
    if (<u64>payload + length > <u64>to) break;
    const end = payload + <usize>length;
    if (~updateCrc(-1, payload, end) !== bswap<u32>(load<u32>(at))) break;
    start = end;
    frames++;
  }
  store<u32>(RESULT, frames);
  return start;
}
