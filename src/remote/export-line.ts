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

const FLOAT = new Float64Array(1);
const FLOAT_BITS = new Uint32Array(FLOAT.buffer);

/**
 * Appends the samples of the line. VictoriaMetrics drops ordinary NaN, so a `null` is a stale marker.
 * @returns where the labels are; or what is wrong with the line, and then `columns` may hold a part of it
 */
export function parseExportedSamples(line: Buffer, columns: SampleColumns): ExportedLine {
  // Inside a label the quotes of these words would be escaped.
  const valuesAt = line.indexOf(VALUES);
  const timesAt = line.indexOf(TIMESTAMPS);
  const open = line.indexOf('{', 1);
  if (valuesAt < 0 || timesAt < valuesAt || open < 0 || open > valuesAt) return { problem: 'a line of another form' };
  const metric = line.subarray(open, line.lastIndexOf('}', valuesAt) + 1);
  const firstSample = columns.floats;
  const timesEnd = parseTimes(line, timesAt + TIMESTAMPS.length, columns);
  if (timesEnd === undefined) return { problem: 'a line without timestamps in whole milliseconds' };
  return parseValues(line, { from: valuesAt + VALUES.length, to: timesAt }, { columns, firstSample }) ?? { metric };
}

/**
 * Appends a sample for each element of an array of integers.
 * @returns where the array ends; undefined if it is not such an array
 */
function parseTimes(bytes: Buffer, from: number, columns: SampleColumns): number | undefined {
  if (bytes[from] === CLOSE_ARRAY) return from;
  for (let at = from; at < bytes.length; at++) {
    const start = at;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    let timeMs = 0;
    let digits = at;
    for (; at < bytes.length; at++) {
      const digit = (bytes[at] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      timeMs = timeMs * 10 + digit;
    }
    digits = at - digits;
    if (digits === 0 || digits > EXACT_DIGITS || at - start > EXACT_DIGITS + 1) return undefined;
    columns.addFloat(isNegative ? -timeMs : timeMs, 0, 0);
    if (bytes[at] === CLOSE_ARRAY) return at;
    if (bytes[at] !== COMMA) return undefined;
  }
  return undefined;
}

/**
 * Reads the elements of an array into the samples that `parseTimes` has appended.
 * @returns what is wrong
 */
function parseValues(
  bytes: Buffer,
  { from, to }: { from: number; to: number },
  { columns, firstSample }: { columns: SampleColumns; firstSample: number },
): { readonly problem: string } | undefined {
  const { floats, floatBits } = columns;
  let sample = firstSample;
  let at = from;
  if (bytes[at] === CLOSE_ARRAY) at++;
  else {
    for (let isOpen = true; isOpen; at++) {
      if (sample === floats) return { problem: 'a line with more values than timestamps' };
      const start = at;
      const isNegative = bytes[at] === MINUS;
      if (isNegative) at++;
      let integer = 0;
      let digits = at;
      let scale = 0;
      for (; at < to; at++) {
        const digit = (bytes[at] as number) - ZERO;
        if (digit >= 0 && digit <= 9) integer = integer * 10 + digit;
        else if (digit === POINT - ZERO && scale === 0) scale = at + 1;
        else break;
      }
      digits = at - digits - (scale === 0 ? 0 : 1);
      if (scale !== 0) scale = at - scale;
      const isPlain = bytes[at] === COMMA || bytes[at] === CLOSE_ARRAY;
      if (isPlain && digits > 0 && digits <= EXACT_DIGITS) {
        FLOAT[0] = (isNegative ? -integer : integer) / (EXACT_POWERS[scale] as number);
      } else {
        while (at < to && bytes[at] !== COMMA && bytes[at] !== CLOSE_ARRAY) at++;
        if (at === to) return { problem: 'a line that ends in the middle' };
        if (!setSlowly(bytes.toString('latin1', start, at)))
          return { problem: 'a line with a value that is not a number' };
      }
      floatBits[2 * sample] = FLOAT_BITS[0] as number;
      floatBits[2 * sample + 1] = FLOAT_BITS[1] as number;
      sample++;
      isOpen = bytes[at] === COMMA;
    }
  }
  return sample < floats ? { problem: 'a line with fewer values than timestamps' } : undefined;
}

/** Sets FLOAT to a value of any form. @returns false if the text is none */
function setSlowly(json: string): boolean {
  if (json === 'null') {
    FLOAT_BITS[0] = STALE_LOW;
    FLOAT_BITS[1] = STALE_HIGH;
    return true;
  }
  const text = json.replace(/^"(.*)"$/, '$1');
  if (text === 'Infinity') FLOAT[0] = Number.POSITIVE_INFINITY;
  else if (text === '-Infinity') FLOAT[0] = Number.NEGATIVE_INFINITY;
  else if (/^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text)) FLOAT[0] = Number(text);
  else return false;
  return true;
}
