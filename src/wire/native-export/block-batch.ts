// Decodes blocks of samples. The compressed arrays of many blocks are decompressed together, some blocks ahead of the one that is decoded.

import { WireError } from '../errors.ts';
import { KERNEL, type Kernel } from '../kernel/kernel.ts';
import type { SampleColumns } from '../sample-columns.ts';
import { type ArrayPlace, type BlockHeader, MAX_BLOCK_SAMPLES, readBlockHeader } from './block.ts';
import { scaleDecimals } from './decimals.ts';
import { decodeIntegers, isCompressed } from './integers.ts';
import { declaredBytes, decompressFrames, freeContent } from './zstd-frames.ts';

/** Of one integer of 64 bits. */
const MAX_VARINT_BYTES = 10;
const EXACT_BITS = 64;
/** Who reads blocks in their order may leave out as many. */
const MAX_SKIPPED = 64;
const NOTHING = new Uint8Array(0);

/** A block in memory that the caller keeps unchanged. */
export interface BlockPlace {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

interface Inflated {
  readonly header: BlockHeader;
  readonly place: BlockPlace;
  /** Where the content of the compressed arrays begins, in the decompressed bytes. */
  readonly timesAt: number;
  readonly timesBytes: number;
  readonly valuesAt: number;
  readonly valuesBytes: number;
}

/** Decodes one batch after the other, with the same memory. */
export class BlockDecoder {
  readonly #groupBytes: number;
  readonly #kernel: Kernel | null;
  #places: readonly BlockPlace[] = [];
  /** Blocks from #firstInflated on whose arrays are decompressed. */
  #inflated: Inflated[] = [];
  #firstInflated = 0;
  /** Only the times are decompressed. */
  #timesOnly = false;
  #content: Uint8Array = new Uint8Array(0);
  #frames = new Uint8Array(0);
  #times = new Float64Array(0);
  #values = new Float64Array(0);
  #valueBits = new Uint32Array(0);

  /** @param groupBytes how many bytes to decompress together; more only for a single block */
  constructor(groupBytes: number, kernel = KERNEL) {
    this.#groupBytes = groupBytes;
    this.#kernel = kernel;
  }

  /** The most memory that a decoder takes. */
  static bytesFor(groupBytes: number): number {
    const oneBlock = 2 * MAX_BLOCK_SAMPLES * MAX_VARINT_BYTES;
    return 2 * Math.max(groupBytes, oneBlock) + 2 * MAX_BLOCK_SAMPLES * Float64Array.BYTES_PER_ELEMENT;
  }

  /** The blocks that `decode` decodes, or `count` counts, from now on. */
  begin(places: readonly BlockPlace[]): void {
    this.#places = places;
    this.#inflated = [];
    this.#firstInflated = 0;
  }

