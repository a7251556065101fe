// Generates the data for the sources of the tests, the demo and the benches: the same for the same seed, with all kinds of data that
// migrations have lost before.
import { CUSTOM_BUCKETS_SCHEMA, histogramText, type NativeHistogram } from './native-histogram.ts';
import { bitsOf, type Label, labelText, SeriesBuilder, type SeriesSet, STALE_MARKER } from './series-set.ts';

/** The pattern of a series. */
export type SeriesKind =
  /** Increasing integers, with an occasional reset. */
  | 'counter'
  /** Two decimals, like temperatures. */
  | 'decimal'
  /** All 52 bits of the mantissa are used. */
  | 'random'
  /** Late scrapes, and hours without any. */
  | 'gaps'
  /** Runs that end with a stale marker. */
  | 'stale'
  /** NaNs with and without payload, both infinities, both zeros, and ordinary values. */
  | 'special'
  /** Present only in several parts of the range. */
  | 'comes-and-goes'
  | 'one-second'
  | 'five-minutes'
  | 'constant'
  /** Emoji, spaces, quotes and a line feed in label values, with ordinary names. */
  | 'unicode-values'
  /** Non-ASCII label names and metric names; Prometheus 3 only. */
  | 'utf8-names'
  /** The smallest and the largest doubles; VictoriaMetrics cannot store both in one block. */
  | 'extremes'
  | 'integer-histogram'
  | 'float-histogram'
  | 'gauge-histogram'
  | 'custom-bucket-histogram';

/** Supported by every Prometheus since 2.24. */
export const PLAIN_KINDS: readonly SeriesKind[] = [
  'counter',
  'decimal',
  'random',
  'gaps',
  'stale',
  'special',
  'comes-and-goes',
  'one-second',
  'five-minutes',
  'constant',
  'unicode-values',
];

/** Supported by Prometheus 2.53 with its feature flag. 2.42 accepts them too, but cannot compact gauge histograms. */
export const HISTOGRAM_KINDS: readonly SeriesKind[] = ['integer-histogram', 'float-histogram', 'gauge-histogram'];

/** Only counter histograms: supported by Prometheus 2.42. */
export const COUNTER_HISTOGRAM_KINDS: readonly SeriesKind[] = ['integer-histogram', 'float-histogram'];

export interface DatasetOptions {
  series: number;
  /** Milliseconds since the epoch; samples are in [startMs, endMs). */
  startMs: number;
  endMs: number;
  seed?: number;
  /** Assigned to the series in rotation; by default all that every server supports. */
  kinds?: readonly SeriesKind[];
  /** Between two samples of most kinds, 15 s by default. */
  intervalMs?: number;
  /** Prefix of the metric names, so that several datasets can coexist. */
  prefix?: string;
  /** Gives every sample the start timestamp of its series' last reset, for a Prometheus that stores them. */
  startTimes?: boolean;
}

/** Generates the series; the same options give the same bits. About ten million samples a second. */
export function generateDataset(options: DatasetOptions): SeriesSet {
  const kinds = options.kinds ?? PLAIN_KINDS;
  const set: SeriesSet = new Map();
  for (let i = 0; i < options.series; i++) {
    const kind = kinds[i % kinds.length] ?? 'counter';
    const random = randomNumbers((options.seed ?? 1) * 1_000_003 + i);
    const builder = new SeriesBuilder(labelsOf(kind, i, options.prefix ?? 'test'));
    if (kind.endsWith('histogram')) fillHistograms(builder, kind, options, random);
    else fillFloats(builder, kind, options, random);
    const series = builder.finish();
    if (options.startTimes) {
      series.startTimesMs = series.timesMs.map((timeMs) => startOf(timeMs, options.startMs));
      series.histogramStartTimesMs = series.histogramTimesMs.map((timeMs) => startOf(timeMs, options.startMs));
    }
    if (series.timesMs.length + series.histograms.length > 0) set.set(labelText(series.labels), series);
  }
  return set;
}

