// remote_write 1.0 messages on bytes: decoded samples into `prometheus.WriteRequest` without an object per sample, and what the
// engine asks of a message it has encoded (to halve it, to name its first series, to read it back). Called by migration/.

import type { LabelBytes } from './labels.ts';
import { ProtoReader, uvarintSize, writeUvarint } from './proto-reader.ts';
import { histogramTimeMs } from './read-response.ts';
import type { SampleColumns } from './sample-columns.ts';

const TAG_TIMESERIES = 0x0a;
const TAG_SAMPLES = 0x12;
const TAG_HISTOGRAMS = 0x22;
const TAG_SAMPLE_VALUE = 0x09;
const TAG_SAMPLE_TIME = 0x10;

/** A Sample of our own: value with tag, time's tag, and the time's varint of 1 to 10 bytes. */
const SAMPLE_FIXED_BYTES = 1 + 8 + 1;
const MAX_SAMPLE_ENTRY_BYTES = 2 + SAMPLE_FIXED_BYTES + 10;
/** What a TimeSeries takes around its content: tag and length. */
const MAX_ENTRY_HEAD_BYTES = 1 + 5;
/** Today's milliseconds take six bytes: 2^35 is early 1971, 2^42 the year 2109. */
const SIX_BYTES_FROM = 2 ** 35;
const SIX_BYTES_TO = 2 ** 42;

/** One WriteRequest in the making. Reused from batch to batch: `clear()` keeps the memory. */
export class WriteBatch {
  #buffer: Uint8Array;
  #length = 0;
  #samples = 0;
  #series = 0;

  /** `capacityBytes` is where the memory starts; it grows when a series needs more. */
  constructor(capacityBytes: number) {
    this.#buffer = new Uint8Array(capacityBytes);
  }

  /** The encoded WriteRequest: a view that is valid until the next append or `clear()`. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  get byteLength(): number {
    return this.#length;
  }

  /** Float samples and histograms. */
  get samples(): number {
    return this.#samples;
  }

  /** TimeSeries entries: floats and histograms of one series are two. */
  get series(): number {
    return this.#series;
  }

  clear(): void {
    this.#length = 0;
    this.#samples = 0;
    this.#series = 0;
  }

  /** Appends one TimeSeries with the float samples [from, to) of `columns`; nothing when that is empty. */
  appendFloats(labels: LabelBytes, columns: SampleColumns, from: number, to: number): void {
    if (to <= from) return;
    const times = columns.floatTimesMs;
    const bits = columns.floatBits;
    this.#reserve(MAX_ENTRY_HEAD_BYTES + labels.length + (to - from) * MAX_SAMPLE_ENTRY_BYTES);
    const out = this.#buffer;
    const contentStart = this.#open(labels.length + (to - from) * (2 + SAMPLE_FIXED_BYTES + 6));
    out.set(labels, contentStart);
    let at = contentStart + labels.length;
    for (let index = from; index < to; index++) {
      at = writeSample(out, at, times[index] as number, bits[2 * index] as number, bits[2 * index + 1] as number);
    }
    this.#close(contentStart, at, to - from);
  }

  /** Appends one TimeSeries with the histograms [from, to) of `columns`, byte for byte; nothing when that is empty. */
  appendHistograms(labels: LabelBytes, columns: SampleColumns, from: number, to: number): void {
    if (to <= from) return;
    const histograms = columns.histograms.slice(from, to);
    const contentBytes = histograms.reduce(
      (size, message) => size + 1 + uvarintSize(message.length) + message.length,
      labels.length,
    );
    this.#reserve(MAX_ENTRY_HEAD_BYTES + contentBytes);
    const out = this.#buffer;
    const contentStart = this.#open(contentBytes);
    out.set(labels, contentStart);
    let at = contentStart + labels.length;
    for (const message of histograms) {
      out[at] = TAG_HISTOGRAMS;
      at = writeUvarint(out, at + 1, message.length);
      out.set(message, at);
      at += message.length;
    }
    this.#close(contentStart, at, histograms.length);
  }

