// Finds the parts of one series entry of a remote_read response, and of one chunk of it, without decoding a sample.

import { gatherLabels } from '../labels.ts';
import type { Kernel, MeasuredSeries } from '../kernel/kernel.ts';
import { decodeSamples } from '../kernel/samples-response.ts';
import { DELIMITED, ProtoReader, timestampAt } from '../proto-reader.ts';
import type { SampleColumns } from '../sample-columns.ts';

const EMPTY = new Uint8Array(0);
const LABELS = 1;

/** The position of one ChunkedSeries or TimeSeries, its labels, and the number of its fields 2 (chunks, samples) and 4. */
export class SeriesEntry {
  secondFields = 0;
  fourthFields = 0;
  readonly #reader = new ProtoReader(EMPTY);
  #bytes: Uint8Array = EMPTY;
  #start = 0;
  /** Undefined until the first access. */
  #labels: Uint8Array | undefined = EMPTY;
  #labelsStart = 0;
  #labelsEnd = 0;
  #scattered = false;
  /** Chunks or samples begin here or later. */
  #itemsStart = 0;
  #end = 0;

  /** Reads the entry that `parent.delimited()` found. */
  read(parent: ProtoReader): void {
    this.#bytes = parent.bytes;
    this.#start = parent.valueStart;
    this.#end = parent.valueEnd;
    this.secondFields = 0;
    this.fourthFields = 0;
    let labelsStart = this.#start;
    let labelsEnd = endOfShortRun(TAG_FIRST, this.#bytes, this.#start, this.#end);
    this.#itemsStart = labelsEnd;
    const reader = this.reader();
    let scattered = false;
    while (reader.nextField()) {
      if (reader.field === LABELS) {
        reader.expect(DELIMITED);
        if (labelsEnd === labelsStart) labelsStart = reader.tagStart;
        else if (reader.tagStart !== labelsEnd) scattered = true;
        reader.delimited();
        labelsEnd = reader.position;
      } else {
        if (reader.field === 2) this.secondFields += 1 + skipRun(reader);
        else {
          if (reader.field === 4) this.fourthFields++;
          reader.skip();
        }
      }
    }
    // No known server writes anything before the labels, but it would be valid.
    this.#itemsStart = scattered || labelsStart !== this.#start ? this.#start : labelsEnd;
    this.#labels = undefined;
    this.#labelsStart = labelsStart;
    this.#labelsEnd = labelsEnd;
    this.#scattered = scattered;
  }

  get labels(): Uint8Array {
    this.#labels ??= this.#scattered
      ? gatherLabels(this.#bytes, this.#start, this.#end)
      : this.#bytes.subarray(this.#labelsStart, this.#labelsEnd);
    return this.#labels;
  }

  /** The entry's only reader, set to its beginning or to the end of its labels. */
  reader(): ProtoReader {
    this.#reader.reset(this.#bytes, this.#itemsStart, this.#end);
    return this.#reader;
  }

  /** The entry from its first chunk or sample on. */
  get items(): Uint8Array {
    return this.#bytes.subarray(this.#itemsStart, this.#end);
  }

  /** Decodes the entry's chunks in the kernel. @returns false if JavaScript has to do it; the columns are unchanged then */
  decodeIn(kernel: Kernel | null, fromMs: number, toMs: number, columns: SampleColumns): boolean {
    return kernel?.decodeChunks(this.#bytes, this.#itemsStart, this.#end, fromMs, toMs, columns) ?? false;
  }

  /** Decodes the entry's samples in the kernel. @returns false if JavaScript has to do it; the columns are unchanged then */
  decodeSamplesIn(kernel: Kernel | null, fromMs: number, toMs: number, columns: SampleColumns): boolean {
    if (kernel === null || this.fourthFields > 0) return false;
    return decodeSamples(kernel, this.#bytes, this.#itemsStart, this.#end, fromMs, toMs, columns);
  }

  /** Measures the entry's chunks in the kernel. @returns undefined if JavaScript has to do it */
  measureIn(kernel: Kernel | null): MeasuredSeries | undefined {
    const areLabelsFirst = this.#labelsStart === this.#start && this.#labelsEnd === this.#itemsStart;
    const start = areLabelsFirst ? this.#start : this.#itemsStart;
    return kernel?.measureSeries(this.#bytes, start, this.#itemsStart, this.#end);
  }

  clear(): void {
    this.#labels = EMPTY;
    this.secondFields = 0;
    this.fourthFields = 0;
    this.#bytes = EMPTY;
    this.#start = 0;
    this.#itemsStart = 0;
    this.#end = 0;
  }
}

const TAG_FIRST = 0x0a;
export const TAG_SECOND = 0x12;

/** Where the fields `tag` from `start` on end that are shorter than 128 bytes: the labels of a series. */
function endOfShortRun(tag: number, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at + 1 < end && bytes[at] === tag) {
    const length = bytes[at + 1] as number;
    const next = at + 2 + length;
    if (length >= 0x80 || next > end) break;
    at = next;
  }
  return at;
}

/**
 * Moves past the field 2 whose tag was read, and past all following ones that are shorter than 16 KiB: the samples or the chunks of a series.
 * @returns how many followed
 */
function skipRun(reader: ProtoReader): number {
  reader.skip();
  const { bytes, end } = reader;
  let at = reader.position;
  let fields = 0;
  while (at + 2 < end && bytes[at] === TAG_SECOND) {
    const low = bytes[at + 1] as number;
    const high = low < 0x80 ? 0 : (bytes[at + 2] as number);
    const next = low < 0x80 ? at + 2 + low : at + 3 + ((low & 0x7f) | (high << 7));
    if (high >= 0x80 || next > end) break;
    at = next;
    fields++;
  }
  reader.position = at;
  return fields;
}

const TAG_MIN = 0x08;
const TAG_MAX = 0x10;
const TAG_ENCODING = 0x18;
const TAG_DATA = 0x22;
const USUAL_HEADER_BYTES = 19;

export class ChunkHeader {
  /** NaN if the chunk does not have it, which proto3 cannot distinguish from 0. Every comparison with NaN is false. */
  minMs = Number.NaN;
  maxMs = Number.NaN;
  /** Prometheus before 2.40 omits the field and means XOR. chunk.ts treats 0 so too. */
  encoding = 0;
  /** The position of the chunk's data in `bytes`. */
  dataStart = 0;
  dataEnd = 0;
  bytes: Uint8Array = EMPTY;
  readonly #reader = new ProtoReader(EMPTY);

  /** Reads the chunk that `parent.delimited()` found. */
  read(parent: ProtoReader): void {
    this.bytes = parent.bytes;
    if (this.#readUsual(parent.valueStart, parent.valueEnd)) return;
    const reader = this.#reader;
    reader.reset(parent.bytes, parent.valueStart, parent.valueEnd);
    this.minMs = Number.NaN;
    this.maxMs = Number.NaN;
    this.encoding = 0;
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

  /** Reads a chunk whose fields are each there once, in order, and nothing else: as all known servers write them. @returns false for any other */
  #readUsual(start: number, end: number): boolean {
    const { bytes } = this;
    if (end - start < USUAL_HEADER_BYTES || bytes[start] !== TAG_MIN || bytes[start + 7] !== TAG_MAX) return false;
    const minMs = timestampAt(bytes, start + 1);
    const maxMs = timestampAt(bytes, start + 8);
    const encoding = bytes[start + 15] as number;
    if (minMs < 0 || maxMs < 0 || bytes[start + 14] !== TAG_ENCODING || encoding >= 0x80) return false;
    const low = bytes[start + 17] as number;
    const high = low < 0x80 ? 0 : (bytes[start + 18] as number);
    const dataStart = start + (low < 0x80 ? 18 : 19);
    const length = (low & 0x7f) | (high << 7);
    if (bytes[start + 16] !== TAG_DATA || high >= 0x80 || dataStart + length !== end) return false;
    this.minMs = minMs;
    this.maxMs = maxMs;
    this.encoding = encoding;
    this.dataStart = dataStart;
    this.dataEnd = end;
    return true;
  }
}
