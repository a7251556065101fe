// The messages of the remote protocols for the fake stores: protobufjs with proto/remote.proto, with three fields read as bytes of the same
// wire type, because a double, a string or a decoded histogram would not preserve the input.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import snappyjs from 'snappyjs';
import {
  chunk,
  decodeReadRequest,
  field,
  type FloatSample,
  frame,
  type ReadQuery,
} from '../../migration/support/remote-messages.ts';
import { encodeXorChunk } from '../../wire/support/chunk-encoder.ts';
import { encodeHistogramChunk } from './histogram-chunk.ts';
import { bytesOf, textOf } from './label-text.ts';

export type Labels = readonly (readonly [name: string, value: string])[];

/** A float sample, or with `histogram` a whole `prometheus.Histogram` message. */
export interface Sample extends FloatSample {
  readonly histogram?: Uint8Array;
}

export interface LabeledSamples {
  readonly labels: Labels;
  readonly samples: readonly Sample[];
}

const root = protobuf.loadSync(fileURLToPath(new URL('../../../proto/remote.proto', import.meta.url)));
const label = root.lookupType('prometheus.Label');
label.fields['name']!.type = 'bytes';
label.fields['value']!.type = 'bytes';
root.lookupType('prometheus.Sample').fields['value']!.type = 'fixed64';
root.lookupType('prometheus.TimeSeries').fields['histograms']!.type = 'bytes';
const writeRequest = root.lookupType('prometheus.WriteRequest');
const readResponse = root.lookupType('prometheus.ReadResponse');
const histogram = root.lookupType('prometheus.Histogram');

interface Long64 {
  readonly low: number;
  readonly high: number;
  toNumber(): number;
}

interface TimeSeriesMessage {
  /** An empty string when the field is omitted. */
  readonly labels: readonly { readonly name: Uint8Array | string; readonly value: Uint8Array | string }[];
  readonly samples: readonly { readonly value: Long64 | number; readonly timestamp: Long64 | number }[];
  readonly histograms: readonly Uint8Array[];
}

/** A remote_write 1.0 request, series by series in its own order. Throws when it is invalid. */
export function decodeWrite(body: Uint8Array): LabeledSamples[] {
  const { timeseries } = writeRequest.decode(unsnappy(body)) as unknown as {
    readonly timeseries: readonly TimeSeriesMessage[];
  };
  return timeseries.map(({ labels, samples, histograms }) => ({
    labels: labels.map(({ name, value }) => [textOf(Buffer.from(name)), textOf(Buffer.from(value))] as const),
    samples: [
      ...samples.map(({ value, timestamp }) => ({ timeMs: Number(timestamp), bits: bitsOfLong(value) })),
      ...histograms.map((message) => ({ timeMs: histogramTimeMs(message), bits: 0n, histogram: Buffer.from(message) })),
    ],
  }));
}

/** A remote_write request, for tests without the engine. */
export function encodeWrite(series: readonly LabeledSamples[]): Buffer {
  const timeseries = series.map((one) => timeSeriesOf(one, (bits) => longOf(bits)));
  return snappy(writeRequest.encode(writeRequest.create({ timeseries })).finish());
}

export function decodeRead(body: Uint8Array): ReadQuery {
  return decodeReadRequest(body);
}

/** A decoded SAMPLES response, for tests without the engine. */
export function decodeSamples(body: Uint8Array): LabeledSamples[] {
  const { results } = readResponse.decode(unsnappy(body)) as unknown as {
    readonly results: readonly { readonly timeseries: readonly TimeSeriesMessage[] }[];
  };
  const message = writeRequest.create({ timeseries: results.flatMap(({ timeseries }) => timeseries) });
  return decodeWrite(snappy(writeRequest.encode(message).finish()));
}

/**
 * A SAMPLES response. Go omits a field whose value equals 0, including −0: it arrives as +0 from every store.
 * @param options.dropsCustomBounds Prometheus from 3.5 on omits the bounds of custom buckets
 */
