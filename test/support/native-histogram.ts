// A native histogram of the tests, by bucket index, and its canonical text, which is the same as the output of
// test/support/go/prometheus/tsdb-cat.

export interface NativeHistogram {
  kind: 'integer' | 'float';
  gauge: boolean;
  /** −4 to 8 for exponential buckets, −53 for custom ones. */
  schema: number;
  /** A `stale` histogram marks the end of the series; its other fields are ignored. */
  stale?: true;
  sum: number;
  zeroThreshold: number;
  zeroCount: number;
  /** Bucket index and absolute count, ascending. */
  positive: readonly (readonly [index: number, count: number])[];
  negative: readonly (readonly [index: number, count: number])[];
  /** Upper bounds of custom buckets, ascending. */
  customValues: readonly number[];
}

export const CUSTOM_BUCKETS_SCHEMA = -53;

/** All observations: the expected value of the `count` field. */
export function observations(histogram: NativeHistogram): number {
  return [...histogram.positive, ...histogram.negative].reduce((sum, [, count]) => sum + count, histogram.zeroCount);
}

/** The text is equal for two histograms exactly when they have the same meaning, regardless of their spans and empty buckets. */
export function histogramText(histogram: NativeHistogram): string {
  if (histogram.stale) return 'stale';
  const { kind, schema, sum, zeroThreshold, zeroCount, positive, negative, customValues } = histogram;
  const number = kind === 'integer' ? String : hex;
  const buckets = (entries: NativeHistogram['positive']) =>
    entries
      .filter(([, count]) => count !== 0)
      .map(([index, count]) => `${index}=${number(count)}`)
      .join(' ');
  return [
    ...(histogram.gauge ? ['gauge'] : []),
    kind,
    `schema:${schema}`,
    `sum:${hex(sum)}`,
    `threshold:${hex(zeroThreshold)}`,
    `count:${number(observations(histogram))}`,
    `zero:${number(zeroCount)}`,
    `negative:[${buckets(negative)}]`,
    `positive:[${buckets(positive)}]`,
    ...(customValues.length > 0 ? [`custom:[${customValues.map(hex).join(' ')}]`] : []),
  ].join(' ');
}

const scratch = new DataView(new ArrayBuffer(8));

function hex(value: number): string {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0).toString(16).padStart(16, '0');
}
