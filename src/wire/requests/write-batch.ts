// Encodes remote_write 1.0 requests: decoded samples straight into the snappy block of a `prometheus.WriteRequest`. This is the hot path of
// a migration. No compressor has to search, because the repetitions in such a message are known: the tags of every sample, the upper bytes
// of its time, unchanged values, the zero bytes of integer values, the timestamps of series that were scraped together, and most of the
// labels.

import { EarlierSeries } from './earlier-series.ts';
import { writeHistograms } from './histogram-elements.ts';
import type { BorrowedRing } from '../kernel/borrowed.ts';
import { KERNEL, type Kernel } from '../kernel/kernel.ts';
import type { LabelBytes } from '../labels.ts';
import { fieldStart, type PackedHistograms } from '../packed-histograms.ts';
import { uvarintSize, writeUvarint } from '../proto-reader.ts';
import type { SampleColumns } from '../sample-columns.ts';
import { decompress } from '../snappy/snappy.ts';
import { REACH_BYTES, SnappyWriter } from '../snappy/snappy-writer.ts';
import {
  LONGEST_SAMPLE_BYTES,
  SAMPLE_BYTES,
  SAMPLE_ELEMENT_BYTES,
  writeAlone,
  writeAlongside,
  writeSample,
} from './sample-elements.ts';

const TAG_TIMESERIES = 0x0a;
const TAG_HISTOGRAMS = 0x22;

/** Current millisecond times take six bytes as a varint: 2^35 is early 1971, 2^42 is the year 2109. */
const SIX_BYTES_FROM = 2 ** 35;
const SIX_BYTES_TO = 2 ** 42;

const OVERHANG_BYTES = 64;
const SHORTEST_LABEL_COPY = 6;
/** For a series' samples in other forms. A larger buffer is rare and is not kept for the next request. */
const MAX_KEPT_BYTES = 256 * 1024;

/** One WriteRequest under construction, reused from batch to batch: `clear()` keeps the memory. */
export class WriteBatch {
  readonly #kernel: Kernel | null;
  readonly #block: SnappyWriter;
  /** The series so far, while the request is being filled: in the kernel's memory, or in `#ownEarlier`. */
  #earlier: EarlierSeries | undefined;
  #ring: BorrowedRing | undefined;
  #ownEarlier: EarlierSeries | undefined;
  /** The labels that were appended last, and their position in the message. */
  #labels = new Uint8Array(512);
  #labelsLength = 0;
  #labelsStart = 0;
  #scratch = new Uint8Array(64);
  #samples = 0;
  #histograms = 0;

  /** `capacityBytes` is reserved for the compressed request, which takes memory as it grows. More is reserved if a series needs it. */
  constructor(capacityBytes: number, kernel = KERNEL) {
    this.#block = new SnappyWriter(capacityBytes);
    this.#kernel = kernel;
  }

  /**
   * The request's body, one snappy block: a view that is valid until the next append or `clear()`. Series that are appended later do not refer
   * to those before.
   */
  body(): Uint8Array {
    this.#forgetSeries();
    return this.#block.block();
  }

  /** The WriteRequest, decompressed into memory of its own. For failures and tests. */
  request(): Uint8Array {
    return decompress(this.body(), this.byteLength);
  }

  /** The size of the WriteRequest before compression. */
  get byteLength(): number {
    return this.#block.contentBytes;
  }

  /** The memory that the request takes, or has taken before `clear()`. */
  get memoryBytes(): number {
    return this.#block.touchedBytes + this.#scratch.length + this.#labels.length;
  }

  /** The number of float samples and histograms. */
  get samples(): number {
    return this.#samples;
  }

  get histograms(): number {
    return this.#histograms;
  }

