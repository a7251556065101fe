// Chunks that Prometheus' own Go packages wrote and read back (tsdb/chunkenc for the chunks, prompb for the histogram messages,
// github.com/prometheus/prometheus v0.316.0), selected from about ten thousand random ones to cover every encoding, range of delta, window,
// NaN, bucket layout and kind of start timestamp. `reload` in a name: the appender was restored in mid-chunk. Sums of -0, which prompb
// omits, were put back into the messages, and schemas above 8 are unchanged.

import { readFileSync } from 'node:fs';
import type { SampleColumns } from '../../../src/wire/sample-columns.ts';

export type ChunkVector = {
  readonly name: string;
  readonly encoding: number;
  readonly chunk: Uint8Array;
  readonly times: readonly number[];
  /** Float values as 16 hexadecimal digits, histograms as their messages in hexadecimal. */
  readonly values: readonly string[];
  /** Whether a sample has a start timestamp. */
  readonly started: boolean;
};

type Frozen = { name: string; encoding: number; chunk: string; times: string; values: string; started: boolean };

const file: { chunks: Frozen[] } = JSON.parse(readFileSync(new URL('chunk-vectors.json', import.meta.url), 'utf8'));

const words = (text: string): string[] => (text === '' ? [] : text.split(' '));

export const chunkVectors: readonly ChunkVector[] = file.chunks.map((frozen) => ({
  name: frozen.name,
  encoding: frozen.encoding,
  chunk: Uint8Array.from(Buffer.from(frozen.chunk, 'hex')),
  times: words(frozen.times).map(Number),
  values: words(frozen.values),
  started: frozen.started,
}));

const digits = (half: number): string => half.toString(16).padStart(8, '0');

/** The contents of `columns`, in the form of a vector. */
export function columnsContent(columns: SampleColumns): Pick<ChunkVector, 'times' | 'values' | 'started'> {
  const floats = Array.from(
    { length: columns.floats },
    (_, i) => digits(columns.floatBits[2 * i + 1]!) + digits(columns.floatBits[2 * i]!),
  );
  return {
    times: [...columns.floatTimesMs.subarray(0, columns.floats), ...columns.histogramTimesMs],
    values: [...floats, ...columns.histograms.map((message) => Buffer.from(message).toString('hex'))],
    started: columns.startTimestamps,
  };
}
