// Parses a line of VictoriaMetrics' /api/v1/export with its values, without an object per sample:
// {"metric":{…},"values":[1,null,"Infinity"],"timestamps":[1700000000000,…]}. Pure.

import type { SampleColumns } from '../wire/sample-columns.ts';
import { STALE_HIGH, STALE_LOW } from '../wire/stale-marker.ts';

/** `metric` is the JSON object of the labels, a view of the line. */
export type ExportedLine = { readonly metric: Buffer } | { readonly problem: string };

const VALUES = Buffer.from('"values":[');
const TIMESTAMPS = Buffer.from('"timestamps":[');
const COMMA = 0x2c;
const CLOSE_ARRAY = 0x5d;
const POINT = 0x2e;
const MINUS = 0x2d;
const ZERO = 0x30;

/** With at most this many digits, the digits as an integer are exact. */
const EXACT_DIGITS = 15;
/** Powers of ten up to here are exact, so one division or multiplication rounds once, as IEEE 754 requires. */
const EXACT_POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** Milliseconds since 1970 have 13 digits from 2001 to 2286. */
const USUAL_TIME_DIGITS = 13;
const HIGH_DIGITS = 7;
const LOW_POWER = 1e6;
const TIME = /^-?\d+$/;

const FLOAT = new Float64Array(1);
const FLOAT_BITS = new Uint32Array(FLOAT.buffer);

/**
 * Appends the samples of the line. VictoriaMetrics drops ordinary NaN, so a `null` is a stale marker.
 * @returns where the labels are; or what is wrong with the line, and then `columns` may hold a part of it
 */
export function parseExportedSamples(line: Buffer, columns: SampleColumns): ExportedLine {
  // Inside a label the quotes of these words would be escaped.
  const valuesAt = line.indexOf(VALUES);
  const open = line.indexOf('{', 1);
  if (open < 0 || open > valuesAt) return { problem: 'a line of another form' };
  const metric = line.subarray(open, line.lastIndexOf('}', valuesAt) + 1);
  const firstSample = columns.floats;
  const values = appendValues(line, valuesAt + VALUES.length, columns);
  if (typeof values === 'string') return { problem: values };
  const timesAt = line.indexOf(TIMESTAMPS, values);
  if (timesAt < 0) return { problem: 'a line of another form' };
  const problem = setTimes(line, timesAt + TIMESTAMPS.length, { columns, firstSample });
  return problem === undefined ? { metric } : { problem };
}

/**
 * Appends a sample without a time for each value of the array that begins at `from`.
 * @returns where the array ends, or what is wrong
 */
function appendValues(bytes: Buffer, from: number, columns: SampleColumns): number | string {
  let at = from;
  if (bytes[at] === CLOSE_ARRAY) return at + 1;
  for (; at < bytes.length; at++) {
    const start = at;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    const firstDigit = at;
    let integer = 0;
    let pointAt = 0;
    for (; at < bytes.length; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit >= 0 && digit <= 9) integer = integer * 10 + digit;
      else if (digit === POINT - ZERO && pointAt === 0) pointAt = at;
      else break;
    }
    const digits = at - firstDigit - (pointAt === 0 ? 0 : 1);
    const isPlain = bytes[at] === COMMA || bytes[at] === CLOSE_ARRAY;
    if (isPlain && digits > 0 && digits <= EXACT_DIGITS) {
      const power = pointAt === 0 ? 1 : (EXACT_POWERS[at - pointAt - 1] as number);
      FLOAT[0] = (isNegative ? -integer : integer) / power;
    } else {
      while (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== CLOSE_ARRAY) at++;
      if (!setSlowly(bytes.toString('latin1', start, at))) return 'a line with a value that is not a number';
    }
    columns.addFloat(0, FLOAT_BITS[0] as number, FLOAT_BITS[1] as number);
    if (bytes[at] === CLOSE_ARRAY) return at + 1;
  }
  return 'a line that ends in the middle';
}

/**
 * Sets the times of the samples that `appendValues` has appended.
 * @returns what is wrong
 */
function setTimes(
  bytes: Buffer,
  from: number,
  { columns, firstSample }: { columns: SampleColumns; firstSample: number },
): string | undefined {
  const { floats, floatTimesMs } = columns;
  if (bytes[from] === CLOSE_ARRAY)
    return firstSample === floats ? undefined : 'a line with more values than timestamps';
  let sample = firstSample;
  for (let at = from; at < bytes.length; at++) {
    if (sample === floats) return 'a line with fewer values than timestamps';
    let end = at + USUAL_TIME_DIGITS;
    // The time as two integers, because arithmetic is faster with small ones.
    const high = integerOf(bytes, at, at + HIGH_DIGITS);
    const low = integerOf(bytes, at + HIGH_DIGITS, end);
    let timeMs = high * LOW_POWER + low;
    if (high < 0 || low < 0 || isDigit(bytes[end])) {
      for (end = at; bytes[end] === MINUS || isDigit(bytes[end]); ) end++;
      const text = bytes.toString('latin1', at, end);
      timeMs = TIME.test(text) ? Number(text) : Number.NaN;
      if (!Number.isSafeInteger(timeMs)) return 'a line without timestamps in whole milliseconds';
    }
    floatTimesMs[sample++] = timeMs;
    at = end;
    if (bytes[at] === CLOSE_ARRAY) return sample === floats ? undefined : 'a line with more values than timestamps';
    if (bytes[at] !== COMMA) return 'a line without timestamps in whole milliseconds';
  }
  return 'a line that ends in the middle';
}

/** @returns a negative number if there are other bytes than digits; at most eight digits */
function integerOf(bytes: Buffer, from: number, to: number): number {
  let integer = 0;
  for (let at = from; at < to; at++) {
    const digit = ((bytes[at] as number) - ZERO) | 0;
    if (digit < 0 || digit > 9) return -1;
    integer = (Math.imul(integer, 10) + digit) | 0;
  }
  return integer;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}

/** Sets FLOAT to a value of any form. @returns false for any other text */
function setSlowly(json: string): boolean {
  // Version 1.79 writes `NaN`.
  if (json === 'null' || json === 'NaN') {
    FLOAT_BITS[0] = STALE_LOW;
    FLOAT_BITS[1] = STALE_HIGH;
    return true;
  }
  const text = json.replace(/^"(.*)"$/, '$1');
  if (/^\+?Inf(?:inity)?$/.test(text)) FLOAT[0] = Number.POSITIVE_INFINITY;
  else if (/^-Inf(?:inity)?$/.test(text)) FLOAT[0] = Number.NEGATIVE_INFINITY;
  else if (/^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text)) FLOAT[0] = Number(text);
  else return false;
  return true;
}
