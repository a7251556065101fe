// The entry point of the chunk decoders: selects the decoder for an encoding number.

import { BitReader } from './bit-reader.ts';
import { decodeHistogramChunk, type HistogramChunkKind, histogramMessageBytes } from './chunk-histogram.ts';
import { decodeXorChunk } from './chunk-xor.ts';
import { decodeXor2Chunk } from './chunk-xor2.ts';
import { WireError } from '../errors.ts';
import type { SampleColumns } from '../sample-columns.ts';

/** `prometheus.Chunk.Encoding`, with the numbers of Prometheus' tsdb/chunkenc. Prometheus before 2.40 sends 0 for XOR. */
export const CHUNK_ENCODINGS = {
  unknown: 0,
  xor: 1,
  histogram: 2,
  floatHistogram: 3,
  xor2: 4,
  histogramSt: 5,
  floatHistogramSt: 6,
} as const;

const KNOWN_ENCODINGS: ReadonlySet<number> = new Set(Object.values(CHUNK_ENCODINGS));

const HISTOGRAM_KINDS: ReadonlyMap<number, HistogramChunkKind> = new Map([
  [CHUNK_ENCODINGS.histogram, { name: 'HISTOGRAM', float: false, startTimestamps: false }],
  [CHUNK_ENCODINGS.floatHistogram, { name: 'FLOAT_HISTOGRAM', float: true, startTimestamps: false }],
  [CHUNK_ENCODINGS.histogramSt, { name: 'HISTOGRAM_ST', float: false, startTimestamps: true }],
  [CHUNK_ENCODINGS.floatHistogramSt, { name: 'FLOAT_HISTOGRAM_ST', float: true, startTimestamps: true }],
]);

// Decoding is synchronous and starts with `load`, so one reader serves every chunk of this thread.
const READER = new BitReader();

/**
 * The number of samples that the chunk `bytes[start, end)` declares: its first two bytes, where the ST histogram kinds use only 14 bits.
 * Throws WireError 'truncated' if these bytes are missing, 'unknown-encoding' for an encoding that is not in `CHUNK_ENCODINGS`.
 */
export function chunkSampleCount(
  encoding: number,
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): number {
  if (!KNOWN_ENCODINGS.has(encoding)) throw unknownEncoding(encoding);
  if (end - start < 2) throw new WireError('truncated', `chunk of ${end - start} bytes has no sample count`);
  const resetBits = encoding >= CHUNK_ENCODINGS.histogramSt ? 0xc0 : 0;
  return (((bytes[start] as number) & ~resetBits) << 8) | (bytes[start + 1] as number);
}

/** The maximum bytes that the histogram messages of the chunk `bytes[start, end)` take when decoded. 0 for a chunk of floats. */
export function chunkMessageBytes(encoding: number, bytes: Uint8Array, start: number, end: number): number {
  const kind = HISTOGRAM_KINDS.get(encoding);
  if (kind === undefined) return 0;
  READER.pointAt(bytes, start, end);
  return histogramMessageBytes(kind, READER, chunkSampleCount(encoding, bytes, start, end));
}

/**
 * Decodes the chunk `bytes[start, end)`. Appends the samples with fromMs <= t < toMs to `columns`, in the order of the chunk. Times are
 * milliseconds since 1970. Bytes after the last sample are ignored, as Prometheus does.
 *
 * Throws WireError: 'truncated' if the bytes end early, 'corrupt' if they cannot be a chunk or hold a time outside ±2^53 ms,
 * 'unknown-encoding' for an encoding or a histogram schema of a later Prometheus. After an error `columns` is unchanged.
 */
export function decodeChunk(
  encoding: number,
  bytes: Uint8Array,
  fromMs: number,
  toMs: number,
  columns: SampleColumns,
  start: number = 0,
  end: number = bytes.length,
): void {
  const count = chunkSampleCount(encoding, bytes, start, end);
  // The float decoders check for impossible times only outside the window.
  const from = Math.max(fromMs, -Number.MAX_SAFE_INTEGER);
  const to = Math.min(toMs, Number.MAX_SAFE_INTEGER + 1);
  READER.pointAt(bytes, start, end);
  if (encoding === CHUNK_ENCODINGS.unknown || encoding === CHUNK_ENCODINGS.xor) {
    decodeXorChunk(READER, count, from, to, columns);
  } else if (encoding === CHUNK_ENCODINGS.xor2) {
    decodeXor2Chunk(READER, count, from, to, columns);
  } else {
    const kind = HISTOGRAM_KINDS.get(encoding);
    if (kind === undefined) throw unknownEncoding(encoding);
    decodeHistogramChunk(kind, READER, count, from, to, columns);
  }
}

function unknownEncoding(encoding: number): WireError {
  return new WireError('unknown-encoding', `chunk encoding ${encoding} is unknown; supported are 0 to 6`);
}
