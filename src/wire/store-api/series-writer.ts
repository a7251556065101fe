// Rewrites a series of Thanos' StoreAPI into a frame of a streamed remote_read response, so that both are read by the same cursor. Labels and
// samples are copied as they are; only what surrounds them differs.

import { CHUNK_ENCODINGS } from '../chunks/chunk.ts';
import { WireError } from '../errors.ts';
import { labelSpan } from '../label-spans.ts';
import { ProtoReader, uvarintSize, writeUvarint } from '../proto-reader.ts';
import { CHECKSUM_BYTES } from '../responses/frames.ts';

const EMPTY = new Uint8Array(0);
const LABELS = 1;
const CHUNKS = 2;

const MIN_TIME = 1;
const MAX_TIME = 2;
const RAW = 3;

const TYPE = 1;
const DATA = 2;

const TAG_SERIES = 0x0a;
const TAG_CHUNK = 0x12;
const TAG_ENCODING = 0x18;
const TAG_DATA = 0x22;

/** A length that is written after its content is known. */
const LENGTH_BYTES = 5;
const HEADER_BYTES = LENGTH_BYTES + CHECKSUM_BYTES + 1 + LENGTH_BYTES;

/** The StoreAPI's own numbers. */
const ENCODINGS = [CHUNK_ENCODINGS.xor, CHUNK_ENCODINGS.histogram, CHUNK_ENCODINGS.floatHistogram] as const;

export class SeriesWriter {
  readonly #dropped: readonly Uint8Array[];
  readonly #series = new ProtoReader(EMPTY);
  readonly #aggregates = new ProtoReader(EMPTY);
  readonly #chunk = new ProtoReader(EMPTY);
  /** Of the last series, as written. */
  labels: Uint8Array = EMPTY;
  /** Chunks that had no raw samples, only aggregates: the range of the last series with any. */
  withoutSamples: { readonly fromMs: number; readonly toMs: number } | undefined;
  /** Whether a label was left out. */
  hasDropped = false;

  /** @param dropped names of labels to leave out */
  constructor(dropped: readonly string[]) {
    this.#dropped = dropped.map((name) => new TextEncoder().encode(name));
  }

  /** The most that a series of `bytes` takes as a frame. */
  static frameBytes(bytes: number): number {
    return HEADER_BYTES + bytes;
  }

  /**
   * Writes the series `bytes[start, end)` at `at`, where there are `frameBytes` of room. The checksum is left at 0: gRPC has its own.
   * @returns the end of the frame
   * @throws WireError
   */
  write(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const series = this.#series;
    series.reset(bytes, start, end);
    const first = at + HEADER_BYTES;
    let to = first;
    let labelsStart = first;
    let labelsEnd = first;
    while (series.nextField()) {
      if (series.field === LABELS) {
        series.delimited();
        if (this.#isDropped(bytes, series.valueStart, series.valueEnd)) continue;
        if (labelsEnd !== to) labelsStart = to;
        to = copy(bytes, series.tagStart, series.position, out, to);
        labelsEnd = to;
      } else if (series.field === CHUNKS) {
        series.delimited();
        to = this.#writeChunk(bytes, series.valueStart, series.valueEnd, out, to);
      } else series.skip();
    }
    this.labels = out.subarray(labelsStart, labelsEnd);
    writeLength(out, at, to - at - LENGTH_BYTES - CHECKSUM_BYTES);
    out.fill(0, at + LENGTH_BYTES, at + LENGTH_BYTES + CHECKSUM_BYTES);
    out[first - LENGTH_BYTES - 1] = TAG_SERIES;
    writeLength(out, first - LENGTH_BYTES, to - first);
    return to;
  }

  /** @returns where the next field is to be written. What is written is never longer than what was read */
  #writeChunk(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
    const aggregates = this.#aggregates;
    aggregates.reset(bytes, start, end);
    let [minStart, minEnd, maxStart, maxEnd] = [0, 0, 0, 0];
    let [minMs, maxMs] = [0, 0];
    let hasRaw = false;
    let encoding = 0;
    let [dataStart, dataEnd] = [0, 0];
    while (aggregates.nextField()) {
      const { field, tagStart } = aggregates;
      if (field === MIN_TIME) {
        minMs = aggregates.int64();
        [minStart, minEnd] = [tagStart, aggregates.position];
      } else if (field === MAX_TIME) {
        maxMs = aggregates.int64();
        [maxStart, maxEnd] = [tagStart, aggregates.position];
      } else if (field === RAW) {
        aggregates.delimited();
        hasRaw = true;
        const chunk = this.#chunk;
        chunk.reset(bytes, aggregates.valueStart, aggregates.valueEnd);
        while (chunk.nextField()) {
          if (chunk.field === TYPE) encoding = chunk.int64();
          else if (chunk.field === DATA) {
            chunk.delimited();
            [dataStart, dataEnd] = [chunk.valueStart, chunk.valueEnd];
          } else chunk.skip();
        }
      } else aggregates.skip();
    }
    if (!hasRaw) {
      this.withoutSamples = { fromMs: minMs, toMs: maxMs + 1 };
      return at;
    }
    const written = ENCODINGS[encoding];
    if (written === undefined)
      throw new WireError('unknown-encoding', `unknown chunk encoding ${encoding} of the StoreAPI`);
    const dataBytes = dataEnd - dataStart;
    // Every chunk begins with the number of its samples. Without this check, what is written could be longer than what was read.
    if (dataBytes === 0) throw new WireError('corrupt', 'a chunk of the StoreAPI has no data');
    const times = minEnd - minStart + (maxEnd - maxStart);
    out[at] = TAG_CHUNK;
    let to = writeUvarint(out, at + 1, times + 2 + 1 + uvarintSize(dataBytes) + dataBytes);
    to = copy(bytes, minStart, minEnd, out, to);
    to = copy(bytes, maxStart, maxEnd, out, to);
    out[to++] = TAG_ENCODING;
    out[to++] = written;
    out[to++] = TAG_DATA;
    to = writeUvarint(out, to, dataBytes);
    return copy(bytes, dataStart, dataEnd, out, to);
  }

  #isDropped(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#dropped.length === 0) return false;
    const { nameStart, nameEnd } = labelSpan(bytes, start, end);
    const isDropped = this.#dropped.some((name) => Buffer.compare(name, bytes.subarray(nameStart, nameEnd)) === 0);
    if (isDropped) this.hasDropped = true;
    return isDropped;
  }
}

const LONGEST_COPIED_BYTE_BY_BYTE = 48;

function copy(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  // A view costs more than a few bytes, which most fields are.
  if (end - start > LONGEST_COPIED_BYTE_BY_BYTE) out.set(bytes.subarray(start, end), at);
  else for (let from = start, to = at; from < end; ) out[to++] = bytes[from++] as number;
  return at + end - start;
}

/** As a varint of LENGTH_BYTES, whatever its value. */
function writeLength(out: Uint8Array, at: number, value: number): void {
  let rest = value;
  for (let index = 0; index < LENGTH_BYTES - 1; index++) {
    out[at + index] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[at + LENGTH_BYTES - 1] = rest;
}
