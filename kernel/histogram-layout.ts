// What all histograms of a chunk share: scale, spans and custom bounds, encoded as fields of their messages. src/wire/chunks/chunk-histogram.ts
// explains the encoding.

import { bitsAt, lastVarbitEnd, readVarbit, readVarbitUint } from './bits';
import { HISTOGRAM_STATE } from './layout';
import { writeVarint } from './varints';

const CUSTOM_SCHEMA: i64 = -53;
const MIN_SCHEMA: i64 = -9;
const MAX_SCHEMA: i64 = 52;

/** Real histograms have at most 160 buckets. What is larger is left to JavaScript. */
const MAX_SPANS: u64 = 256;
export const MAX_BUCKETS: u32 = 1024;

const TAG_SCHEMA: u8 = 0x20;
const TAG_ZERO_THRESHOLD: u8 = 0x29;
const TAG_NEGATIVE_SPANS: u8 = 0x42;
const TAG_POSITIVE_SPANS: u8 = 0x5a;
/** Field 16. */
const TAG_CUSTOM_VALUES: u16 = 0x0182;
const TAG_OFFSET: u8 = 0x08;
const TAG_LENGTH: u8 = 0x10;

/** A span with its tag and length takes at most 14 bytes. */
const SPANS_BYTES: usize = 4096;
const SCALE_BYTES: usize = 64;
const CUSTOM_BYTES: usize = 8 * 1024 + 64;
const SCALE: usize = HISTOGRAM_STATE;
const NEGATIVE_SPANS: usize = SCALE + SCALE_BYTES;
const POSITIVE_SPANS: usize = NEGATIVE_SPANS + SPANS_BYTES;
const CUSTOM_VALUES: usize = POSITIVE_SPANS + SPANS_BYTES;
/** The memory behind the layout. */
export const AFTER_LAYOUT: usize = CUSTOM_VALUES + CUSTOM_BYTES;

let scaleBytes: u32 = 0;
let negativeSpansBytes: u32 = 0;
let positiveSpansBytes: u32 = 0;
let customBytes: u32 = 0;
let negatives: u32 = 0;
let positives: u32 = 0;
let buckets: u32 = 0;
let custom: bool = false;
let last: u32 = 0;

export function negativeBuckets(): u32 {
  return negatives;
}

export function positiveBuckets(): u32 {
  return positives;
}

export function hasCustomBuckets(): bool {
  return custom;
}

export function layoutBytes(): u32 {
  return scaleBytes + negativeSpansBytes + positiveSpansBytes + customBytes;
}

/** Copies in steps of eight bytes: up to seven more are written. */
function copyShort(to: usize, from: usize, length: u32): usize {
  for (let i: u32 = 0; i < length; i += 8) store<u64>(to + i, load<u64>(from + i));
  return to + length;
}

export function writeScale(at: usize): usize {
  return copyShort(at, SCALE, scaleBytes);
}

export function writeNegativeSpans(at: usize): usize {
  return copyShort(at, NEGATIVE_SPANS, negativeSpansBytes);
}

export function writePositiveSpans(at: usize): usize {
  return copyShort(at, POSITIVE_SPANS, positiveSpansBytes);
}

export function writeCustomValues(at: usize): usize {
  return copyShort(at, CUSTOM_VALUES, customBytes);
}

/** Reads the layout of a chunk that ends at the bit `end`. @returns the position after it; 0 if it is wrong, of an unknown schema or large */
export function readLayout(start: u32, end: u32): u32 {
  last = end;
  let position = start;
  const code = <u32>bitsAt(position, 8);
  position += 8;
  let threshold: u64 = 0;
  if (code === 255) {
    threshold = bitsAt(position, 64);
    position += 64;
  } else if (code > 0) threshold = (<u64>(code - 244 + 1023)) << 52;
  if (position > last) return 0;
  const schema = readVarbit(position);
  position = lastVarbitEnd();
  custom = schema === CUSTOM_SCHEMA;
  if (position > last || (!custom && (schema < MIN_SCHEMA || schema > MAX_SCHEMA))) return 0;

  let at = SCALE;
  if (schema !== 0) {
    store<u8>(at, TAG_SCHEMA);
    at = writeVarint(at + 1, <u64>((schema << 1) ^ (schema >> 63)));
  }
  if (threshold !== 0) {
    store<u8>(at, TAG_ZERO_THRESHOLD);
    store<u64>(at, threshold, 1);
    at += 9;
  }
  scaleBytes = <u32>(at - SCALE);

  position = readSpans(position, POSITIVE_SPANS, TAG_POSITIVE_SPANS);
  if (position === 0) return 0;
  positiveSpansBytes = <u32>(spansEnd - POSITIVE_SPANS);
  positives = buckets;
  position = readSpans(position, NEGATIVE_SPANS, TAG_NEGATIVE_SPANS);
  if (position === 0) return 0;
  negativeSpansBytes = <u32>(spansEnd - NEGATIVE_SPANS);
  negatives = buckets;
  customBytes = 0;
  return custom ? readCustomValues(position) : position;
}

let spansEnd: usize = 0;

function readSpans(start: u32, to: usize, tag: u8): u32 {
  buckets = 0;
  spansEnd = to;
  const spans = readVarbitUint(start);
  let position = lastVarbitEnd();
  if (position > last || spans > MAX_SPANS) return 0;
  for (let i: u64 = 0; i < spans; i++) {
    const length = readVarbitUint(position);
    position = lastVarbitEnd();
    if (position > last || length > MAX_BUCKETS) return 0;
    const offset = readVarbit(position);
    position = lastVarbitEnd();
    if (position > last || offset !== <i64>(<i32>offset)) return 0;
    buckets += <u32>length;
    if (buckets > MAX_BUCKETS) return 0;
    store<u8>(spansEnd, tag);
    let at = spansEnd + 2;
    if (offset !== 0) {
      store<u8>(at, TAG_OFFSET);
      at = writeVarint(at + 1, <u64>((offset << 1) ^ (offset >> 63)));
    }
    if (length !== 0) {
      store<u8>(at, TAG_LENGTH);
      at = writeVarint(at + 1, length);
    }
    store<u8>(spansEnd, <u8>(at - spansEnd - 2), 1);
    spansEnd = at;
  }
  return position;
}

/** Each bound is an integer of thousandths plus 1, or 0 followed by the double. */
function readCustomValues(start: u32): u32 {
  const bounds = readVarbitUint(start);
  let position = lastVarbitEnd();
  if (position > last || bounds > MAX_BUCKETS) return 0;
  if (bounds === 0) return position;
  store<u16>(CUSTOM_VALUES, TAG_CUSTOM_VALUES);
  let at = writeVarint(CUSTOM_VALUES + 2, 8 * bounds);
  for (let i: u64 = 0; i < bounds; i++) {
    const thousandths = readVarbitUint(position);
    position = lastVarbitEnd();
    if (position > last) return 0;
    if (thousandths === 0) {
      store<u64>(at, bitsAt(position, 64));
      position += 64;
      if (position > last) return 0;
    } else store<f64>(at, (<f64>thousandths - 1.0) / 1000.0);
    at += 8;
  }
  customBytes = <u32>(at - CUSTOM_VALUES);
  return position;
}
