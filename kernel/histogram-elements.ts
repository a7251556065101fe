// The native histograms of a write request as elements of its snappy block. src/wire/requests/histogram-elements.ts explains them and writes the
// same bytes.

import { REFUSED } from './bits';
import { writeCopy } from './elements';
import { histogramEnd, histogramStart } from './histograms';
import { OUTPUT, OUTPUT_BYTES } from './layout';

const LONGEST_SHORT_LITERAL: u32 = 60;
const DOUBLE_BYTES: u32 = 8;
const TAIL_BYTES: u32 = 9;
const OVERHANG_BYTES: u32 = 64;
/** Compared at once. */
const WORD_BYTES: usize = 64;
const ALL: u64 = ~0;

let output: usize = 0;
/** What is not written yet begins here. */
let written: usize = 0;

/**
 * Writes the histograms [from, to) of the columns to OUTPUT.
 * @returns the number of bytes, or REFUSED if they may not fit
 */
export function encodeHistograms(columns: usize, from: u32, to: u32): i32 {
  let at = histogramStart(columns, from);
  const bytes = <u32>(histogramEnd(columns, to - 1) - at);
  if (bytes + bytes / 32 >= OUTPUT_BYTES - OVERHANG_BYTES) return REFUSED;
  output = OUTPUT;
  written = at;
  let before: u32 = 0;
  for (let i = from; i < to; i++) {
    const end = histogramEnd(columns, i);
    const length = <u32>(end - at);
    if (before === 0) compare(min<usize>(at + DOUBLE_BYTES, end), end, DOUBLE_BYTES);
    else if (length === before) compare(at, end, length);
    else {
      const tail = max<usize>(at, end - TAIL_BYTES);
      compare(at, tail, before);
      // The tail is compared with what lies before this histogram.
      if (before >= TAIL_BYTES) compare(tail, end, length);
    }
    before = length;
    at = end;
  }
  writeLiteral(at);
  return <i32>(output - OUTPUT);
}

function compare(start: usize, end: usize, distance: u32): void {
  for (let at = start; at < end; ) {
    let equal = equalBytes(at, end, distance);
    let next = at + WORD_BYTES - <usize>clz<u64>(~equal);
    for (;;) {
      const runs = equal & (equal >> 1) & (equal >> 2) & (equal >> 3);
      if (runs === 0) break;
      const first = ctz<u64>(runs);
      const length = ctz<u64>(~(equal >> first));
      let last = at + <usize>first + <usize>length;
      if (first + length >= WORD_BYTES) {
        last = runEnd(at + WORD_BYTES, end, distance);
        next = last;
        equal = 0;
      } else equal &= ALL << (first + length);
      writeLiteral(at + <usize>first);
      output = writeCopy(output, <u32>(last - written), distance);
      written = last;
    }
    at = next;
  }
}

/** A bit for each of the next 64 bytes: whether it is before `end` and equals the one `distance` bytes before it. */
function equalBytes(at: usize, end: usize, distance: u32): u64 {
  const before = at - distance;
  const equal =
    <u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(before)))) |
    ((<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), v128.load(before, 16))))) << 16) |
    ((<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 32), v128.load(before, 32))))) << 32) |
    ((<u64>(<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 48), v128.load(before, 48))))) << 48);
  return at + WORD_BYTES > end ? equal & ~(ALL << (end - at)) : equal;
}

/** The first byte from `start` on that differs from the one `distance` bytes before it; `end` if there is none. */
function runEnd(start: usize, end: usize, distance: u32): usize {
  for (let at = start; at < end; at += WORD_BYTES) {
    const equal = equalBytes(at, end, distance);
    if (equal !== ALL) return at + <usize>ctz<u64>(~equal);
  }
  return end;
}

/** Writes what is not written yet, up to `end`. Up to seven more bytes are written and then overwritten. */
function writeLiteral(end: usize): void {
  while (written < end) {
    const length = min<u32>(<u32>(end - written), LONGEST_SHORT_LITERAL);
    store<u8>(output++, (length - 1) << 2);
    for (let i: u32 = 0; i < length; i += 8) store<u64>(output + i, load<u64>(written + i));
    output += length;
    written += length;
  }
}