  /**
   * How many samples of a block are in [fromMs, toMs). Fastest in the order of the blocks. Reads only times.
   * @throws WireError
   */
  count(index: number, range: { fromMs: number; toMs: number }): number {
    const block = this.#inflatedAt(index, true);
    const { place, timesAt: at, timesBytes, header } = block;
    const content = { bytes: this.#content, at, timesBytes, valuesBytes: 0 };
    const counted = this.#kernel?.blocks.count(place, content, range);
    if (counted !== undefined) return counted;
    this.#decodeTimes(block);
    return firstFrom(this.#times, header.samples, range.toMs) - firstFrom(this.#times, header.samples, range.fromMs);
  }

  /**
   * Appends the samples of a block that are in [fromMs, toMs). Fastest in the order of the blocks.
   * @returns how many samples the block has
   * @throws WireError
   */
  decode(index: number, range: { fromMs: number; toMs: number }, columns: SampleColumns): number {
    const block = this.#inflatedAt(index, false);
    const { header } = block;
    const { samples } = header;
    if (this.#decodeInKernel(block, range, columns)) return samples;
    const { fromMs, toMs } = range;
    const isAscending = this.#decodeTimes(block);
    const first = firstFrom(this.#times, samples, fromMs);
    const last = firstFrom(this.#times, samples, toMs);
    if (first === last) return samples;
    const values = this.#arrayOf(block.place, header.values, { at: block.valuesAt, bytes: block.valuesBytes, samples });
    decodeIntegers(values, last, this.#values);
    scaleDecimals(this.#values, this.#valueBits, { from: first, to: last, exponent: header.exponent });
    const { floats } = columns;
    columns.reserve(last - first);
    columns.floatTimesMs.set(this.#times.subarray(first, last), floats);
    columns.floatBits.set(this.#valueBits.subarray(2 * first, 2 * last), 2 * floats);
    columns.noteAppended(last - first, isAscending);
    return samples;
  }

  /** @returns whether no timestamp occurs twice */
  #decodeTimes({ place, header, timesAt: at, timesBytes: bytes }: Inflated): boolean {
    const { samples } = header;
    if (this.#times.length < samples) this.#makeRoom(samples);
    decodeIntegers(this.#arrayOf(place, header.times, { at, bytes, samples }), samples, this.#times);
    if (header.precisionBits < EXACT_BITS) restoreOrder(this.#times, header);
    return checkOrder(this.#times, header);
  }

  /** @returns whether it did; otherwise the columns are unchanged */
  #decodeInKernel(
    { place, timesAt: at, timesBytes, valuesBytes }: Inflated,
    range: { fromMs: number; toMs: number },
    columns: SampleColumns,
  ): boolean {
    if (this.#kernel === null) return false;
    const { blocks } = this.#kernel;
    const content = { bytes: this.#content, at, timesBytes, valuesBytes };
    if (blocks.decode(place, content, range, columns)) return true;
    using borrowed = blocks.borrowColumns();
    if (borrowed === undefined || !blocks.decode(place, content, range, borrowed.columns)) return false;
    columns.append(borrowed.columns);
    return true;
  }

  #makeRoom(samples: number): void {
    this.#times = new Float64Array(samples);
    this.#values = new Float64Array(samples);
    this.#valueBits = new Uint32Array(this.#values.buffer);
  }

  #inflatedAt(index: number, timesOnly: boolean): Inflated {
    if (timesOnly !== this.#timesOnly) this.#inflated = [];
    this.#timesOnly = timesOnly;
    const end = this.#firstInflated + this.#inflated.length;
    if (index < this.#firstInflated || index >= end) {
      const isNext = index === 0 || (index >= end && index < end + MAX_SKIPPED);
      this.#inflateFrom(index, isNext ? this.#places.length : index + 1);
    }
    return this.#inflated[index - this.#firstInflated] as Inflated;
  }

  #arrayOf(
    { bytes }: BlockPlace,
    { encoding, first, start, end }: ArrayPlace,
    content: { at: number; bytes: number; samples: number },
  ) {
    const count = content.samples;
    if (!isCompressed(encoding)) return { encoding, first, count, bytes, start, end };
    return { encoding, first, count, bytes: this.#content, start: content.at, end: content.at + content.bytes };
  }

  /** Decompresses the arrays of a block, and of as many blocks behind it as fit, but not of those from `end` on. */
  #inflateFrom(index: number, end: number): void {
    // If this fails, none of them may be used with the content of others.
    this.#inflated = [];
    const inflated: Inflated[] = [];
    let frameBytes = 0;
    let contentBytes = 0;
    for (let i = index; i < end; i++) {
      const place = this.#places[i] as BlockPlace;
      const header = readBlockHeader(place.bytes, place.start, place.end);
      const timesBytes = contentBytesOf(place, header.times, header.samples);
      const valuesBytes = this.#timesOnly ? 0 : contentBytesOf(place, header.values, header.samples);
      if (inflated.length > 0 && contentBytes + timesBytes + valuesBytes > this.#groupBytes) break;
      frameBytes = this.#gather(place, header.times, frameBytes);
      if (!this.#timesOnly) frameBytes = this.#gather(place, header.values, frameBytes);
      const timesAt = contentBytes;
      const valuesAt = timesAt + timesBytes;
      contentBytes = valuesAt + valuesBytes;
      inflated.push({ header, place, timesAt, timesBytes, valuesAt, valuesBytes });
    }
    if (contentBytes > 0) {
      freeContent(this.#content);
      this.#content = NOTHING;
      this.#content = decompressFrames(this.#frames.subarray(0, frameBytes), contentBytes);
      if (this.#content.length !== contentBytes)
        throw new WireError('corrupt', 'a block has less content than declared');
    }
    this.#inflated = inflated;
    this.#firstInflated = index;
  }

  #gather({ bytes }: BlockPlace, { encoding, start, end }: ArrayPlace, at: number): number {
    if (!isCompressed(encoding)) return at;
    const size = at + end - start;
    if (size > this.#frames.length) {
      const frames = new Uint8Array(Math.max(size, 2 * this.#frames.length));
      frames.set(this.#frames.subarray(0, at));
      this.#frames = frames;
    }
    this.#frames.set(bytes.subarray(start, end), at);
    return size;
  }
}

/** How many bytes the array has when it is decompressed; 0 if it is not compressed. */
function contentBytesOf({ bytes }: BlockPlace, { encoding, start, end }: ArrayPlace, samples: number): number {
  if (!isCompressed(encoding)) return 0;
  const frame = bytes.subarray(start, end);
  const maxBytes = samples * MAX_VARINT_BYTES;
  // A frame without a size is rare. It is decompressed twice.
  const declared = declaredBytes(frame) ?? decompressFrames(frame, maxBytes).length;
  if (declared > maxBytes)
    throw new WireError('corrupt', `a block of ${samples} samples has ${declared} bytes of content`);
  return declared;
}

/** What VictoriaMetrics does with timestamps that it has stored with less precision. */
function restoreOrder(times: Float64Array, { samples, firstMs, lastMs }: BlockHeader): void {
  times[0] = firstMs;
  for (let i = 1; i < samples; i++) times[i] = Math.max(times[i] as number, times[i - 1] as number);
  times[samples - 1] = lastMs;
  for (let i = samples - 2; i >= 0 && (times[i] as number) > lastMs; i--) times[i] = lastMs;
}

/** @returns whether no timestamp occurs twice. @throws WireError if they are not in order, or not those that the header declares */
function checkOrder(times: Float64Array, { samples, firstMs, lastMs }: BlockHeader): boolean {
  let isAscending = true;
  let previous = firstMs;
  if (times[0] !== firstMs || times[samples - 1] !== lastMs) throw notInOrder();
  for (let i = 1; i < samples; i++) {
    const timeMs = times[i] as number;
    if (timeMs > previous) previous = timeMs;
    else if (timeMs === previous) isAscending = false;
    else throw notInOrder();
  }
  return isAscending;
}

/** The index of the first of the ordered times that is not before `timeMs`. */
function firstFrom(times: Float64Array, count: number, timeMs: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function notInOrder(): WireError {
  return new WireError('corrupt', 'a block has timestamps that are not in order');
}
