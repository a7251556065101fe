// Data without a store: every sample follows from a seed, its series and its time. Chunks are encoded once for the two hours of a block; in
// each other block they have other times and values, which are patched into the encoded chunk. So a response costs about as much as a copy
// of its bytes.
//
// As in Prometheus, no chunk crosses the border of a block and none has more than 120 samples. A response has whole chunks, one frame for
// each series.

import { hashLabels } from '../../src/wire/label-hash.ts';
import { encodeLabels, type LabelBytes } from '../../src/wire/labels.ts';
import { uvarintSize, writeUvarint } from '../../src/wire/proto-reader.ts';
import { crc32c } from '../../src/wire/responses/crc32c.ts';
import { randomNumbers } from '../../test/support/dataset.ts';
import { encodeXorChunk } from '../../test/wire/support/chunk-encoder.ts';
import { type LabelWords, labelWords, type SampleHash } from './sample-hash.ts';

export const BLOCK_MS = 7_200_000;
const SAMPLES_PER_CHUNK = 120;

/** Times of 2004 to 2039 take six bytes as a varint, signed and unsigned, so they can be patched. */
const FIRST_MS = 2 ** 40;
const LAST_MS = 2 ** 41 - 1;
const TIME_BYTES = 6;

export interface SyntheticOptions {
  readonly seed: number;
  readonly series: number;
  /** A divisor of two hours. */
  readonly intervalMs: number;
}

export interface Range {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

/** A chunk as a field of its series, in the block that starts at 0. */
interface ChunkTemplate {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly bytes: Uint8Array;
  readonly minTimeAt: number;
  readonly maxTimeAt: number;
  /** Of the XOR chunk's first sample; all others follow as differences. */
  readonly firstTimeAt: number;
}

interface SyntheticSeries {
  readonly labels: LabelBytes;
  readonly words: LabelWords;
  /** The time of the first sample in a block, as by the offset of a scrape. */
  readonly offsetMs: number;
  /** The bits of the values in the block that starts at 0, low word first. */
  readonly values: Uint32Array;
  readonly chunks: readonly ChunkTemplate[];
}

export class SyntheticData {
  readonly samplesPerBlock: number;
  readonly #seed: number;
  readonly #intervalMs: number;
  readonly #series: readonly SyntheticSeries[];

  constructor({ seed, series, intervalMs }: SyntheticOptions) {
    if (!Number.isInteger(intervalMs) || intervalMs <= 0 || BLOCK_MS % intervalMs !== 0)
      throw new RangeError(`the interval is ${intervalMs} ms: it has to divide two hours`);
    this.#seed = seed;
    this.#intervalMs = intervalMs;
    this.samplesPerBlock = (series * BLOCK_MS) / intervalMs;
    this.#series = Array.from({ length: series }, (_, number) => makeSeries(number, seed, intervalMs));
  }

  /** The body of a streamed response. The chunks are whole: some samples may be outside the range. */
  stream(range: Range, selects: (labels: LabelBytes) => boolean = () => true): Buffer {
    checkRange(range);
    const frames: Uint8Array[] = [];
    for (const [number, series] of this.#series.entries()) {
      if (!selects(series.labels)) continue;
      const frame = this.#frame(number, series, range);
      if (frame !== undefined) frames.push(frame);
    }
    return Buffer.concat(frames);
  }

