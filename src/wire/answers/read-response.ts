// Cursors over a remote_read answer that is in memory: streamed frames or one ReadResponse message, one series entry at a time
// and with one interface. The engine walks an answer once to index its series and again to decode them.

import { MAX_HISTOGRAM_BYTES } from '../chunks/chunk-histogram.ts';
import { chunkMessageBytes, chunkSampleCount, decodeChunk } from '../chunks/chunk.ts';
import { FrameCursor } from './frames.ts';
import { ChunkHeader, SeriesEntry, TAG_SECOND } from './series-entry.ts';
import { WireError } from '../errors.ts';
import { ProtoReader } from '../proto-reader.ts';
import type { SampleColumns } from '../sample-columns.ts';

/** Every method throws WireError 'truncated' or 'corrupt' when the bytes cannot be such an answer. */
export interface SeriesCursor {
  /** Moves to the next series entry; false at the end. Decodes no samples. */
  next(): boolean;
  /** The entry's label region as it stands in the answer: not canonical, and usually a view of the answer's memory. */
  readonly labels: Uint8Array;
  /** How many chunks the entry has, or samples in a SAMPLES answer. A series may be split over several entries. */
  readonly parts: number;
  /** At least as many samples as the entry holds. For chunks of an unknown encoding WireError 'unknown-encoding'. */
  readonly sampleBound: number;
  /** At least as many bytes as the entry's samples take when they are decoded. Throws as `sampleBound` does. */
  readonly decodedBytes: number;
  /** Appends the entry's samples with fromMs <= t < toMs, in the order of the answer. */
  decode(fromMs: number, toMs: number, columns: SampleColumns): void;
  /** Goes back before the first entry. */
  rewind(): void;
}

/** Of a float in SampleColumns, which grow by doubling. */
const FLOAT_BYTES = 24;
/** Of a histogram beside its message: a view, its place in a list, its time. */
const HISTOGRAM_BYTES = 160;

const EMPTY = new Uint8Array(0);

/** ChunkedReadResponse frames, as FrameCollector keeps them. */
export class ChunkedCursor implements SeriesCursor {
  readonly #segments: readonly Uint8Array[];
  #frames: FrameCursor;
  readonly #frame = new ProtoReader(EMPTY);
  readonly #entry = new SeriesEntry();
  readonly #chunk = new ChunkHeader();
  /** NaN until it is asked for; then `#decodedBytes` is known too. */
  #sampleBound = Number.NaN;
  #decodedBytes = 0;

  constructor(segments: readonly Uint8Array[]) {
    this.#segments = segments;
    this.#frames = new FrameCursor(segments);
  }

  get labels(): Uint8Array {
    return this.#entry.labels;
  }

  get parts(): number {
    return this.#entry.secondFields;
  }

