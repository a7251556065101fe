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
const QUOTE = 0x22;
const POINT = 0x2e;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_E = 0x65;
const UPPER_E = 0x45;

/** With at most this many digits, the digits as an integer are exact. */
const EXACT_DIGITS = 15;
/** Powers of ten up to here are exact, so one division or multiplication rounds once, as IEEE 754 requires. */
const EXACT_POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

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
  const values = new Numbers(line, valuesAt + VALUES.length);
  const times = new Numbers(line, timesAt + TIMESTAMPS.length);
  while (times.next()) {
    if (!values.next()) return { problem: 'a line with fewer values than timestamps' };
    const timeMs = times.number();
    if (timeMs === undefined || !Number.isSafeInteger(timeMs))
      return { problem: 'a line without timestamps in whole milliseconds' };
    if (values.isNull) columns.addFloat(timeMs, STALE_LOW, STALE_HIGH);
    else {
      const value = values.number();
      if (value === undefined) return { problem: 'a line with a value that is not a number' };
      columns.addNumber(timeMs, value);
    }
  }
  if (values.next()) return { problem: 'a line with more values than timestamps' };
  if (!values.isClosed || !times.isClosed) return { problem: 'a line that ends in the middle' };
  return { metric };
}

/** The elements of a JSON array of numbers, `null` and strings. */
class Numbers {
  readonly #bytes: Buffer;
  #at: number;
  #start = 0;
  #end = 0;
  isClosed = false;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  next(): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    if (this.isClosed) return false;
    const start = at;
    while (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== CLOSE_ARRAY) at++;
    this.isClosed = bytes[at] === CLOSE_ARRAY;
    this.#start = start;
    this.#end = at;
    this.#at = at + 1;
    return at > start;
  }

  get isNull(): boolean {
    return this.#bytes[this.#start] === 0x6e && this.#text() === 'null';
  }

  /** undefined: not a number */
  number(): number | undefined {
    const bytes = this.#bytes;
    let at = this.#start;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    let digits = 0;
    let integer = 0;
    let scale = 0;
    let isFraction = false;
    for (; at < this.#end; at++) {
      const byte = bytes[at] as number;
      if (byte >= ZERO && byte <= NINE) {
        integer = integer * 10 + (byte - ZERO);
        digits++;
        if (isFraction) scale++;
      } else if (byte === POINT && !isFraction) isFraction = true;
      else if (byte === LOWER_E || byte === UPPER_E || byte === QUOTE) return this.#slowly();
      else return undefined;
    }
    const power = EXACT_POWERS[scale];
    if (digits === 0 || digits > EXACT_DIGITS || power === undefined) return this.#slowly();
    const value = integer / power;
    return isNegative ? -value : value;
  }

  #slowly(): number | undefined {
    const text = this.#text().replace(/^"(.*)"$/, '$1');
    if (text === 'Infinity') return Number.POSITIVE_INFINITY;
    if (text === '-Infinity') return Number.NEGATIVE_INFINITY;
    return /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
  }

  #text(): string {
    return this.#bytes.toString('latin1', this.#start, this.#end);
  }
}

/** The labels of a line; undefined if they are not an object of strings. */
export function parseMetric(json: Buffer): Record<string, string> | undefined {
  try {
    const labels: unknown = JSON.parse(json.toString('utf8'));
    if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return undefined;
    return Object.values(labels).every((label) => typeof label === 'string')
      ? (labels as Record<string, string>)
      : undefined;
  } catch {
    return undefined;
  }
}
