// Encodes blocks as VictoriaMetrics does, with BigInt arithmetic: the oracle of the decoder.

import { zstdCompressSync } from 'node:zlib';
import { ENCODING } from '../../../src/wire/native-export/integers.ts';

export interface TestBlock {
  readonly times: readonly bigint[];
  readonly mantissas: readonly bigint[];
  readonly exponent: number;
  readonly timesEncoding: number;
  readonly valuesEncoding: number;
}

function varint(value: bigint): number[] {
  return unsigned(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
}

function unsigned(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

/** @param encoding one that can hold the array */
function encodeArray(integers: readonly bigint[], encoding: number): Uint8Array {
  const differences = integers.slice(1).map((value, i) => BigInt.asIntN(64, value - (integers[i] as bigint)));
  if (encoding === ENCODING.const) return new Uint8Array(0);
  if (encoding === ENCODING.deltaConst) return Uint8Array.from(varint(differences[0] as bigint));
  const isSecondOrder = encoding === ENCODING.delta2 || encoding === ENCODING.zstdDelta2;
  const written = isSecondOrder
    ? differences.map((value, i) => (i === 0 ? value : BigInt.asIntN(64, value - (differences[i - 1] as bigint))))
    : differences;
  const bytes = Uint8Array.from(written.flatMap(varint));
  if (encoding !== ENCODING.zstdDelta && encoding !== ENCODING.zstdDelta2) return bytes;
  return zstdCompressSync(bytes, { pledgedSrcSize: bytes.length });
}

export function encodeBlock({ times, mantissas, exponent, timesEncoding, valuesEncoding }: TestBlock): Uint8Array {
  const timesData = encodeArray(times, timesEncoding);
  const valuesData = encodeArray(mantissas, valuesEncoding);
  return Uint8Array.from([
    ...varint(times[0] as bigint),
    ...varint(times.at(-1) as bigint),
    ...varint(mantissas[0] as bigint),
    ...unsigned(BigInt(times.length)),
    ...varint(BigInt(exponent)),
    timesEncoding,
    valuesEncoding,
    64,
    ...unsigned(BigInt(timesData.length)),
    ...timesData,
    ...unsigned(BigInt(valuesData.length)),
    ...valuesData,
  ]);
}

export function encodeRecord(metricName: Uint8Array, block: Uint8Array): Uint8Array {
  const length = (bytes: Uint8Array) => {
    const out = Buffer.alloc(4);
    out.writeUInt32BE(bytes.length);
    return out;
  };
  return Buffer.concat([length(metricName), metricName, length(block), block]);
}
