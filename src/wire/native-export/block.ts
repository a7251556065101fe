// The header of a block of samples: up to 8,192 samples of one series in the order of time, as VictoriaMetrics stores them. The block is exported
// whole, also if only a part of it is in the requested range.

import { WireError } from '../errors.ts';
import { ENCODING } from './integers.ts';
import { type Int64, Int64Reader, numberOf } from './int64-reader.ts';

/** VictoriaMetrics rejects blocks with more. */
export const MAX_BLOCK_SAMPLES = 16_384;
const MAX_EXPONENT = 32_767;
const MAX_PRECISION_BITS = 64;

/** Where an encoded array lies in the block. */
export interface ArrayPlace {
  readonly encoding: number;
  readonly first: Int64;
  readonly start: number;
  readonly end: number;
}

export interface BlockHeader {
  readonly samples: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly exponent: number;
  /** Below 64, the store has rounded values and timestamps (`-precisionBits`). */
  readonly precisionBits: number;
  readonly times: ArrayPlace;
  readonly values: ArrayPlace;
}

/** @throws WireError if bytes[start, end) is not a block */
export function readBlockHeader(bytes: Uint8Array, start: number, end: number): BlockHeader {
  const reader = new Int64Reader(bytes, start, end);
  const firstTime = nextInteger(reader);
  const firstMs = safe(firstTime);
  reader.next();
  const lastMs = safe(reader);
  const firstValue = nextInteger(reader);
  const samples = nextSamples(reader);
  reader.next();
  const exponent = numberOf(reader);
  if (Math.abs(exponent) > MAX_EXPONENT) throw corrupt(`an exponent of ${exponent}`);
  const timesEncoding = nextEncoding(reader);
  const valuesEncoding = nextEncoding(reader);
  const precisionBits = nextByte(reader);
  if (precisionBits < 1 || precisionBits > MAX_PRECISION_BITS) throw corrupt(`${precisionBits} bits of precision`);
  const times = nextArray(reader, timesEncoding, firstTime);
  const values = nextArray(reader, valuesEncoding, firstValue);
  if (reader.position !== end) throw corrupt('bytes behind its end');
  return { samples, firstMs, lastMs, exponent, precisionBits, times, values };
}

/** When a block begins and ends, and how much it has. */
export interface BlockExtent {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
}

/** Reads the beginning of the header. @throws WireError */
export function extentOf(bytes: Uint8Array, start: number, end: number): BlockExtent {
  const reader = new Int64Reader(bytes, start, end);
  reader.next();
  const firstMs = safe(reader);
  reader.next();
  const lastMs = safe(reader);
  reader.next();
  return { firstMs, lastMs, samples: nextSamples(reader) };
}

function nextInteger(reader: Int64Reader): Int64 {
  reader.next();
  return { high: reader.high, low: reader.low };
}

function nextSamples(reader: Int64Reader): number {
  reader.nextUnsigned();
  const samples = numberOf(reader);
  if (samples < 1 || samples > MAX_BLOCK_SAMPLES) throw corrupt(`${samples} samples`);
  return samples;
}

function nextByte(reader: Int64Reader): number {
  if (reader.position >= reader.end) throw new WireError('truncated', 'a block is cut off');
  return reader.bytes[reader.position++] as number;
}

function nextEncoding(reader: Int64Reader): number {
  const encoding = nextByte(reader);
  if (encoding < ENCODING.zstdDelta2 || encoding > ENCODING.delta)
    throw new WireError('unknown-encoding', `a block has the unknown encoding ${encoding}`);
  return encoding;
}

function nextArray(reader: Int64Reader, encoding: number, first: Int64): ArrayPlace {
  reader.nextUnsigned();
  const length = numberOf(reader);
  const start = reader.position;
  if (length < 0 || length > reader.end - start) throw new WireError('truncated', 'a block is cut off');
  reader.position = start + length;
  return { encoding, first, start, end: start + length };
}

function safe(integer: Int64): number {
  const number = numberOf(integer);
  if (!Number.isSafeInteger(number)) throw corrupt('a timestamp that is not one');
  return number;
}

function corrupt(what: string): WireError {
  return new WireError('corrupt', `a block has ${what}`);
}
