// Bodies for hostile-cases.ts, generated as the socket accepts them.

import snappyjs from 'snappyjs';
import { crc32c } from '../../../src/wire/responses/crc32c.ts';
import {
  bitsOf,
  chunk,
  encodeSamples,
  field,
  frame,
  frameOf,
  type ReadQuery,
} from '../../migration/support/remote-messages.ts';
import { BitWriter, encodeXorChunk } from '../../wire/support/chunk-encoder.ts';

export type Labels = readonly (readonly [name: string, value: string])[];

const MEBIBYTE = 2 ** 20;
const PIECE_BYTES = 64 * 1024;
const XOR = 1;
const HISTOGRAM = 2;

export function named(value: string, name = 'm'): Labels {
  return [
    ['__name__', name],
    ['v', value],
  ];
}

/** A frame with one series of one sample at the query's start. */
export function oneSample({ startMs }: ReadQuery, labels: Labels): Buffer {
  return frameOf(labels, XOR, encodeXorChunk([{ timeMs: startMs, bits: bitsOf(1) }]), startMs, startMs);
}

const ID_DIGITS = 8;

/** Endless frames of series with one sample. Each has another label value, or all have the same one. */
export function* tinySeries(query: ReadQuery, kind: 'different' | 'same', count = Number.POSITIVE_INFINITY) {
  const template = oneSample(query, named('0'.repeat(ID_DIGITS)));
  const idAt = template.indexOf('0'.repeat(ID_DIGITS));
  const perPiece = Math.ceil(PIECE_BYTES / template.length);
  for (let done = 0; done < count; done += perPiece) {
    const piece = Buffer.alloc(perPiece * template.length);
    for (let i = 0; i < perPiece; i++) {
      const at = i * template.length;
      template.copy(piece, at);
      if (kind === 'same') continue;
      piece.write((done + i).toString(36).padStart(ID_DIGITS, '0'), at + idAt, 'latin1');
      piece.writeUInt32BE(crc32c(piece, at + 5, at + template.length), at + 1);
    }
    yield piece;
  }
}

/** This many labels, then the name: each in a separate Label message. */
export function manyLabels(count: number): Labels {
  return [['__name__', 'm'], ...Array.from({ length: count }, (_, i): [string, string] => [`l${1e7 + i}`, 'v'])];
}

export function* repeat(piece: Uint8Array, times: number): Generator<Uint8Array> {
  for (let i = 0; i < times; i++) yield piece;
}

let hugeLabel: Buffer | undefined;

/** SAMPLES of one series with a label value of 45 MiB. */
export function hugeLabelInSamples({ startMs }: ReadQuery): Buffer {
  hugeLabel ??= encodeSamples([
    { labels: named('x'.repeat(45 * MEBIBYTE)), samples: [{ timeMs: startMs, bits: bitsOf(1) }] },
  ]);
  return hugeLabel;
}

/** SAMPLES of `bytes` that repeat one small field, in series of `perSeries` fields. */
export function fieldsOf(bytes: number, hexField: string, perSeries: number): Buffer {
  const name = field(1, Buffer.concat([field(1, Buffer.from('__name__')), field(2, Buffer.from('m'))]));
  const entry = field(1, Buffer.concat([name, Buffer.from(hexField.repeat(perSeries), 'hex')]));
  const content = Buffer.concat(Array.from({ length: Math.ceil(bytes / entry.length) }, () => entry));
  return Buffer.from(snappyjs.compress(new Uint8Array(field(1, content))));
}

/** A series with chunks of 65,535 equal samples: two bits per sample. */
export function equalSamples(query: ReadQuery, labels: Labels, chunks: number): Buffer {
  const data = new BitWriter();
  data.write(0xffffn, 16);
  data.varint(BigInt(query.startMs));
  data.write(0n, 64);
  data.uvarint(0n);
  const head = Buffer.from(data.finish());
  const one = chunk(query.startMs, query.startMs, XOR, Buffer.concat([head, Buffer.alloc(17_000)]));
  const entries = labels.map(([name, value]) =>
    field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(value))])),
  );
  return frame(field(1, Buffer.concat([...entries, ...Array.from({ length: chunks }, () => one)])));
}

/** A series with chunks of native histograms that repeat a first one of a thousand buckets: one bit per bucket. */
export function equalHistograms(query: ReadQuery, chunks: number): Buffer {
  const samples = 2000;
  const buckets = 1000;
  const data = new BitWriter();
  data.write(BigInt(samples), 16);
  data.write(0n, 8);
  // Zero threshold 0, schema 0, one positive span of this many buckets at 0, no negative span.
  data.write(0n, 8);
  data.varbit(0n);
  data.varbitUint(1n);
  data.varbitUint(BigInt(buckets));
  data.varbit(0n);
  data.varbitUint(0n);
  data.varbit(BigInt(query.startMs));
  data.varbitUint(10n);
  data.varbitUint(0n);
  data.write(0n, 64);
  for (let i = 0; i < buckets; i++) data.varbit(i % 2 === 0 ? 1_000_000n : -1_000_000n);
  const head = Buffer.from(data.finish());
  const rest = Buffer.alloc(Math.ceil((samples * (buckets + 8)) / 8));
  const one = chunk(query.startMs, query.startMs, HISTOGRAM, Buffer.concat([head, rest]));
  const name = field(1, Buffer.concat([field(1, Buffer.from('__name__')), field(2, Buffer.from('m'))]));
  return frame(field(1, Buffer.concat([name, ...Array.from({ length: chunks }, () => one)])));
}
