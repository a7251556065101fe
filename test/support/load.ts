// Writes samples to servers through remote write, with an independent encoder (protobufjs, snappyjs), because the encoder under test must
// not prepare its own test data. Blocks for servers without a receiver are created in blocks.ts.
import protobuf from 'protobufjs';
import snappy from 'snappyjs';
import { type ClientIdentity, request } from './http.ts';
import { type NativeHistogram, observations } from './native-histogram.ts';
import type { SeriesSamples, SeriesSet } from './series-set.ts';

// The messages of prometheus/prompb, with one change: doubles whose bits matter are declared as fixed64, because a stale marker is a
// signalling NaN and does not survive as a JavaScript number.
const SCHEMA = `
  syntax = "proto3";
  message WriteRequest { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; repeated Histogram histograms = 4; }
  message Label { string name = 1; string value = 2; }
  message Sample { fixed64 value = 1; int64 timestamp = 2; int64 start_timestamp = 3; }
  message Request2 { repeated string symbols = 4; repeated TimeSeries2 timeseries = 5; }
  message TimeSeries2 { repeated uint32 labels_refs = 1; repeated Sample samples = 2; repeated Histogram histograms = 3; }
  message BucketSpan { sint32 offset = 1; uint32 length = 2; }
  message Histogram {
    oneof count { uint64 count_int = 1; double count_float = 2; }
    fixed64 sum = 3;
    sint32 schema = 4;
    double zero_threshold = 5;
    oneof zero_count { uint64 zero_count_int = 6; double zero_count_float = 7; }
    repeated BucketSpan negative_spans = 8;
    repeated sint64 negative_deltas = 9;
    repeated double negative_counts = 10;
    repeated BucketSpan positive_spans = 11;
    repeated sint64 positive_deltas = 12;
    repeated double positive_counts = 13;
    int32 reset_hint = 14;
    int64 timestamp = 15;
    repeated double custom_values = 16;
    int64 start_timestamp = 17;
  }`;
const { root } = protobuf.parse(SCHEMA, { keepCase: true });
const WriteRequest = root.lookupType('WriteRequest');
const Request2 = root.lookupType('Request2');

export interface PushOptions {
  /** Remote write 2.0 carries start timestamps. */
  protocol?: '1.0' | '2.0';
  headers?: Record<string, string>;
  identity?: ClientIdentity;
  /** All series advance together in steps of this length, 30 minutes by default: a Prometheus head accepts nothing older than an hour. */
  stepMs?: number;
  samplesPerRequest?: number;
  onProgress?: (samples: number) => void;
}

const IN_FLIGHT = 3;

/**
 * Writes all samples to the remote write endpoint (`${server.url}/api/v1/write`), oldest first, all series in step. Returns how many;
 * throws at the first response that is not 2xx.
 */
export async function pushSamples(url: string, set: SeriesSet, options: PushOptions = {}): Promise<number> {
  const stepMs = options.stepMs ?? 1_800_000;
  const perRequest = options.samplesPerRequest ?? 20_000;
  const cursors = [...set.values()].map((series) => ({ series, float: 0, histogram: 0 }));
  let samples = 0;
  for (;;) {
    const fromMs = cursors.reduce((firstMs, cursor) => Math.min(firstMs, nextTimeMs(cursor)), Number.POSITIVE_INFINITY);
    if (fromMs === Number.POSITIVE_INFINITY) return samples;
    const toMs = (Math.floor(fromMs / stepMs) + 1) * stepMs;
    const inFlight = new Set<Promise<void>>();
    const send = async (slices: Slice[]) => {
      const sent = post(url, slices, options).finally(() => inFlight.delete(sent));
      inFlight.add(sent);
      if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight);
    };
    let slices: Slice[] = [];
    let held = 0;
    for (const cursor of cursors) {
      if (nextTimeMs(cursor) >= toMs) continue;
      const slice = takeSlice(cursor, toMs);
      slices.push(slice);
      held += slice.floatTo - slice.floatFrom + slice.histogramTo - slice.histogramFrom;
      if (held < perRequest) continue;
      samples += held;
      await send(slices);
      slices = [];
      held = 0;
    }
    samples += held;
    if (slices.length > 0) await send(slices);
    await Promise.all(inFlight);
    options.onProgress?.(samples);
  }
}

interface Cursor {
  series: SeriesSamples;
  float: number;
  histogram: number;
}

/** The samples of one series in one request. */
interface Slice {
  series: SeriesSamples;
  floatFrom: number;
  floatTo: number;
  histogramFrom: number;
  histogramTo: number;
}

function nextTimeMs({ series, float, histogram }: Cursor): number {
  const floatMs = series.timesMs[float] ?? Number.POSITIVE_INFINITY;
  return Math.min(floatMs, series.histogramTimesMs[histogram] ?? Number.POSITIVE_INFINITY);
}

