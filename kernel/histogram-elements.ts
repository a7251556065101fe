// The native histograms of a write request as elements of its snappy block. src/wire/requests/histogram-elements.ts explains them and writes the
// same bytes.

import { REFUSED } from './bits';
import { writeCopy } from './elements';
import { histogramEnd, histogramStart } from './histograms';
import { OUTPUT, OUTPUT_BYTES } from './layout';

const LONGEST_SHORT_LITERAL: u32 = 60;
const SHORTEST_COPY: u32 = 4;
const DOUBLE_BYTES: u32 = 8;
const TAIL_BYTES: u32 = 9;
const OVERHANG_BYTES: u32 = 64;

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
      compare(tail, end, length);
    }
    before = length;
    at = end;
  }
  writeLiteral(at);
  return <i32>(output - OUTPUT);
}

function compare(start: usize, end: usize, distance: u32): void {
  for (let at = start; at < end; ) {
    const difference = load<u64>(at) ^ load<u64>(at - distance);
    let run: u32 = difference === 0 ? 8 : <u32>ctz<u64>(difference) >>> 3;
    if (run < SHORTEST_COPY) {
      at += run + 1;
      continue;
    }
    if (run === 8) run += equalBytes(at + 8, end, distance);
    if (at + run > end) run = <u32>(end - at);
    if (run >= SHORTEST_COPY) {
      writeLiteral(at);
      output = writeCopy(output, run, distance);
      written = at + run;
    }
    at += run + 1;
  }
}

/** May be more than there are before `end`. */
function equalBytes(start: usize, end: usize, distance: u32): u32 {
  let at = start;
  while (at < end) {
    const difference = load<u64>(at) ^ load<u64>(at - distance);
    if (difference !== 0) return <u32>(at - start) + (<u32>ctz<u64>(difference) >>> 3);
    at += 8;
  }
  return <u32>(at - start);
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