export function encodeSamplesResponse(
  series: readonly LabeledSamples[],
  options: { dropsCustomBounds?: boolean } = {},
): Buffer {
  const timeseries = series.map((one) =>
    timeSeriesOf(options.dropsCustomBounds ? withoutCustomBounds(one) : one, asGoWrites),
  );
  return snappy(readResponse.encode(readResponse.create({ results: [{ timeseries }] })).finish());
}

const samplesPerChunk = 120;

/** A streamed response: one frame for each series, floats in XOR chunks of 120, each histogram in a separate chunk. */
export function encodeStream(series: readonly LabeledSamples[]): Buffer {
  return Buffer.concat(
    series.map(({ labels, samples }) =>
      frame(
        field(
          1,
          Buffer.concat([
            ...labels.map(([name, value]) =>
              field(1, Buffer.concat([field(1, bytesOf(name)), field(2, bytesOf(value))])),
            ),
            ...chunksOf(samples),
          ]),
        ),
      ),
    ),
  );
}

function chunksOf(samples: readonly Sample[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < samples.length; ) {
    const first = samples[at]!;
    if (first.histogram !== undefined) {
      const { encoding, data } = encodeHistogramChunk(decodeHistogram(first.histogram), first.timeMs);
      chunks.push(chunk(first.timeMs, first.timeMs, encoding, data));
      at++;
      continue;
    }
    let end = at + 1;
    while (end < samples.length && end - at < samplesPerChunk && samples[end]!.histogram === undefined) end++;
    const floats = samples.slice(at, end);
    chunks.push(chunk(first.timeMs, floats.at(-1)!.timeMs, 1, encodeXorChunk(floats)));
    at = end;
  }
  return chunks;
}

/** The fields of a `prometheus.Histogram`, 64-bit integers as text. */
export function decodeHistogram(message: Uint8Array): Record<string, unknown> {
  return histogram.toObject(histogram.decode(message), { longs: String, defaults: true, arrays: true, oneofs: true });
}

/** A `prometheus.Histogram` message for test data. */
export function encodeHistogram(fields: Record<string, unknown>): Buffer {
  return Buffer.from(histogram.encode(histogram.fromObject(fields)).finish());
}

type Long = { low: number; high: number };

function timeSeriesOf({ labels, samples }: LabeledSamples, write: (bits: bigint) => Long | undefined): object {
  return {
    labels: labels.map(([name, value]) => ({ name: bytesOf(name), value: bytesOf(value) })),
    samples: samples
      .filter((sample) => sample.histogram === undefined)
      .map(({ timeMs, bits }) => ({ value: write(bits), timestamp: write(BigInt(timeMs)) })),
    histograms: samples.flatMap((sample) => (sample.histogram === undefined ? [] : [sample.histogram])),
  };
}

function withoutCustomBounds({ labels, samples }: LabeledSamples): LabeledSamples {
  return {
    labels,
    samples: samples.map((sample) => {
      if (sample.histogram === undefined) return sample;
      const { customValues, ...fields } = decodeHistogram(sample.histogram);
      return (customValues as unknown[]).length === 0 ? sample : { ...sample, histogram: encodeHistogram(fields) };
    }),
  };
}

function histogramTimeMs(message: Uint8Array): number {
  return Number(decodeHistogram(message)['timestamp']);
}

function bitsOfLong(value: Long64 | number): bigint {
  if (typeof value === 'number') return BigInt(value);
  return (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
}

const negativeZero = 1n << 63n;

function asGoWrites(bits: bigint): Long | undefined {
  return bits === 0n || bits === negativeZero ? undefined : longOf(bits);
}

function longOf(value: bigint): Long {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) };
}

function snappy(message: Uint8Array): Buffer {
  return Buffer.from(snappyjs.compress(new Uint8Array(message)));
}

function unsnappy(body: Uint8Array): Uint8Array {
  return snappyjs.uncompress(new Uint8Array(body));
}
