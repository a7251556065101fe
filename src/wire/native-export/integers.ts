// Decodes the arrays of 64-bit integers in which VictoriaMetrics stores timestamps and the mantissas of values: one integer, then differences, or
// differences of differences, as varints. Almost all arrays stay within ±2^53, where plain numbers are exact. The others (a stale marker or an
// infinite value is an integer near 2^63) are decoded again in two halves.

import { WireError } from '../errors.ts';
import { type Int64, Int64Reader, numberOf, tooLong } from './int64-reader.ts';

/** How an array is encoded. */
export const ENCODING = {
  zstdDelta2: 1,
  deltaConst: 2,
  const: 3,
  zstdDelta: 4,
  delta2: 5,
  delta: 6,
} as const;

/** An array without its compression. */
export interface EncodedIntegers {
  readonly encoding: number;
  readonly first: Int64;
  /** How many integers the array has; at least 1. */
  readonly count: number;
  /** The differences: bytes[start, end). */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export function isCompressed(encoding: number): boolean {
  return encoding === ENCODING.zstdDelta || encoding === ENCODING.zstdDelta2;
}

/** Integers with a meaning of their own. */
const HIGHEST = 0x7fffffff;
const LOWEST = -0x80000000;
const INFINITE_LOW = -1;
const STALE_LOW = -2;

/** Of the tenth byte, which has the last bit of the higher half. */
const LAST_SHIFT = 31;
const TWO_28 = 2 ** 28;
const TWO_32 = 2 ** 32;

/**
 * Decodes the first `wanted` integers into `out`, as the nearest numbers. The integers that stand for special values become Infinity, −Infinity and,
 * for a stale marker, NaN.
 * @throws WireError if the bytes are not such an array
 */
export function decodeIntegers(array: EncodedIntegers, wanted: number, out: Float64Array): void {
  const { encoding, count, start, end } = array;
  if (encoding === ENCODING.const) {
    if (end > start) throw leftOver();
    out.fill(numberOrSpecial(array.first.high, array.first.low), 0, wanted);
    return;
  }
  if (encoding === ENCODING.deltaConst) {
    decodeConstantDelta(array, wanted, out);
    return;
  }
  const isSecondOrder = encoding === ENCODING.delta2 || encoding === ENCODING.zstdDelta2;
  if (isSecondOrder && count < 2) throw new WireError('corrupt', 'an array of one integer has a second one');
  const read = decodeSmall(array, wanted, isSecondOrder, out) ?? decodeWide(array, wanted, isSecondOrder, out);
  if (wanted === count && read !== end) throw leftOver();
}

function decodeConstantDelta(array: EncodedIntegers, wanted: number, out: Float64Array): void {
  const reader = new Int64Reader(array.bytes, array.start, array.end);
  reader.next();
  if (reader.position !== array.end) throw leftOver();
  const first = numberOf(array.first);
  const delta = numberOf(reader);
  const last = first + delta * (wanted - 1);
  if (Number.isSafeInteger(first) && Number.isSafeInteger(delta) && Number.isSafeInteger(last)) {
    for (let i = 0; i < wanted; i++) out[i] = first + delta * i;
    return;
  }
  const { high: deltaHigh, low: deltaLow } = reader;
  let { high, low } = array.first;
  for (let i = 0; i < wanted; i++) {
    out[i] = numberOrSpecial(high, low);
    const sum = (low >>> 0) + (deltaLow >>> 0);
    low = sum | 0;
    high = (high + deltaHigh + (sum >= TWO_32 ? 1 : 0)) | 0;
  }
}

/** @returns where the integers end; undefined if one of them, or a difference, is not within ±2^53 */
function decodeSmall(
  { bytes, start, end, first }: EncodedIntegers,
  wanted: number,
  isSecondOrder: boolean,
  out: Float64Array,
): number | undefined {
  let value = numberOf(first);
  if (!Number.isSafeInteger(value)) return undefined;
  out[0] = value;
  let delta = 0;
  let at = start;
  for (let i = 1; i < wanted; i++) {
    const byte = bytes[at++] as number;
    let bits = byte & 0x7f;
    let difference: number;
    if (byte < 0x80) difference = (bits >>> 1) ^ -(bits & 1);
    else {
      const second = bytes[at++] as number;
      bits |= (second & 0x7f) << 7;
      if (second >= 0x80) {
        const third = bytes[at++] as number;
        bits |= (third & 0x7f) << 14;
        if (third >= 0x80) {
          const fourth = bytes[at++] as number;
          bits |= (fourth & 0x7f) << 21;
          if (fourth >= 0x80) {
            let next = bytes[at++] as number;
            let upper = next & 0x7f;
            for (let shift = 7; next >= 0x80 && shift < 28; shift += 7) {
              next = bytes[at++] as number;
              upper |= (next & 0x7f) << shift;
            }
            const large = upper * TWO_28 + bits;
            if (next >= 0x80 || large >= Number.MAX_SAFE_INTEGER) return undefined;
            const isOdd = bits & 1;
            difference = isOdd === 1 ? -(large + 1) / 2 : large / 2;
          } else difference = (bits >>> 1) ^ -(bits & 1);
        } else difference = (bits >>> 1) ^ -(bits & 1);
      } else difference = (bits >>> 1) ^ -(bits & 1);
    }
    if (at > end) throw cutOff();
    if (isSecondOrder) {
      delta += difference;
      if (delta > Number.MAX_SAFE_INTEGER || delta < Number.MIN_SAFE_INTEGER) return undefined;
      value += delta;
    } else value += difference;
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) return undefined;
    out[i] = value;
  }
  return at;
}