  clear(): void {
    this.#block.clear();
    if (this.#scratch.length > MAX_KEPT_BYTES) this.#scratch = new Uint8Array(64);
    this.#forgetSeries();
    this.#labelsLength = 0;
    this.#samples = 0;
    this.#histograms = 0;
  }

  /** Appends one TimeSeries with the float samples [from, to) of `columns`, ascending in time. Appends nothing if the range is empty. */
  appendFloats(labels: LabelBytes, columns: SampleColumns, from: number, to: number): void {
    if (to <= from) return;
    const block = this.#block;
    const times = columns.floatTimesMs;
    if ((times[from] as number) < SIX_BYTES_FROM || (times[to - 1] as number) >= SIX_BYTES_TO) {
      this.#appendUnusualFloats(labels, columns, from, to);
      return;
    }
    const samplesBytes = (to - from) * SAMPLE_BYTES;
    this.#open(labels, samplesBytes, to - from);
    const earlier = this.#earlierSeries();
    const start = block.contentBytes;
    if (!this.#kernel?.encodeFloats(earlier, columns, from, to, block)) {
      block.reserve((to - from) * SAMPLE_ELEMENT_BYTES + OVERHANG_BYTES);
      const alongside = from + earlier.find(start, times, from, to);
      if (alongside > from) writeAlongside(block, earlier, columns, from, alongside);
      if (alongside < to) writeAlone(block, columns, from, alongside, to);
      earlier.add(start, columns, from, to);
    }
    block.contentBytes = start + samplesBytes;
  }

  #earlierSeries(): EarlierSeries {
    if (this.#earlier !== undefined) return this.#earlier;
    this.#ring = this.#kernel?.borrowRing();
    if (this.#ring === undefined) this.#ownEarlier ??= new EarlierSeries();
    this.#earlier = this.#ring ? new EarlierSeries(this.#ring.buffer, this.#ring.address) : this.#ownEarlier;
    return this.#earlier as EarlierSeries;
  }

  #forgetSeries(): void {
    this.#ring?.[Symbol.dispose]();
    this.#ring = undefined;
    this.#ownEarlier?.clear();
    this.#earlier = undefined;
  }

  /** Appends one TimeSeries with the histograms [from, to) of `columns`, byte for byte. Appends nothing if the range is empty. */
  appendHistograms(labels: LabelBytes, columns: SampleColumns, from: number, to: number): void {
    if (to <= from) return;
    const { packed } = columns;
    if (packed === undefined || columns.packedHistograms === 0) {
      const fields = this.#fieldsOf(columns.histograms, from, to);
      this.#open(labels, fields.ends.at(-1) ?? 0, to - from);
      writeHistograms(this.#block, fields, 0, { from: 0, to: to - from });
    } else this.#appendPacked(labels, packed, from, to);
    this.#histograms += to - from;
  }

  #appendPacked(labels: LabelBytes, packed: PackedHistograms, from: number, to: number): void {
    const block = this.#block;
    const start = fieldStart(packed, from);
    const size = (packed.ends[to - 1] as number) - start;
    this.#open(labels, size, to - from);
    if (this.#kernel?.encodeHistograms(packed, from, to, block)) block.contentBytes += size;
    else writeHistograms(block, packed, start, { from, to });
  }

  #fieldsOf(messages: readonly Uint8Array[], from: number, to: number): { bytes: Uint8Array; ends: number[] } {
    let size = 0;
    for (let index = from; index < to; index++) {
      const { length } = messages[index] as Uint8Array;
      size += 1 + uvarintSize(length) + length;
    }
    const bytes = this.#scratchOf(size);
    const ends: number[] = [];
    let at = 0;
    for (let index = from; index < to; index++) {
      const message = messages[index] as Uint8Array;
      bytes[at] = TAG_HISTOGRAMS;
      at = writeUvarint(bytes, at + 1, message.length);
      bytes.set(message, at);
      at += message.length;
      ends.push(at);
    }
    return { bytes, ends };
  }

  /** Appends one TimeSeries with one float sample that the migrator itself made. */
  appendSample(labels: LabelBytes, timeMs: number, value: number): void {
    this.#block.reserve(SAMPLE_ELEMENT_BYTES);
    const out = this.#scratchOf(LONGEST_SAMPLE_BYTES);
    const bits = new Uint32Array(new Float64Array([value]).buffer);
    const end = writeSample(out, 0, timeMs, bits[0] as number, bits[1] as number);
    this.#open(labels, end, 1);
    this.#block.literal(out, 0, end);
  }

  /** For times before 1971 or after 2109: their varints have other lengths. */
  #appendUnusualFloats(labels: LabelBytes, columns: SampleColumns, from: number, to: number): void {
    const { floatTimesMs: times, floatBits: bits } = columns;
    const out = this.#scratchOf((to - from) * LONGEST_SAMPLE_BYTES);
    let at = 0;
    for (let i = from; i < to; i++) {
      at = writeSample(out, at, times[i] as number, bits[2 * i] as number, bits[2 * i + 1] as number);
    }
    this.#open(labels, at, to - from);
    this.#block.unknown(out, 0, at);
  }

