// Cursors over a remote_read response in memory: streamed frames or one ReadResponse message. Both have the same interface, one series
// entry at a time. The engine walks a response once to index its series and again to decode them.

import { MAX_HISTOGRAM_BYTES } from '../chunks/chunk-histogram.ts';
import { chunkMessageBytes, chunkSampleCount, decodeChunk } from '../chunks/chunk.ts';
import { lastNotAfter, offsetsOf, seekEntry } from './entry-place.ts';
import { FrameCursor } from './frame-cursor.ts';
import { ChunkHeader, SeriesEntry } from './series-entry.ts';
import { WireError } from '../errors.ts';
import { KERNEL, type Kernel, type MeasuredSeries } from '../kernel/kernel.ts';
import { ProtoReader } from '../proto-reader.ts';
import type { SampleColumns } from '../sample-columns.ts';
import { decodeOrdinarySamples, decodeSample, histogramTimeMs } from './sample-messages.ts';

/** Every method throws WireError 'truncated' or 'corrupt' if the bytes cannot be such a response. */
export interface SeriesCursor {
  /** Moves to the next series entry; false at the end. Decodes no samples. */
  next(): boolean;
  /** The entry's label region as in the response: not canonical, and usually a view of the response's memory. */
  readonly labels: Uint8Array;
  /**
   * The hash of the labels, as `hashAsciiLabels`, if it is known that they are canonical and ASCII, and begin with a metric name. Otherwise −1 or
   * undefined. Throws the same errors as `sampleBound`.
   */
  readonly usualHash?: number;
  /** The number of the entry's chunks, or of its samples in a SAMPLES response. A series may be split over several entries. */
  readonly parts: number;
  /** An upper bound of the entry's samples. Throws WireError 'unknown-encoding' for chunks of an unknown encoding. */
  readonly sampleBound: number;
  /** An upper bound of the bytes that the entry's samples take when decoded. Throws the same errors as `sampleBound`. */
  readonly decodedBytes: number;
  /** Appends the entry's samples with fromMs <= t < toMs, in the order of the response. */
  decode(fromMs: number, toMs: number, columns: SampleColumns): void;
  /** Moves back to before the first entry. */
  rewind(): void;
  /** Where the entry is, for `seek`: an integer that is larger for each later entry. */
  readonly place: number;
  /** Moves back to an entry that `next` has found. Call `rewind` before the next call of `next`. */
  seek(place: number): void;
}

/** Per float in SampleColumns, which grow by doubling. */
const FLOAT_BYTES = 24;
/** Per histogram, in addition to its message: a view, its place in a list, its time. */
const HISTOGRAM_BYTES = 160;

const EMPTY = new Uint8Array(0);
const NONE = -1;

/** A cursor over ChunkedReadResponse frames, as FrameCollector keeps them. */
export class ChunkedCursor implements SeriesCursor {
  readonly #segments: readonly Uint8Array[];
  readonly #kernel: Kernel | null;
  /** Where each segment begins, if all of them are thought of as one text. */
  readonly #offsets: readonly number[];
  #frames: FrameCursor;
  readonly #frame = new ProtoReader(EMPTY);
  readonly #entry = new SeriesEntry();
  readonly #chunk = new ChunkHeader();
  /** Undefined until the first access. */
  #measured: MeasuredSeries | undefined;

  constructor(segments: readonly Uint8Array[], kernel = KERNEL) {
    this.#segments = segments;
    this.#kernel = kernel;
    this.#frames = new FrameCursor(segments);
    this.#offsets = offsetsOf(segments);
  }

  get place(): number {
    return (this.#offsets[this.#frames.index] as number) + this.#frame.tagStart;
  }

  seek(place: number): void {
    const index = lastNotAfter(this.#offsets, place);
    const segment = this.#segments[index] as Uint8Array;
    this.#measured = undefined;
    seekEntry(this.#frame, segment, place - (this.#offsets[index] as number), this.#entry);
  }

  get labels(): Uint8Array {
    return this.#entry.labels;
  }

  get parts(): number {
    return this.#entry.secondFields;
  }

  get sampleBound(): number {
    return this.#measure().samples;
  }

  get decodedBytes(): number {
    return this.#measure().decodedBytes;
  }

  get usualHash(): number {
    return this.#measure().usualHash;
  }

  #measure(): MeasuredSeries {
    this.#measured ??= this.#entry.measureIn(this.#kernel) ?? this.#measurePlainly();
    return this.#measured;
  }

  #measurePlainly(): MeasuredSeries {
    let samples = 0;
    let decodedBytes = 0;
    const reader = this.#entry.reader();
    while (this.#nextChunk(reader)) {
      const { encoding, bytes, dataStart, dataEnd } = this.#chunk;
      // No encoding takes less than one bit per sample, whatever the chunk's header says.
      const most = Math.min(chunkSampleCount(encoding, bytes, dataStart, dataEnd), (dataEnd - dataStart) * 8);
      const messageBytes = chunkMessageBytes(encoding, bytes, dataStart, dataEnd);
      samples += most;
      decodedBytes += messageBytes === 0 ? most * FLOAT_BYTES : most * HISTOGRAM_BYTES + messageBytes;
    }
    return { samples, decodedBytes, usualHash: NONE };
  }

  next(): boolean {
    this.#measured = undefined;
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
    if (this.#entry.decodeIn(this.#kernel, fromMs, toMs, columns)) return;
    const reader = this.#entry.reader();
    while (this.#nextChunk(reader)) {
      const { encoding, bytes, minMs, maxMs, dataStart, dataEnd } = this.#chunk;
      if (minMs <= maxMs && (maxMs < fromMs || minMs >= toMs)) continue;
      decodeChunk(encoding, bytes, fromMs, toMs, columns, dataStart, dataEnd);
    }
  }

  /** The entry's chunks as in the response. Where they are the same bytes, the samples are the same. */
  get chunks(): Uint8Array {
    return this.#entry.items;
  }

  /**
   * How many samples the entry has, without decoding them. Undefined if a chunk may have samples outside [fromMs, toMs), or two of one time.
   */
  samplesInside(fromMs: number, toMs: number): number | undefined {
    const reader = this.#entry.reader();
    let samples = 0;
    let afterMs = fromMs - 1;
    while (this.#nextChunk(reader)) {
      const { encoding, bytes, minMs, maxMs, dataStart, dataEnd } = this.#chunk;
      if (!(minMs > afterMs && maxMs >= minMs && maxMs < toMs)) return undefined;
      afterMs = maxMs;
      samples += chunkSampleCount(encoding, bytes, dataStart, dataEnd);
    }
    return samples;
  }

  rewind(): void {
    this.#frames = new FrameCursor(this.#segments);
    this.#frame.reset(EMPTY, 0, 0);
    this.#entry.clear();
    this.#measured = undefined;
  }

  // Reads the headers again each time and does not keep them: a frame may declare millions of empty chunks.
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

/** A cursor over one decompressed ReadResponse message. */
export class SamplesCursor implements SeriesCursor {
  readonly #response: ProtoReader;
  readonly #result = new ProtoReader(EMPTY);
  readonly #entry = new SeriesEntry();
  readonly #kernel: Kernel | null;

  constructor(message: Uint8Array, kernel = KERNEL) {
    this.#response = new ProtoReader(message);
    this.#kernel = kernel;
  }

  get place(): number {
    return this.#result.tagStart;
  }

  seek(place: number): void {
    seekEntry(this.#result, this.#response.bytes, place, this.#entry);
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

  /** Histograms stay in the message. */
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
    if (this.#entry.decodeSamplesIn(this.#kernel, fromMs, toMs, columns)) return;
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