/**
 * The same for integers of 64 bits. The varints are read here, because a call for each costs as much again.
 * @returns where the integers end
 */
function decodeWide(
  { bytes, start, end, first }: EncodedIntegers,
  wanted: number,
  isSecondOrder: boolean,
  out: Float64Array,
): number {
  let { high, low } = first;
  let deltaHigh = 0;
  let deltaLow = 0;
  let at = start;
  out[0] = numberOrSpecial(high, low);
  for (let i = 1; i < wanted; i++) {
    let byte = bytes[at++] as number;
    let lowBits = byte & 0x7f;
    let highBits = 0;
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = bytes[at++] as number;
      lowBits |= (byte & 0x7f) << shift;
    }
    if (byte >= 0x80) {
      byte = bytes[at++] as number;
      lowBits |= (byte & 0x7f) << 28;
      highBits = (byte & 0x7f) >>> 4;
      for (let shift = 3; byte >= 0x80; shift += 7) {
        byte = bytes[at++] as number;
        if (shift === LAST_SHIFT && byte > 1) throw tooLong();
        highBits |= (byte & 0x7f) << shift;
      }
    }
    if (at > end) throw cutOff();
    const sign = -(lowBits & 1);
    const differenceLow = ((lowBits >>> 1) | (highBits << 31)) ^ sign;
    const differenceHigh = (highBits >>> 1) ^ sign;
    if (isSecondOrder) {
      const sum = (deltaLow >>> 0) + (differenceLow >>> 0);
      deltaLow = sum | 0;
      deltaHigh = (deltaHigh + differenceHigh + (sum >= TWO_32 ? 1 : 0)) | 0;
    } else {
      deltaLow = differenceLow;
      deltaHigh = differenceHigh;
    }
    const sum = (low >>> 0) + (deltaLow >>> 0);
    low = sum | 0;
    high = (high + deltaHigh + (sum >= TWO_32 ? 1 : 0)) | 0;
    out[i] = numberOrSpecial(high, low);
  }
  return at;
}

function numberOrSpecial(high: number, low: number): number {
  if (high === HIGHEST && low === INFINITE_LOW) return Number.POSITIVE_INFINITY;
  if (high === HIGHEST && low === STALE_LOW) return Number.NaN;
  if (high === LOWEST && low === 0) return Number.NEGATIVE_INFINITY;
  // Rounded once, as a conversion of the integer is.
  return high * TWO_32 + (low >>> 0);
}

function cutOff(): WireError {
  return new WireError('truncated', 'an array of integers is cut off');
}

function leftOver(): WireError {
  return new WireError('corrupt', 'an array of integers has bytes behind its end');
}
