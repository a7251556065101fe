// The labels of a series as VictoriaMetrics writes them, turned into label entries. src/wire/native-export/metric-name.ts explains the form.

import { REFUSED } from './bits';
import { compareText, hashLabels, NAME, NAME_BYTES, TAG_FIRST, TAG_VALUE } from './labels';
import { OUTPUT, OUTPUT_BYTES, RESULT, SPANS, SPANS_CAPACITY } from './layout';

const ESCAPE: u32 = 0x00;
const SEPARATOR: u32 = 0x01;
const FIRST_ESCAPED: u32 = 0x30;
const LAST_ESCAPED: u32 = 0x32;

/** Lengths from SHORT on take two bytes, and longer ones than LONGEST are refused. */
const SHORT: u32 = 0x80;
const LONGEST: u32 = 0x3fff;
/** Of an entry: two tags. */
const TAGS_BYTES: u32 = 2;

/** Of a span in SPANS: the address of the name, its length, the address of the value, its length. */
const SPAN_BYTES: u32 = 16;

/** Where the next part begins; 0 after a part that is cut off or has an unknown escape sequence. */
let next: usize = 0;

/** Removes the escapes of the part at `next`, in place. @returns its length */
function readPart(end: usize): u32 {
  const start = next;
  let at = start;
  while (at < end) {
    const byte = <u32>load<u8>(at);
    if (byte === SEPARATOR) {
      next = at + 1;
      return <u32>(at - start);
    }
    if (byte === ESCAPE) return readEscaped(start, at, end);
    at++;
  }
  next = 0;
  return 0;
}

function readEscaped(start: usize, from: usize, end: usize): u32 {
  let to = from;
  for (let at = from; at < end; at++) {
    let byte = <u32>load<u8>(at);
    if (byte === SEPARATOR) {
      next = at + 1;
      return <u32>(to - start);
    }
    if (byte === ESCAPE) {
      at++;
      const code = at < end ? <u32>load<u8>(at) : 0;
      if (code < FIRST_ESCAPED || code > LAST_ESCAPED) break;
      byte = code - FIRST_ESCAPED;
    }
    store<u8>(to++, byte);
  }
  next = 0;
  return 0;
}

/** Inserts a label behind those with lower names. @returns whether its name is new */
function insert(count: u32, name: usize, nameBytes: u32, value: usize, valueBytes: u32): bool {
  let at = SPANS + count * SPAN_BYTES;
  while (at > SPANS) {
    const before = at - SPAN_BYTES;
    const order = compareText(load<u32>(before), load<u32>(before, 4), name, nameBytes);
    if (order === 0) return false;
    if (order < 0) break;
    memory.copy(at, before, SPAN_BYTES);
    at = before;
  }
  store<u32>(at, <u32>name);
  store<u32>(at, nameBytes, 4);
  store<u32>(at, <u32>value, 8);
  store<u32>(at, valueBytes, 12);
  return true;
}

/**
 * Writes the canonical labels of the metric name [start, end) to OUTPUT. The eight bytes before `start` are free. RESULT, a float64: the hash of the
 * labels.
 * @returns their size; REFUSED: wrong bytes, an empty value, one name twice, or more or longer labels than usual
 */
export function writeLabels(start: usize, end: usize): i32 {
  const nameText = start - NAME_BYTES;
  store<u64>(nameText, NAME);
  next = start;
  let count: u32 = 0;
  const metricBytes = readPart(end);
  if (next === 0) return REFUSED;
  if (metricBytes > 0) insert(count++, nameText, NAME_BYTES, start, metricBytes);
  while (next < end) {
    if (count === SPANS_CAPACITY) return REFUSED;
    const name = next;
    const nameBytes = readPart(end);
    const value = next;
    if (value === 0) return REFUSED;
    const valueBytes = readPart(end);
    if (next === 0 || valueBytes === 0) return REFUSED;
    if (!insert(count++, name, nameBytes, value, valueBytes)) return REFUSED;
  }
  return writeEntries(count);
}

function writeEntries(count: u32): i32 {
  let out = OUTPUT;
  for (let span = SPANS, last = SPANS + count * SPAN_BYTES; span < last; span += SPAN_BYTES) {
    const nameBytes = load<u32>(span, 4);
    const valueBytes = load<u32>(span, 12);
    if (nameBytes > LONGEST || valueBytes > LONGEST) return REFUSED;
    const entryBytes = TAGS_BYTES + lengthBytes(nameBytes) + nameBytes + lengthBytes(valueBytes) + valueBytes;
    if (entryBytes > LONGEST || out + entryBytes > OUTPUT + OUTPUT_BYTES - SHORT) return REFUSED;
    out = writeHead(out, TAG_FIRST, entryBytes);
    out = writeHead(out, TAG_FIRST, nameBytes);
    copyWords(out, load<u32>(span), nameBytes);
    out = writeHead(out + nameBytes, TAG_VALUE, valueBytes);
    copyWords(out, load<u32>(span, 8), valueBytes);
    out += valueBytes;
  }
  const bytes = <u32>(out - OUTPUT);
  store<f64>(RESULT, hashLabels(OUTPUT, bytes));
  return bytes;
}

function lengthBytes(length: u32): u32 {
  return length < SHORT ? 1 : 2;
}

/** @returns the address after the tag and the length */
function writeHead(out: usize, tag: u32, length: u32): usize {
  store<u8>(out, tag);
  if (length < SHORT) {
    store<u8>(out, length, 1);
    return out + 2;
  }
  store<u8>(out, (length & 0x7f) | SHORT, 1);
  store<u8>(out, length >> 7, 2);
  return out + 3;
}

/** Eight bytes at a time. What is written behind the end is written over by what follows. */
function copyWords(to: usize, from: usize, bytes: u32): void {
  for (let at: u32 = 0; at < bytes; at += 8) store<u64>(to + at, load<u64>(from + at));
}