  #scratchOf(size: number): Uint8Array {
    if (this.#scratch.length < size) this.#scratch = new Uint8Array(Math.max(size, 2 * this.#scratch.length));
    return this.#scratch;
  }

  /** Begins a TimeSeries: writes everything before its samples, which take `samplesBytes`. */
  #open(labels: LabelBytes, samplesBytes: number, samples: number): void {
    HEAD_BYTES[0] = TAG_TIMESERIES;
    this.#block.literal(HEAD_BYTES, 0, writeUvarint(HEAD_BYTES, 1, labels.length + samplesBytes));
    this.#appendLabels(labels);
    this.#samples += samples;
  }

  /**
   * Copies the label bytes that the previous series has at the same place. Walks both label by label, so that one longer label does not
   * shift those after it.
   */
  #appendLabels(labels: LabelBytes): void {
    const block = this.#block;
    // No later copy could reach these labels.
    if (labels.length >= REACH_BYTES) {
      block.literal(labels, 0, labels.length);
      this.#labelsLength = 0;
      return;
    }
    const start = block.contentBytes;
    const distance = start - this.#labelsStart;
    const before = this.#labels;
    const beforeEnd = distance + labels.length < REACH_BYTES ? this.#labelsLength : 0;
    const end = labels.length;
    let at = 0;
    let beforeAt = 0;
    let next = 0;
    let beforeNext = 0;
    let written = 0;
    while (at < end && beforeAt < beforeEnd) {
      let run = 0;
      while (at + run < end && beforeAt + run < beforeEnd && labels[at + run] === before[beforeAt + run]) run++;
      if (run >= SHORTEST_LABEL_COPY) {
        block.literal(labels, written, at);
        block.copy(run, distance + at - beforeAt);
        written = at + run;
      }
      at += run + 1;
      beforeAt += run + 1;
      next = entryEnd(labels, next, at);
      beforeNext = entryEnd(before, beforeNext, beforeAt);
      if (at < next && beforeAt < beforeNext) continue;
      at = next;
      beforeAt = beforeNext;
    }
    block.literal(labels, written, end);
    if (this.#labels.length < end) this.#labels = new Uint8Array(2 * end);
    this.#labels.set(labels);
    this.#labelsLength = end;
    this.#labelsStart = start;
  }
}

const HEAD_BYTES = new Uint8Array(16);

/** The end of the label entry that holds byte `at − 1`. The search starts at the entry that begins at `from`. */
function entryEnd(labels: Uint8Array, from: number, at: number): number {
  let end = from;
  while (end < at) {
    const length = labels[end + 1] as number;
    // A label too long for a one-byte length: do not search past it.
    if (!(length < 0x80)) return Number.POSITIVE_INFINITY;
    end += 2 + length;
  }
  return end;
}
