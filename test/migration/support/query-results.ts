// Series as the query API and the export of a destination return them.

import type { FloatSample, Series } from './remote-messages.ts';

export function floatOf(bits: bigint): number {
  return new Float64Array(new BigUint64Array([bits]).buffer)[0]!;
}

export function exportLine({ labels, samples }: Series): string {
  return JSON.stringify({
    metric: Object.fromEntries(labels),
    values: samples.map(() => 0),
    timestamps: samples.map(({ timeMs }) => timeMs),
  });
}

/** The result of a range selector. */
export function matrixOf(series: readonly Series[]): object {
  const values = (samples: readonly FloatSample[]) =>
    samples.map(({ timeMs: at, bits }) => [at / 1000, String(floatOf(bits))]);
  return {
    resultType: 'matrix',
    result: series.map(({ labels, samples }) => ({ metric: Object.fromEntries(labels), values: values(samples) })),
  };
}

/** The result of count_over_time or max_over_time, which drop the name. */
export function valuesOf(
  series: readonly Series[],
  timeMs: number,
  value: (samples: readonly FloatSample[]) => number,
): object {
  const withoutName = (labels: Series['labels']) => Object.fromEntries(labels.filter(([name]) => name !== '__name__'));
  return {
    resultType: 'vector',
    result: series.map(({ labels, samples }) => ({
      metric: withoutName(labels),
      value: [timeMs / 1000, String(value(samples))],
    })),
  };
}

export function countOf(samples: readonly FloatSample[]): number {
  return samples.length;
}

export function maxOf(samples: readonly FloatSample[]): number {
  return Math.max(...samples.map(({ bits }) => floatOf(bits)));
}
