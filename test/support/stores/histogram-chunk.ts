// Native histograms in a stream: each in a separate chunk, so that the encoder needs only the header and one raw sample. prometheus.test.ts
// checks it with the decoder of src/wire, with which it shares no code.

import { BitWriter } from '../../wire/support/chunk-encoder.ts';

interface Span {
  readonly offset: number;
  readonly length: number;
}

const resetBits = [0b00n, 0b10n, 0b01n, 0b11n] as const;
const customBuckets = -53;

/** @param histogram the fields of a `prometheus.Histogram`, 64-bit integers as text */
export function encodeHistogramChunk(
  histogram: Record<string, unknown>,
  timeMs: number,
): { readonly encoding: 2 | 3; readonly data: Uint8Array } {
  const isFloat = histogram['count'] === 'countFloat';
  const writer = new BitWriter();
  const list = <Item>(name: string) => histogram[name] as readonly Item[];
  const float = (value: unknown) => writer.write(floatBits(Number(value)), 64);
  writer.write(1n, 16);
  writer.write(resetBits[Number(histogram['resetHint'])]! << 6n, 8);
  writer.write(255n, 8);
  float(histogram['zeroThreshold']);
  writer.varbit(BigInt(Number(histogram['schema'])));
  for (const spans of [list<Span>('positiveSpans'), list<Span>('negativeSpans')]) {
    writer.varbitUint(BigInt(spans.length));
    for (const { offset, length } of spans) {
      writer.varbitUint(BigInt(length));
      writer.varbit(BigInt(offset));
    }
  }
  if (histogram['schema'] === customBuckets) {
    writer.varbitUint(BigInt(list('customValues').length));
    for (const bound of list<number>('customValues')) {
      writer.write(0n, 1);
      float(bound);
    }
  }
  writer.varbit(BigInt(timeMs));
  if (isFloat) {
    for (const value of [histogram['countFloat'], histogram['zeroCountFloat'], histogram['sum']]) float(value);
    for (const value of [...list('positiveCounts'), ...list('negativeCounts')]) float(value);
    return { encoding: 3, data: writer.finish() };
  }
  writer.varbitUint(BigInt(String(histogram['countInt'])));
  writer.varbitUint(BigInt(String(histogram['zeroCountInt'] ?? 0)));
  float(histogram['sum']);
  for (const delta of [...list<string>('positiveDeltas'), ...list<string>('negativeDeltas')])
    writer.varbit(BigInt(delta));
  return { encoding: 2, data: writer.finish() };
}

function floatBits(value: number): bigint {
  return new BigUint64Array(new Float64Array([value]).buffer)[0]!;
}