  get sampleBound(): number {
    if (Number.isNaN(this.#sampleBound)) this.#measure();
    return this.#sampleBound;
  }

  get decodedBytes(): number {
    if (Number.isNaN(this.#sampleBound)) this.#measure();
    return this.#decodedBytes;
  }

  #measure(): void {
    let bound = 0;
    let decodedBytes = 0;
    const reader = this.#entry.reader();
    while (this.#nextChunk(reader)) {
      const { encoding, bytes, dataStart, dataEnd } = this.#chunk;
      // No encoding spends less than a bit on a sample, whatever the chunk's header says.
      const samples = Math.min(chunkSampleCount(encoding, bytes, dataStart, dataEnd), (dataEnd - dataStart) * 8);
      const messageBytes = chunkMessageBytes(encoding, bytes, dataStart, dataEnd);
      bound += samples;
      decodedBytes += messageBytes === 0 ? samples * FLOAT_BYTES : samples * HISTOGRAM_BYTES + messageBytes;
    }
    this.#sampleBound = bound;
    this.#decodedBytes = decodedBytes;
  }

  next(): boolean {
    this.#sampleBound = Number.NaN;
    for (;;) {
      while (this.#frame.nextField()) {
        if (this.#frame.field !== 1) {
          this.#frame.skip();
          continue;
        }
        this.#frame.delimited();
        this.#entry.read(this.#frame);
        return true;
      }
      if (!this.#frames.next()) {
        this.#entry.clear();
        return false;
      }
      this.#frame.reset(this.#frames.segment, this.#frames.start, this.#frames.end);
    }
  }

  decode(fromMs: number, toMs: number, columns: SampleColumns): void {
    const reader = this.#entry.reader();
    while (this.#nextChunk(reader)) {
      const { encoding, bytes, minMs, maxMs, dataStart, dataEnd } = this.#chunk;
      if (minMs <= maxMs && (maxMs < fromMs || minMs >= toMs)) continue;
      decodeChunk(encoding, bytes, fromMs, toMs, columns, dataStart, dataEnd);
    }
  }

  rewind(): void {
    this.#frames = new FrameCursor(this.#segments);
    this.#frame.reset(EMPTY, 0, 0);
    this.#entry.clear();
    this.#sampleBound = Number.NaN;
  }

  // The headers are read anew each time rather than kept: a frame may declare millions of empty chunks.
  #nextChunk(reader: ProtoReader): boolean {
    while (reader.nextField()) {
      if (reader.field !== 2) {
        reader.skip();
        continue;
      }
      reader.delimited();
      this.#chunk.read(reader);
      return true;
    }
    return false;
  }
}

/** One decompressed ReadResponse message. */
export class SamplesCursor implements SeriesCursor {
  readonly #response: ProtoReader;
  readonly #result = new ProtoReader(EMPTY);
  readonly #entry = new SeriesEntry();

  constructor(message: Uint8Array) {
    this.#response = new ProtoReader(message);
  }

  get labels(): Uint8Array {
    return this.#entry.labels;
  }

  get parts(): number {
    return this.#entry.secondFields + this.#entry.fourthFields;
  }

  get sampleBound(): number {
    return this.parts;
  }

  /** Histograms stay where they are in the message. */
  get decodedBytes(): number {
    return this.#entry.secondFields * FLOAT_BYTES + this.#entry.fourthFields * HISTOGRAM_BYTES;
  }

  next(): boolean {
    for (;;) {
      while (this.#result.nextField()) {
        if (this.#result.field !== 1) {
          this.#result.skip();
          continue;
        }
        this.#result.delimited();
        this.#entry.read(this.#result);
        return true;
      }
      if (!this.#nextResult()) {
        this.#entry.clear();
        return false;
      }
    }
  }

  decode(fromMs: number, toMs: number, columns: SampleColumns): void {
    const reader = this.#entry.reader();
    columns.reserve(this.#entry.secondFields);
    for (;;) {
      decodeOrdinarySamples(reader, fromMs, toMs, columns);
      if (!reader.nextField()) break;
      if (reader.field === 2) {
        reader.delimited();
        decodeSample(reader, fromMs, toMs, columns);
      } else if (reader.field === 4) {
        reader.delimited();
        const { bytes, valueStart, valueEnd } = reader;
        const timeMs = histogramTimeMs(bytes, valueStart, valueEnd);
        if (timeMs < fromMs || timeMs >= toMs) continue;
        if (valueEnd - valueStart > MAX_HISTOGRAM_BYTES) {
          throw new WireError(
            'corrupt',
            `a native histogram takes ${valueEnd - valueStart} bytes, more than ${MAX_HISTOGRAM_BYTES}`,
          );
        }
        columns.addHistogram(timeMs, bytes.subarray(valueStart, valueEnd));
      } else {
        reader.skip();
      }
    }
  }

  rewind(): void {
    this.#response.reset(this.#response.bytes, 0, this.#response.bytes.length);
    this.#result.reset(EMPTY, 0, 0);
    this.#entry.clear();
  }

  #nextResult(): boolean {
    const response = this.#response;
    while (response.nextField()) {
      if (response.field !== 1) {
        response.skip();
        continue;
      }
      response.delimited();
      this.#result.reset(response.bytes, response.valueStart, response.valueEnd);
      return true;
    }
    return false;
  }
}

/** The time of one `prometheus.Histogram` message (field 15); 0 when it says none. Throws WireError as the cursors do. */
export function histogramTimeMs(bytes: Uint8Array, start: number, end: number): number {
  const reader = new ProtoReader(bytes, start, end);
  let timeMs = 0;
  while (reader.nextField()) {
    if (reader.field === 15) timeMs = reader.int64();
    else reader.skip();
  }
  return timeMs;
}

/** Tag and length of a Sample with the value's tag, the value, the time's tag, six bytes of time. */
const ordinarySampleBytes = 18;

/**
 * Reads the samples at the reader's position that look as today's do: a value that is not +0 and a time of six bytes (1971 to 2109). Stops at
 * the first that does not. The columns have room for all samples of the entry.
 */
function decodeOrdinarySamples(reader: ProtoReader, fromMs: number, toMs: number, columns: SampleColumns): void {
  const { bytes } = reader;
  const { floatTimesMs: times, floatBits: bits } = columns;
  const last = reader.end - ordinarySampleBytes;
  let at = reader.position;
  let n = columns.floats;
  while (
    at <= last &&
    bytes[at] === TAG_SECOND &&
    bytes[at + 1] === ordinarySampleBytes - 2 &&
    bytes[at + 2] === 0x09 &&
    bytes[at + 11] === 0x10
  ) {
    const upper = bytes[at + 17] as number;
    const four = word(bytes, at + 12);
    // A varint of exactly six bytes.
    if (upper >= 0x80 || (four & 0x8080_8080) !== (0x8080_8080 | 0) || (bytes[at + 16] as number) < 0x80) break;
    const lower = (four & 0x7f) | ((four >>> 1) & 0x3f80) | ((four >>> 2) & 0x1f_c000) | ((four >>> 3) & 0xfe0_0000);
    const timeMs = (((bytes[at + 16] as number) & 0x7f) | (upper << 7)) * 0x1000_0000 + lower;
    if (timeMs >= fromMs && timeMs < toMs) {
      times[n] = timeMs;
      bits[2 * n] = word(bytes, at + 3);
      bits[2 * n + 1] = word(bytes, at + 7);
      n++;
    }
    at += ordinarySampleBytes;
  }
  reader.position = at;
  columns.floats = n;
}

const sampleReader = new ProtoReader(EMPTY);

/** Reads the Sample that `parent.delimited()` found. A field that is missing is 0, as Go leaves it out when it is. */
function decodeSample(parent: ProtoReader, fromMs: number, toMs: number, columns: SampleColumns): void {
  const { bytes } = parent;
  const reader = sampleReader;
  reader.reset(bytes, parent.valueStart, parent.valueEnd);
  let low = 0;
  let high = 0;
  let timeMs = 0;
  while (reader.nextField()) {
    if (reader.field === 1) {
      const at = reader.fixed64();
      low = word(bytes, at);
      high = word(bytes, at + 4);
    } else if (reader.field === 2) {
      timeMs = reader.int64();
    } else {
      reader.skip();
    }
  }
  if (timeMs >= fromMs && timeMs < toMs) columns.addFloat(timeMs, low, high);
}

function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