const HOUR_MS = 3_600_000;

/** The process that exposes the series was restarted every hour and a half. */
function startOf(timeMs: number, rangeStartMs: number): number {
  return rangeStartMs - 1 + Math.floor((timeMs - rangeStartMs) / (1.5 * HOUR_MS)) * 1.5 * HOUR_MS;
}

function labelsOf(kind: SeriesKind, index: number, prefix: string): Label[] {
  const labels: Label[] = [
    ['__name__', `${prefix}_${kind.replaceAll('-', '_')}`],
    ['instance', `host-${String(index).padStart(5, '0')}:9100`],
    ['job', index % 3 === 0 ? 'node' : 'api'],
  ];
  if (kind === 'unicode-values')
    labels.push(['note', `Grüße, "世界" 🌍\n\\ end ${index}`], ['odd', ' spaces | ÿ{}=, ']);
  if (kind === 'utf8-names') {
    labels[0] = ['__name__', `${prefix}.météo/温度`];
    labels.push(['a label.with spaces', 'x'], ['größe', 'groß'], ['"quoted"', '🌡️']);
  }
  return labels;
}

type RandomNumbers = () => number;

/** mulberry32: numbers in [0, 1) from a 32-bit seed, fast and platform-independent. */
export function randomNumbers(seed: number): RandomNumbers {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function intervalOf(kind: SeriesKind, options: DatasetOptions): number {
  if (kind === 'one-second') return 1_000;
  if (kind === 'five-minutes') return 300_000;
  return options.intervalMs ?? 15_000;
}

function fillFloats(builder: SeriesBuilder, kind: SeriesKind, options: DatasetOptions, random: RandomNumbers): void {
  const intervalMs = intervalOf(kind, options);
  const nextValue = valueSource(kind, random);
  let timeMs = options.startMs + Math.floor(random() * intervalMs);
  // How long the series continues before a pause; infinite for most kinds.
  const runMs = () => (0.3 + random()) * (kind === 'stale' ? HOUR_MS / 2 : 2 * HOUR_MS);
  const pauses = kind === 'gaps' || kind === 'stale' || kind === 'comes-and-goes';
  if (kind === 'comes-and-goes') timeMs += Math.floor((random() * (options.endMs - options.startMs)) / 2);
  let runEndMs = pauses ? timeMs + runMs() : Number.POSITIVE_INFINITY;
  while (timeMs < options.endMs) {
    if (timeMs >= runEndMs) {
      if (kind === 'stale') builder.add(timeMs, STALE_MARKER);
      timeMs += intervalMs + Math.floor((random() * (options.endMs - options.startMs)) / 4);
      runEndMs = timeMs + runMs();
      continue;
    }
    builder.add(timeMs, nextValue());
    timeMs += intervalMs;
    // Late scrapes, and a missed one.
    if (kind === 'gaps') timeMs += Math.floor(random() * 40) + (random() < 0.02 ? intervalMs : 0);
  }
}

const SPECIAL_BITS: readonly bigint[] = [
  0x7ff8000000000001n, // Prometheus' own NaN
  0x7ff8000000000000n, // what other languages call NaN
  0xfff8000000000000n, // the same, negative
  0x7ff8dead0000beefn, // quiet, with a payload
  0xfff800000000002an,
  STALE_MARKER,
  0x7ff0000000000000n, // +Inf
  0xfff0000000000000n, // −Inf
  0x0000000000000000n,
  0x8000000000000000n, // −0
];

const EXTREME_BITS: readonly bigint[] = [
  0x0000000000000001n,
  0x8000000000000001n,
  0x000fffffffffffffn,
  0x0010000000000000n,
  0x7fefffffffffffffn,
  0xffefffffffffffffn,
  0x7ff0000000000001n, // signalling NaNs that are not stale markers
  0x7ff7ffffffffffffn,
  0xffffffffffffffffn,
];

/** The next value of a series of this kind, as bits. */
function valueSource(kind: SeriesKind, random: RandomNumbers): () => bigint {
  let level = Math.floor(random() * 1_000);
  const pick = (from: readonly bigint[]) => from[Math.floor(random() * from.length)] ?? 0n;
  const counter = () => {
    level = random() < 0.001 ? 0 : level + Math.floor(random() * 50);
    return bitsOf(level);
  };
  switch (kind) {
    case 'decimal':
    case 'five-minutes':
      return () => bitsOf(Math.round((level + random() * 10) * 100) / 100);
    case 'random':
      // Two random numbers fill the mantissa; the exponent stays fixed, like in a real measurement.
      return () => bitsOf((level + 1) * (0.5 + (random() + random() / 4_294_967_296) / 2));
    case 'special':
      return () => (random() < 0.4 ? pick(SPECIAL_BITS) : counter());
    case 'extremes':
      return () => pick(EXTREME_BITS);
    case 'constant':
      return () => bitsOf(level);
    default:
      return counter;
  }
}

function fillHistograms(
  builder: SeriesBuilder,
  kind: SeriesKind,
  options: DatasetOptions,
  random: RandomNumbers,
): void {
  const intervalMs = intervalOf(kind, options);
  const custom = kind === 'custom-bucket-histogram';
  const float = kind === 'float-histogram';
  const customValues = custom ? [0.005, 0.01, 0.05, 0.1, 0.5, 1, 2.5, 10] : [];
  let schema = custom ? CUSTOM_BUCKETS_SCHEMA : 3;
  let counts = new Map<number, number>();
  let sum = 0;
  let zeroCount = 0;
  for (let timeMs = options.startMs + Math.floor(random() * intervalMs); timeMs < options.endMs; timeMs += intervalMs) {
    const drawn = random();
    if (drawn < 0.003) {
      // The process restarted: a stale marker, a pause, reset counts, another resolution.
      const stale: NativeHistogram = { ...EMPTY, kind: float ? 'float' : 'integer', gauge: false, stale: true };
      builder.addHistogram(timeMs, histogramText(stale), stale);
      timeMs += Math.floor(random() * HOUR_MS);
      if (!custom) schema = Math.floor(random() * 9) - 1;
      counts = new Map();
      sum = 0;
      zeroCount = 0;
      continue;
    }
    if (kind === 'gauge-histogram') {
      counts = new Map();
      sum = 0;
      zeroCount = Math.floor(random() * 5);
    }
    for (let i = Math.floor(random() * 6); i >= 0; i--) {
      const index = custom ? Math.floor(random() * 9) : Math.floor((random() + random() - 1) * 40);
      const more = float ? random() * 10 : 1 + Math.floor(random() * 9);
      counts.set(index, (counts.get(index) ?? 0) + more);
      sum += more * random() * (index < 0 ? -1 : 1);
    }
    if (!custom && random() < 0.2) zeroCount += 1;
    const sorted = [...counts].sort(([a], [b]) => a - b);
    const histogram: NativeHistogram = {
      kind: float ? 'float' : 'integer',
      gauge: kind === 'gauge-histogram',
      schema,
      sum,
      zeroThreshold: custom ? 0 : schema > 4 ? 1e-6 : 2 ** -128,
      zeroCount: custom ? 0 : zeroCount,
      // Every third bucket is negative, so that both sides have gaps between their spans.
      positive: sorted.filter(([index]) => custom || index % 3 !== 0),
      negative: custom ? [] : sorted.filter(([index]) => index % 3 === 0),
      customValues,
    };
    builder.addHistogram(timeMs, histogramText(histogram), histogram);
  }
}

const EMPTY = { schema: 0, sum: 0, zeroThreshold: 0, zeroCount: 0, positive: [], negative: [], customValues: [] };
