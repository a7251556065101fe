// The messages of the remote protocols for the fake servers, encoded independently: protobufjs for requests, hand-written bytes for samples
// (whose bits a double would not preserve), snappyjs, and the chunk encoder of test/wire. Shares no decoder with src/.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import snappyjs from 'snappyjs';
import type { Matcher } from '../../../src/migration/plan/migration-plan.ts';
import { crc32c } from '../../../src/wire/responses/crc32c.ts';
import { encodeXorChunk } from '../../wire/support/chunk-encoder.ts';

export interface FloatSample {
  readonly timeMs: number;
  /** IEEE 754 bits. */
  readonly bits: bigint;
}

export interface Series {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly samples: readonly FloatSample[];
  /** Whole `prometheus.Histogram` messages by time. */
  readonly histograms?: readonly { readonly timeMs: number; readonly message: Uint8Array }[];
}

export interface ReadQuery {
  readonly startMs: number;
  /** Inclusive. */
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
  readonly streamed: boolean;
}

export const staleBits = 0x7ff0_0000_0000_0002n;

export function bitsOf(value: number): bigint {
  return new BigUint64Array(new Float64Array([value]).buffer)[0]!;
}

/** Labels in name order, as a key. */
export function keyOf(labels: Series['labels']): string {
  return JSON.stringify([...labels].sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function labelOf(labels: Series['labels'], name: string): string {
  return labels.find(([own]) => own === name)?.[1] ?? '';
}

/** The part of these series in [fromMs, toMs), as stored in a destination. */
export function expected(series: readonly Series[], fromMs: number, toMs: number): Series[] {
  return series
    .map(({ labels, samples, histograms = [] }) => ({
      labels,
      samples: samples.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs),
      histograms: histograms.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs),
    }))
    .filter(({ samples, histograms }) => samples.length + histograms.length > 0)
    .sort((a, b) => (keyOf(a.labels) < keyOf(b.labels) ? -1 : 1));
}

const schema = protobuf.loadSync(fileURLToPath(new URL('../../../proto/remote.proto', import.meta.url)));
const readRequestType = schema.lookupType('prometheus.ReadRequest');
const kinds = ['=', '!=', '=~', '!~'] as const;

export function decodeReadRequest(body: Uint8Array): ReadQuery {
  const decoded = readRequestType.toObject(readRequestType.decode(unsnappy(body)), {
    longs: Number,
    arrays: true,
    defaults: true,
  });
  const query = decoded['queries'][0] as {
    startTimestampMs: number;
    endTimestampMs: number;
    matchers: { type: number; name: string; value: string }[];
  };
  return {
    startMs: query.startTimestampMs,
    endMs: query.endTimestampMs,
    matchers: query.matchers.map(({ type, name, value }) => ({ kind: kinds[type]!, name, value })),
    streamed: (decoded['acceptedResponseTypes'] as number[])[0] === 1,
  };
}

export function selects(matchers: readonly Matcher[], labels: Series['labels']): boolean {
  return matchers.every(({ kind, name, value }) => {
    const own = labelOf(labels, name);
    if (kind === '=') return own === value;
    if (kind === '!=') return own !== value;
    return anchored(value).test(own) === (kind === '=~');
  });
}

const regexes = new Map<string, RegExp>();

/** RE2's `\x{1F}` is `\u{1F}` here; the rest of the engine's syntax is the same. */
function anchored(pattern: string): RegExp {
  let regex = regexes.get(pattern);
  if (regex === undefined) {
    regex = new RegExp(`^(?:${pattern.replaceAll(/\\x\{([0-9a-f]+)\}/g, '\\u{$1}')})$`, 'su');
    regexes.set(pattern, regex);
  }
  return regex;
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

export function field(number: number, content: Uint8Array): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

export function encodeLabels(labels: Series['labels']): Buffer[] {
  return labels.map(([name, value]) =>
    field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))])),
  );
}

function encodeSample({ timeMs, bits }: FloatSample): Buffer {
  const value = Buffer.alloc(9);
  value[0] = 0x09;
  value.writeBigUInt64LE(bits, 1);
  return field(2, Buffer.concat([value, number(2, timeMs)]));
}

