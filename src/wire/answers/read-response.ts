// Cursors over a remote_read answer that is in memory: streamed frames or one ReadResponse message, one series entry at a time
// and with one interface. The engine walks an answer once to index its series and again to decode them.

import { MAX_HISTOGRAM_BYTES } from '../chunks/chunk-histogram.ts';
import { chunkMessageBytes, chunkSampleCount, decodeChunk } from '../chunks/chunk.ts';
import { FrameCursor } from './frames.ts';
import { WireError } from '../errors.ts';
import { gatherLabels } from '../labels.ts';
import { DELIMITED, ProtoReader } from '../proto-reader.ts';
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
const LABELS = 1;

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

/** Where one ChunkedSeries or TimeSeries lies, its labels, and how many of its fields 2 (chunks, samples) and 4 it has. */
class SeriesEntry {
  labels: Uint8Array = EMPTY;
  secondFields = 0;
  fourthFields = 0;
  readonly #reader = new ProtoReader(EMPTY);
  #bytes: Uint8Array = EMPTY;
  #start = 0;
  /** Where chunks or samples can begin. */
  #itemsStart = 0;
  #end = 0;

  /** Reads the entry that `parent.delimited()` found. */
  read(parent: ProtoReader): void {
    this.#bytes = parent.bytes;
    this.#start = parent.valueStart;
    this.#end = parent.valueEnd;
    this.secondFields = 0;
    this.fourthFields = 0;
    this.#itemsStart = this.#start;
    const reader = this.reader();
    let labelsStart = this.#start;
    let labelsEnd = this.#start;
    let scattered = false;
    while (reader.nextField()) {
      if (reader.field === LABELS) {
        reader.expect(DELIMITED);
        if (labelsEnd === labelsStart) labelsStart = reader.tagStart;
        else if (reader.tagStart !== labelsEnd) scattered = true;
        reader.delimited();
        labelsEnd = reader.position;
      } else {
        if (reader.field === 2) this.secondFields += 1 + skipShortRun(reader);
        else {
          if (reader.field === 4) this.fourthFields++;
          reader.skip();
        }
      }
    }
    // Nobody writes anything before the labels, but it would be valid.
    this.#itemsStart = scattered || labelsStart !== this.#start ? this.#start : labelsEnd;
    this.labels = scattered
      ? gatherLabels(this.#bytes, this.#start, this.#end)
      : this.#bytes.subarray(labelsStart, labelsEnd);
  }

  /** The one reader of this entry, at its beginning or behind its labels. */
  reader(): ProtoReader {
    this.#reader.reset(this.#bytes, this.#itemsStart, this.#end);
    return this.#reader;
  }

  clear(): void {
    this.labels = EMPTY;
    this.secondFields = 0;
    this.fourthFields = 0;
    this.#bytes = EMPTY;
    this.#start = 0;
    this.#itemsStart = 0;
    this.#end = 0;
  }
}

const TAG_SECOND = 0x12;

/**
 * Moves past the field 2 whose tag was read, and past all that follow it and are shorter than 128 bytes: the samples of a series.
 * @returns how many followed
 */
function skipShortRun(reader: ProtoReader): number {
  reader.skip();
  const { bytes, end } = reader;
  let at = reader.position;
  let fields = 0;
  while (at + 1 < end && bytes[at] === TAG_SECOND) {
    const next = at + 2 + (bytes[at + 1] as number);
    if ((bytes[at + 1] as number) >= 0x80 || next > end) break;
    at = next;
    fields++;
  }
  reader.position = at;
  return fields;
}

class ChunkHeader {
  /** NaN when the chunk does not say it, which proto3 cannot tell from 0: every comparison with it is false. */
  minMs = Number.NaN;
  maxMs = Number.NaN;
  /** Prometheus before 2.40 leaves the field out and means XOR; chunk.ts takes 0 so. */
  encoding = 0;
  /** Where the chunk's data lies in `bytes`. */
  dataStart = 0;
  dataEnd = 0;
  bytes: Uint8Array = EMPTY;
  readonly #reader = new ProtoReader(EMPTY);

  /** Reads the chunk that `parent.delimited()` found. */
  read(parent: ProtoReader): void {
    const reader = this.#reader;
    reader.reset(parent.bytes, parent.valueStart, parent.valueEnd);
    this.minMs = Number.NaN;
    this.maxMs = Number.NaN;
    this.encoding = 0;
    this.bytes = parent.bytes;
    this.dataStart = 0;
    this.dataEnd = 0;
    while (reader.nextField()) {
      switch (reader.field) {
        case 1:
          this.minMs = reader.int64();
          break;
        case 2:
          this.maxMs = reader.int64();
          break;
        case 3:
          this.encoding = reader.int64();
          break;
        case 4:
          reader.delimited();
          this.dataStart = reader.valueStart;
          this.dataEnd = reader.valueEnd;
          break;
        default:
          reader.skip();
      }
    }
  }
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
