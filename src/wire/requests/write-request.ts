// Inspects and edits the bytes of a `prometheus.WriteRequest` that write-batch.ts made, when a part of it failed: to halve it, to name its
// first series, to read it back.

import type { LabelBytes } from '../labels.ts';
import { ProtoReader, uvarintSize, writeUvarint } from '../proto-reader.ts';
import { histogramTimeMs } from '../responses/sample-messages.ts';
import { endsSeries, isOrdinaryNan } from './only-stale-markers.ts';

const TAG_TIMESERIES = 0x0a;

/**
 * Splits a WriteRequest of ours in two, in order. With several TimeSeries it splits between them (both halves are views of `bytes`), else
 * between the samples of its only series. Returns undefined for a single sample. Throws WireError if the bytes are not a WriteRequest of
 * ours.
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
  /** The number of float samples and histograms. */
  readonly samples: number;
  readonly histograms: number;
  /** A copy of the first entry's labels; empty if there is no entry. */
  readonly firstLabels: LabelBytes;
  /** The first time of the first entry; NaN if it has none. */
  readonly firstTimeMs: number;
}

/** The content of a WriteRequest of ours, for accounting and logs. Throws WireError if the bytes are not one. */
export function summarizeWriteRequest(bytes: Uint8Array): WriteRequestSummary {
  let samples = 0;
  let histograms = 0;
  let firstLabels: LabelBytes | undefined;
  let firstTimeMs = Number.NaN;
  for (const entry of timeSeriesEntries(bytes)) {
    if (firstLabels === undefined) {
      firstLabels = new Uint8Array(labelsOf(bytes, entry));
      firstTimeMs = timesOf(bytes, entry)[0] ?? Number.NaN;
    }
    const reader = new ProtoReader(bytes, entry.start, entry.end);
    while (reader.nextField()) {
      if (reader.field === 2 || reader.field === 4) samples++;
      if (reader.field === 4) histograms++;
      reader.skip();
    }
  }
  return { samples, histograms, firstLabels: firstLabels ?? new Uint8Array(0), firstTimeMs };
}

/**
 * The TimeSeries entries of a WriteRequest of ours with the times of their samples and histograms, for the read back. `labels` is a view of
 * `bytes`. Throws WireError if the bytes are not a WriteRequest of ours.
 */
export function* writeRequestSeries(bytes: Uint8Array): Generator<{ labels: LabelBytes; timesMs: number[] }> {
  for (const entry of timeSeriesEntries(bytes)) {
    yield { labels: labelsOf(bytes, entry), timesMs: timesOf(bytes, entry) };
  }
}

/** The labels of the TimeSeries entries: views of `bytes`. */
export function* writeRequestLabels(bytes: Uint8Array): Generator<LabelBytes> {
  for (const entry of timeSeriesEntries(bytes)) yield labelsOf(bytes, entry);
}

export interface RequestSample {
  readonly timeMs: number;
  readonly isHistogram: boolean;
  readonly isStaleMarker: boolean;
  /** Whether it is a float NaN other than the stale marker. */
  readonly isOrdinaryNan: boolean;
}

/** Like `writeRequestSeries`, with the kind of each sample. */
export function* writeRequestSamples(
  bytes: Uint8Array,
): Generator<{ labels: LabelBytes; samples: readonly RequestSample[] }> {
  for (const entry of timeSeriesEntries(bytes)) {
    const kinds: Omit<RequestSample, 'timeMs'>[] = [];
    const reader = new ProtoReader(bytes, entry.start, entry.end);
    while (reader.nextField()) {
      reader.skip();
      const isHistogram = reader.field === 4;
      if (!isHistogram && reader.field !== 2) continue;
      const { valueStart: start, valueEnd: end } = reader;
      kinds.push({
        isHistogram,
        isStaleMarker: endsSeries(bytes, start, end, isHistogram),
        isOrdinaryNan: !isHistogram && isOrdinaryNan(bytes, start, end),
      });
    }
    const timesMs = timesOf(bytes, entry);
    yield {
      labels: labelsOf(bytes, entry),
      samples: kinds.map((kind, i) => ({ ...kind, timeMs: timesMs[i] ?? Number.NaN })),
    };
  }
}

/**
 * A WriteRequest of ours without some samples and histograms: `timesOfSeries` returns, for a label set, the times to omit. Keeps the order.
 * Empty if nothing is left; `bytes` itself if nothing is omitted. Throws WireError if the bytes are not a WriteRequest of ours.
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

/** In our messages the labels come first and are adjacent. */
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