function takeSlice(cursor: Cursor, toMs: number): Slice {
  const { series, float: floatFrom, histogram: histogramFrom } = cursor;
  while ((series.timesMs[cursor.float] ?? Number.POSITIVE_INFINITY) < toMs) cursor.float++;
  while ((series.histogramTimesMs[cursor.histogram] ?? Number.POSITIVE_INFINITY) < toMs) {
    // Prometheus 2.42 treats the stale marker of a float histogram as an integer one and commits those first: earlier samples in the same
    // request are then out of order, and dropped with a 204.
    if (series.histograms[cursor.histogram] === 'stale' && cursor.histogram > histogramFrom) break;
    cursor.histogram++;
  }
  return { series, floatFrom, floatTo: cursor.float, histogramFrom, histogramTo: cursor.histogram };
}

async function post(url: string, slices: readonly Slice[], options: PushOptions): Promise<void> {
  const second = options.protocol === '2.0';
  const message = second ? encodeSecond(slices) : encodeFirst(slices);
  const response = await request(url, {
    method: 'POST',
    headers: {
      'content-type': second ? 'application/x-protobuf;proto=io.prometheus.write.v2.Request' : 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': second ? '2.0.0' : '0.1.0',
      ...options.headers,
    },
    body: snappy.compress(message),
    ...(options.identity ? { identity: options.identity } : {}),
  });
  if (response.status < 200 || response.status > 299) {
    throw new Error(`${url} returned ${response.status}: ${response.body.toString('utf8').trim().slice(0, 500)}`);
  }
}

function encodeFirst(slices: readonly Slice[]): Uint8Array {
  const timeseries = slices.map((slice) => ({
    labels: slice.series.labels.map(([name, value]) => ({ name, value })),
    ...samplesOf(slice, false),
  }));
  return WriteRequest.encode({ timeseries } as never).finish();
}

function encodeSecond(slices: readonly Slice[]): Uint8Array {
  const symbols = new Map([['', 0]]);
  const reference = (text: string) => {
    const known = symbols.get(text) ?? symbols.size;
    symbols.set(text, known);
    return known;
  };
  const timeseries = slices.map((slice) => ({
    labels_refs: slice.series.labels.flatMap(([name, value]) => [reference(name), reference(value)]),
    ...samplesOf(slice, true),
  }));
  return Request2.encode({ symbols: [...symbols.keys()], timeseries } as never).finish();
}

function samplesOf(slice: Slice, withStartTimes: boolean): { samples: object[]; histograms: object[] } {
  const { series } = slice;
  const halves = new Uint32Array(series.bits.buffer, series.bits.byteOffset, series.bits.length * 2);
  const samples: object[] = [];
  for (let i = slice.floatFrom; i < slice.floatTo; i++) {
    const sample: Record<string, unknown> = {
      value: { low: halves[2 * i], high: halves[2 * i + 1] },
      timestamp: series.timesMs[i],
    };
    if (withStartTimes && series.startTimesMs) sample['start_timestamp'] = series.startTimesMs[i];
    samples.push(sample);
  }
  const histograms: object[] = [];
  for (let i = slice.histogramFrom; i < slice.histogramTo; i++) {
    const histogram = series.nativeHistograms?.[i];
    if (!histogram) throw new Error('only generated histograms can be pushed');
    const message = histogramMessage(histogram, series.histogramTimesMs[i] ?? 0);
    if (withStartTimes && series.histogramStartTimesMs) message['start_timestamp'] = series.histogramStartTimesMs[i];
    histograms.push(message);
  }
  return { samples, histograms };
}

const RESET_HINT_GAUGE = 3;
const doubleBits = new DataView(new ArrayBuffer(8));

function histogramMessage(histogram: NativeHistogram, timestamp: number): Record<string, unknown> {
  doubleBits.setFloat64(0, histogram.sum);
  const sum = { low: doubleBits.getUint32(4), high: doubleBits.getUint32(0) };
  const float = histogram.kind === 'float';
  const positive = spansAndCounts(histogram.positive);
  const negative = spansAndCounts(histogram.negative);
  return {
    [float ? 'count_float' : 'count_int']: observations(histogram),
    sum: histogram.stale ? { low: 2, high: 0x7ff00000 } : sum,
    schema: histogram.schema,
    zero_threshold: histogram.zeroThreshold,
    [float ? 'zero_count_float' : 'zero_count_int']: histogram.zeroCount,
    negative_spans: negative.spans,
    positive_spans: positive.spans,
    ...(float
      ? { negative_counts: negative.counts, positive_counts: positive.counts }
      : { negative_deltas: deltas(negative.counts), positive_deltas: deltas(positive.counts) }),
    reset_hint: histogram.gauge ? RESET_HINT_GAUGE : 0,
    custom_values: histogram.customValues,
    timestamp,
  };
}

/** Adjacent buckets as spans: each has the number of empty buckets before it; the first has its start index. */
function spansAndCounts(buckets: NativeHistogram['positive']): {
  spans: { offset: number; length: number }[];
  counts: number[];
} {
  const spans: { offset: number; length: number }[] = [];
  let next = 0;
  for (const [index] of buckets) {
    const last = spans.at(-1);
    if (last && index === next) last.length++;
    else spans.push({ offset: index - next, length: 1 });
    next = index + 1;
  }
  return { spans, counts: buckets.map(([, count]) => count) };
}

function deltas(counts: readonly number[]): number[] {
  return counts.map((count, i) => count - (counts[i - 1] ?? 0));
}
