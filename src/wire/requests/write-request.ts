// Inspects and edits the bytes of a `prometheus.WriteRequest` that write-batch.ts made, when a part of it failed: to halve it, to find its
// first series, to read it back.

import type { LabelBytes } from '../labels.ts';
import { uvarintSize, writeUvarint } from '../proto-reader.ts';
import { RequestCursor } from './request-cursor.ts';

const TAG_TIMESERIES = 0x0a;

/**
 * Splits a WriteRequest of ours in two, in order. With several TimeSeries it splits between them (both halves are views of `bytes`), else
 * between the samples of its only series. Returns undefined for a single sample. Throws WireError if the bytes are not a WriteRequest of
 * ours.
 */
export function bisectWriteRequest(bytes: Uint8Array): [Uint8Array, Uint8Array] | undefined {
  const starts: number[] = [];
  const cursor = new RequestCursor(bytes);
  while (cursor.nextSeries()) starts.push(cursor.seriesStart);
  if (starts.length >= 2) {
    const middle = starts[starts.length >>> 1] as number;
    return [bytes.subarray(0, middle), bytes.subarray(middle)];
  }
  return starts.length === 0 ? undefined : bisectTimeSeries(bytes);
}

function bisectTimeSeries(bytes: Uint8Array): [Uint8Array, Uint8Array] | undefined {
  const starts: number[] = [];
  const cursor = new RequestCursor(bytes);
  cursor.nextSeries();
  while (cursor.nextSample()) starts.push(cursor.sampleStart);
  if (starts.length < 2) return undefined;
  const { labels, seriesEnd } = cursor;
  const [first, middle] = [starts[0] as number, starts[starts.length >>> 1] as number];
  return [
    wrapTimeSeries(labels, bytes.subarray(first, middle)),
    wrapTimeSeries(labels, bytes.subarray(middle, seriesEnd)),
  ];
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
  const cursor = new RequestCursor(bytes);
  while (cursor.nextSeries()) {
    const isFirst = firstLabels === undefined;
    firstLabels ??= new Uint8Array(cursor.labels);
    for (let sample = 0; cursor.nextSample(); sample++) {
      if (isFirst && sample === 0) firstTimeMs = cursor.timeMs;
      if (cursor.isHistogram) histograms++;
      samples++;
    }
  }
  return { samples, histograms, firstLabels: firstLabels ?? new Uint8Array(0), firstTimeMs };
}

/**
 * The TimeSeries entries of a WriteRequest of ours with the times of their samples and histograms, for the read back. `labels` is a view of
 * `bytes`. Throws WireError if the bytes are not a WriteRequest of ours.
 */
export function* writeRequestSeries(bytes: Uint8Array): Generator<{ labels: LabelBytes; timesMs: number[] }> {
  const cursor = new RequestCursor(bytes);
  while (cursor.nextSeries()) {
    const { labels } = cursor;
    const timesMs: number[] = [];
    while (cursor.nextSample()) timesMs.push(cursor.timeMs);
    yield { labels, timesMs };
  }
}

/** The labels of the TimeSeries entries: views of `bytes`. */
export function* writeRequestLabels(bytes: Uint8Array): Generator<LabelBytes> {
  const cursor = new RequestCursor(bytes);
  while (cursor.nextSeries()) yield cursor.labels;
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
  const cursor = new RequestCursor(bytes);
  while (cursor.nextSeries()) {
    const { labels } = cursor;
    const samples: RequestSample[] = [];
    while (cursor.nextSample()) {
      const { timeMs, isHistogram, isStaleMarker, isOrdinaryNan } = cursor;
      samples.push({ timeMs, isHistogram, isStaleMarker, isOrdinaryNan });
    }
    yield { labels, samples };
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
  let isWhole = true;
  const cursor = new RequestCursor(bytes);
  while (cursor.nextSeries()) {
    const { labels } = cursor;
    const times = new Set(timesOfSeries(labels));
    const items: Uint8Array[] = [];
    while (cursor.nextSample()) {
      if (times.has(cursor.timeMs)) isWhole = false;
      else items.push(bytes.subarray(cursor.sampleStart, cursor.sampleEnd));
    }
    if (items.length > 0) kept.push(wrapTimeSeries(labels, concat(items)));
  }
  return isWhole ? bytes : concat(kept);
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