  /** Appends one TimeSeries with one float sample of the migrator's own. */
  appendSample(labels: LabelBytes, timeMs: number, value: number): void {
    this.#reserve(MAX_ENTRY_HEAD_BYTES + labels.length + MAX_SAMPLE_ENTRY_BYTES);
    const bits = new Uint32Array(new Float64Array([value]).buffer);
    const contentStart = this.#open(labels.length + MAX_SAMPLE_ENTRY_BYTES);
    this.#buffer.set(labels, contentStart);
    const at = contentStart + labels.length;
    const end = writeSample(this.#buffer, at, timeMs, bits[0] as number, bits[1] as number);
    this.#close(contentStart, end, 1);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  /** Leaves room for the head of a TimeSeries of about this size; returns where its content begins. */
  #open(expectedBytes: number): number {
    return this.#length + 1 + uvarintSize(expectedBytes);
  }

  #close(contentStart: number, contentEnd: number, samples: number): void {
    const contentBytes = contentEnd - contentStart;
    const start = this.#length + 1 + uvarintSize(contentBytes);
    if (start !== contentStart) this.#buffer.copyWithin(start, contentStart, contentEnd);
    this.#buffer[this.#length] = TAG_TIMESERIES;
    writeUvarint(this.#buffer, this.#length + 1, contentBytes);
    this.#length = start + contentBytes;
    this.#samples += samples;
    this.#series++;
  }
}

// The value is written even when it is +0, so that its bits stand in the request as they stood at the source.
function writeSample(out: Uint8Array, start: number, timeMs: number, low: number, high: number): number {
  out[start] = TAG_SAMPLES;
  out[start + 2] = TAG_SAMPLE_VALUE;
  out[start + 3] = low;
  out[start + 4] = low >>> 8;
  out[start + 5] = low >>> 16;
  out[start + 6] = low >>> 24;
  out[start + 7] = high;
  out[start + 8] = high >>> 8;
  out[start + 9] = high >>> 16;
  out[start + 10] = high >>> 24;
  out[start + 11] = TAG_SAMPLE_TIME;
  const at = start + 12;
  let end: number;
  if (timeMs >= SIX_BYTES_FROM && timeMs < SIX_BYTES_TO) {
    const upper = Math.floor(timeMs / 0x10000000);
    const lower = timeMs - upper * 0x10000000;
    out[at] = lower | 0x80;
    out[at + 1] = (lower >>> 7) | 0x80;
    out[at + 2] = (lower >>> 14) | 0x80;
    out[at + 3] = (lower >>> 21) | 0x80;
    out[at + 4] = upper | 0x80;
    out[at + 5] = upper >>> 7;
    end = at + 6;
  } else {
    end = writeInt64(out, at, timeMs);
  }
  out[start + 1] = end - start - 2;
  return end;
}

function writeInt64(out: Uint8Array, start: number, value: number): number {
  let low = value >>> 0;
  let high = Math.floor(value / 0x100000000) >>> 0;
  let at = start;
  while (high !== 0 || low >= 0x80) {
    out[at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  out[at++] = low;
  return at;
}

/**
 * Splits a WriteRequest of ours in two, order kept: by series when it holds several TimeSeries (both halves are views of
 * `bytes`), else by the samples of its only one. undefined when it is a single sample. Throws WireError on bytes that are none.
 */
export function bisectWriteRequest(bytes: Uint8Array): [Uint8Array, Uint8Array] | undefined {
  const starts: number[] = [];
  const reader = new ProtoReader(bytes);
  while (reader.nextField()) {
    if (reader.field === 1) starts.push(reader.tagStart);
    reader.skip();
  }
  if (starts.length >= 2) {
    const middle = starts[starts.length >>> 1] as number;
    return [bytes.subarray(0, middle), bytes.subarray(middle)];
  }
  if (starts.length === 0) return undefined;
  return bisectTimeSeries(bytes);
}

function bisectTimeSeries(bytes: Uint8Array): [Uint8Array, Uint8Array] | undefined {
  for (const entry of timeSeriesEntries(bytes)) {
    const items: number[] = [];
    const reader = new ProtoReader(bytes, entry.start, entry.end);
    while (reader.nextField()) {
      if (reader.field === 2 || reader.field === 4) items.push(reader.tagStart);
      reader.skip();
    }
    if (items.length < 2) return undefined;
    const labels = labelsOf(bytes, entry);
    const [first, middle] = [items[0] as number, items[items.length >>> 1] as number];
    return [
      wrapTimeSeries(labels, bytes.subarray(first, middle)),
      wrapTimeSeries(labels, bytes.subarray(middle, entry.end)),
    ];
  }
  return undefined;
}

function wrapTimeSeries(labels: LabelBytes, items: Uint8Array): Uint8Array {
  const contentBytes = labels.length + items.length;
  const out = new Uint8Array(1 + uvarintSize(contentBytes) + contentBytes);
  out[0] = TAG_TIMESERIES;
  const at = writeUvarint(out, 1, contentBytes);
  out.set(labels, at);
  out.set(items, at + labels.length);
  return out;
}

export interface WriteRequestSummary {
  /** TimeSeries entries. */
  readonly series: number;
  /** Float samples and histograms. */
  readonly samples: number;
  /** A copy of the first entry's labels; empty when there is no entry. */
  readonly firstLabels: LabelBytes;
  /** The first entry's first time; NaN when it has none. */
  readonly firstTimeMs: number;
}

/** What a WriteRequest of ours holds, for accounting and logs. Throws WireError on bytes that are none. */
export function summarizeWriteRequest(bytes: Uint8Array): WriteRequestSummary {
  let series = 0;
  let samples = 0;
  let firstLabels: LabelBytes = new Uint8Array(0);
  let firstTimeMs = Number.NaN;
  for (const entry of timeSeriesEntries(bytes)) {
    if (series++ === 0) {
      firstLabels = new Uint8Array(labelsOf(bytes, entry));
      firstTimeMs = timesOf(bytes, entry)[0] ?? Number.NaN;
    }
    const reader = new ProtoReader(bytes, entry.start, entry.end);
    while (reader.nextField()) {
      if (reader.field === 2 || reader.field === 4) samples++;
      reader.skip();
    }
  }
  return { series, samples, firstLabels, firstTimeMs };
}

/**
 * The TimeSeries entries of a WriteRequest of ours with the times of their samples and histograms, for the read-back. `labels`
 * is a view of `bytes`. Throws WireError on bytes that are none.
 */
export function* writeRequestSeries(bytes: Uint8Array): Generator<{ labels: LabelBytes; timesMs: number[] }> {
  for (const entry of timeSeriesEntries(bytes)) {
    yield { labels: labelsOf(bytes, entry), timesMs: timesOf(bytes, entry) };
  }
}

/**
 * A WriteRequest of ours without the samples and histograms whose times `timesOfSeries` gives for their labels, order kept;
 * empty when nothing is left. `bytes` itself when there is nothing to leave out. Throws WireError on bytes that are none.
 */
export function withoutSamples(
  bytes: Uint8Array,
  timesOfSeries: (labels: LabelBytes) => Iterable<number> | undefined,
): Uint8Array {
  const kept: Uint8Array[] = [];
  let dropped = 0;
  for (const entry of timeSeriesEntries(bytes)) {
    const labels = labelsOf(bytes, entry);
    const times = new Set(timesOfSeries(labels));
    const missing = timesOf(bytes, entry).map((timeMs) => !times.has(timeMs));
    dropped += missing.filter((is) => !is).length;
    const items: Uint8Array[] = [];
    const reader = new ProtoReader(bytes, entry.start, entry.end);
    for (let at = 0; reader.nextField(); ) {
      reader.skip();
      if (reader.field !== 2 && reader.field !== 4) continue;
      if (missing[at++]) items.push(bytes.subarray(reader.tagStart, reader.position));
    }
    if (items.length > 0) kept.push(wrapTimeSeries(labels, concat(items)));
  }
  return dropped === 0 ? bytes : concat(kept);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

interface EntrySpan {
  readonly start: number;
  readonly end: number;
}

function* timeSeriesEntries(bytes: Uint8Array): Generator<EntrySpan> {
  const reader = new ProtoReader(bytes);
  while (reader.nextField()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    reader.delimited();
    yield { start: reader.valueStart, end: reader.valueEnd };
  }
}

/** The labels stand first in a message of ours, side by side. */
function labelsOf(bytes: Uint8Array, entry: EntrySpan): LabelBytes {
  const reader = new ProtoReader(bytes, entry.start, entry.end);
  let end = entry.start;
  while (reader.nextField() && reader.field === 1) {
    reader.skip();
    end = reader.position;
  }
  return bytes.subarray(entry.start, end);
}

function timesOf(bytes: Uint8Array, entry: EntrySpan): number[] {
  const timesMs: number[] = [];
  const reader = new ProtoReader(bytes, entry.start, entry.end);
  const sample = new ProtoReader(bytes, 0, 0);
  while (reader.nextField()) {
    if (reader.field !== 2 && reader.field !== 4) {
      reader.skip();
      continue;
    }
    reader.delimited();
    if (reader.field === 4) {
      timesMs.push(histogramTimeMs(bytes, reader.valueStart, reader.valueEnd));
      continue;
    }
    let timeMs = 0;
    sample.reset(bytes, reader.valueStart, reader.valueEnd);
    while (sample.nextField()) {
      if (sample.field === 2) timeMs = sample.int64();
      else sample.skip();
    }
    timesMs.push(timeMs);
  }
  return timesMs;
}