  /** Adds every sample of the range, computed without the chunks. */
  hash({ fromMs, toMs }: Range, hash: SampleHash): void {
    checkRange({ fromMs, toMs });
    for (const [number, { words, offsetMs, values }] of this.#series.entries()) {
      for (let blockMs = blockStart(fromMs); blockMs < toMs; blockMs += BLOCK_MS) {
        const mask = valueMask(this.#seed, number, blockMs);
        for (let i = 0; 2 * i < values.length; i++) {
          const timeMs = blockMs + offsetMs + i * this.#intervalMs;
          if (timeMs < fromMs || timeMs >= toMs) continue;
          hash.add(words, timeMs, ((values[2 * i] as number) ^ mask) >>> 0, values[2 * i + 1] as number);
        }
      }
    }
  }

  #frame(number: number, { labels, chunks }: SyntheticSeries, { fromMs, toMs }: Range): Uint8Array | undefined {
    const parts: Uint8Array[] = [labels];
    let size = labels.length;
    for (let blockMs = blockStart(fromMs); blockMs < toMs; blockMs += BLOCK_MS) {
      const mask = valueMask(this.#seed, number, blockMs);
      for (const template of chunks) {
        if (blockMs + template.firstMs >= toMs || blockMs + template.lastMs < fromMs) continue;
        const chunk = patched(template, blockMs, mask);
        parts.push(chunk);
        size += chunk.length;
      }
    }
    return parts.length === 1 ? undefined : frameOf(parts, size);
  }
}

function checkRange({ fromMs, toMs }: Range): void {
  if (blockStart(fromMs) < FIRST_MS || toMs > LAST_MS)
    throw new RangeError('there is data of the years 2005 to 2038 only');
}

function blockStart(timeMs: number): number {
  return Math.floor(timeMs / BLOCK_MS) * BLOCK_MS;
}

function makeSeries(number: number, seed: number, intervalMs: number): SyntheticSeries {
  const random = randomNumbers(Math.imul(seed, 0x9e3779b1) ^ number);
  const labels = encodeLabels([
    ['__name__', `bench_scale_${number % 10}`],
    ['instance', `host-${Math.floor(number / 10)}:9100`],
    ['job', 'node'],
  ]);
  const offsetMs = Math.floor(random() * intervalMs);
  const numbers = makeValues(number, BLOCK_MS / intervalMs, random);
  const values = new Uint32Array(numbers.buffer);
  const bits = new BigUint64Array(numbers.buffer);
  const samples = Array.from(bits, (value, i) => ({ timeMs: FIRST_MS + offsetMs + i * intervalMs, bits: value }));
  const chunks: ChunkTemplate[] = [];
  for (let at = 0; at < samples.length; at += SAMPLES_PER_CHUNK)
    chunks.push(makeTemplate(samples.slice(at, at + SAMPLES_PER_CHUNK)));
  return { labels, words: labelWords(hashLabels(labels)), offsetMs, values, chunks };
}

/** In turn a counter, a gauge with full mantissas, and a constant. */
function makeValues(number: number, count: number, random: () => number): Float64Array {
  let value = Math.floor(random() * 1e6);
  return Float64Array.from({ length: count }, () => {
    if (number % 3 === 0) value += Math.floor(random() * 100);
    if (number % 3 === 1) value = 50 + 10 * random();
    return value;
  });
}

/** The bits in which the values of a block differ from those of the template: a part of the mantissa. */
function valueMask(seed: number, number: number, blockMs: number): number {
  let mask = Math.imul(seed ^ 0x2545f491, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca77);
  mask = Math.imul(mask ^ (blockMs / BLOCK_MS), 0xc2b2ae3d);
  mask = Math.imul(mask ^ (mask >>> 15), 0x27d4eb2f);
  return (mask ^ (mask >>> 13)) & 0x00ff_ffff;
}

const TAG = { seriesOfResponse: 0x0a, chunkOfSeries: 0x12, minTime: 0x08, maxTime: 0x10, encoding: 0x18, data: 0x22 };
const XOR = 1;

/** @param samples as of a block that starts at FIRST_MS */
function makeTemplate(samples: readonly { readonly timeMs: number; readonly bits: bigint }[]): ChunkTemplate {
  const data = encodeXorChunk(samples);
  const contentBytes = 2 * (1 + TIME_BYTES) + 2 + 1 + uvarintSize(data.length) + data.length;
  const bytes = new Uint8Array(1 + uvarintSize(contentBytes) + contentBytes);
  let at = 0;
  bytes[at++] = TAG.chunkOfSeries;
  at = writeUvarint(bytes, at, contentBytes);
  bytes[at++] = TAG.minTime;
  const minTimeAt = at;
  at += TIME_BYTES;
  bytes[at++] = TAG.maxTime;
  const maxTimeAt = at;
  at += TIME_BYTES;
  bytes[at++] = TAG.encoding;
  bytes[at++] = XOR;
  bytes[at++] = TAG.data;
  at = writeUvarint(bytes, at, data.length);
  bytes.set(data, at);
  return {
    firstMs: (samples[0]?.timeMs ?? 0) - FIRST_MS,
    lastMs: (samples.at(-1)?.timeMs ?? 0) - FIRST_MS,
    bytes,
    minTimeAt,
    maxTimeAt,
    // After the number of samples.
    firstTimeAt: at + 2,
  };
}

/** The chunk in another block. A mask on the first value applies to all, because the others are encoded as differences (XOR) of bits. */
function patched(template: ChunkTemplate, blockMs: number, mask: number): Uint8Array {
  const bytes = template.bytes.slice();
  const firstMs = blockMs + template.firstMs;
  writeUvarint(bytes, template.minTimeAt, firstMs);
  writeUvarint(bytes, template.maxTimeAt, blockMs + template.lastMs);
  // Zigzag.
  writeUvarint(bytes, template.firstTimeAt, 2 * firstMs);
  const valueEnd = template.firstTimeAt + TIME_BYTES + 8;
  for (let byte = 0; byte < 3; byte++)
    bytes[valueEnd - 1 - byte] = (bytes[valueEnd - 1 - byte] as number) ^ ((mask >>> (8 * byte)) & 0xff);
  return bytes;
}

function frameOf(parts: readonly Uint8Array[], seriesBytes: number): Uint8Array {
  const payloadBytes = 1 + uvarintSize(seriesBytes) + seriesBytes;
  const frame = Buffer.allocUnsafe(uvarintSize(payloadBytes) + 4 + payloadBytes);
  const checksumAt = writeUvarint(frame, 0, payloadBytes);
  let at = checksumAt + 4;
  frame[at++] = TAG.seriesOfResponse;
  at = writeUvarint(frame, at, seriesBytes);
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  frame.writeUInt32BE(crc32c(frame, checksumAt + 4, frame.length), checksumAt);
  return frame;
}