/** A compressed SAMPLES response. */
export function encodeSamples(series: readonly Series[]): Buffer {
  const entries = series.map(({ labels, samples, histograms = [] }) =>
    field(
      1,
      Buffer.concat([
        ...encodeLabels(labels),
        ...samples.map(encodeSample),
        ...histograms.map(({ message }) => field(4, message)),
      ]),
    ),
  );
  return Buffer.from(snappyjs.compress(new Uint8Array(field(1, Buffer.concat(entries)))));
}

/** One frame for each series, its samples in the given chunks. */
export function encodeFrames(
  series: readonly { labels: Series['labels']; chunks: readonly (readonly FloatSample[])[] }[],
): Buffer {
  return Buffer.concat(
    series.map(({ labels, chunks }) =>
      frame(field(1, Buffer.concat([...encodeLabels(labels), ...chunks.map((samples) => encodeChunk(samples))]))),
    ),
  );
}

const chunks = new WeakMap<readonly FloatSample[], Buffer>();

function encodeChunk(samples: readonly FloatSample[]): Buffer {
  let encoded = chunks.get(samples);
  if (encoded === undefined) {
    encoded = chunk(samples[0]!.timeMs, samples.at(-1)!.timeMs, 1, encodeXorChunk(samples));
    chunks.set(samples, encoded);
  }
  return encoded;
}

/** A `Chunk` field of a ChunkedSeries. */
export function chunk(minMs: number, maxMs: number, encoding: number, data: Uint8Array): Buffer {
  return field(2, Buffer.concat([number(1, minMs), number(2, maxMs), number(3, encoding), field(4, data)]));
}

/** A frame around a ChunkedReadResponse, with a valid checksum. */
export function frame(payload: Uint8Array): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32c(payload, 0, payload.length));
  return Buffer.concat([varint(payload.length), checksum, payload]);
}

/** A frame with one series whose only chunk contains these bytes. */
export function frameOf(
  labels: Series['labels'],
  encoding: number,
  data: Uint8Array,
  minMs: number,
  maxMs: number,
): Buffer {
  return frame(field(1, Buffer.concat([...encodeLabels(labels), chunk(minMs, maxMs, encoding, data)])));
}

export function uvarint(value: bigint): Buffer {
  return varint(value);
}

function unsnappy(body: Uint8Array): Uint8Array {
  return snappyjs.uncompress(new Uint8Array(body));
}

/** A remote_write 1.0 request; throws when it is invalid. */
export function decodeWriteRequest(body: Uint8Array): Series[] {
  const series: Series[] = [];
  for (const entry of fields(Buffer.from(unsnappy(body)))) {
    if (entry.number !== 1) throw new Error(`field ${entry.number} in a WriteRequest`);
    const labels: [string, string][] = [];
    const samples: FloatSample[] = [];
    const histograms: { timeMs: number; message: Uint8Array }[] = [];
    for (const part of fields(entry.bytes)) {
      if (part.number === 1) {
        const [name, value] = fields(part.bytes);
        labels.push([name!.bytes.toString(), value!.bytes.toString()]);
      } else if (part.number === 2) {
        const [value, time] = fields(part.bytes);
        samples.push({ bits: value!.bytes.readBigUInt64LE(), timeMs: Number(BigInt.asIntN(64, time!.value)) });
      } else if (part.number === 4) {
        const time = [...fields(part.bytes)].find(({ number }) => number === 15);
        histograms.push({ timeMs: Number(BigInt.asIntN(64, time?.value ?? 0n)), message: part.bytes });
      } else {
        throw new Error(`field ${part.number} in a TimeSeries`);
      }
    }
    series.push({ labels, samples, histograms });
  }
  return series;
}

function* fields(bytes: Buffer): Generator<{ number: number; value: bigint; bytes: Buffer }> {
  let at = 0;
  const next = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(next());
    const start = at;
    if (tag % 8 === 0) yield { number: tag >> 3, value: next(), bytes: bytes.subarray(start, at) };
    else if (tag % 8 === 1) {
      at += 8;
      yield { number: tag >> 3, value: 0n, bytes: bytes.subarray(start, at) };
    } else if (tag % 8 === 2) {
      const length = Number(next());
      at += length;
      yield { number: tag >> 3, value: 0n, bytes: bytes.subarray(at - length, at) };
    } else throw new Error(`wire type ${tag % 8}`);
  }
}
