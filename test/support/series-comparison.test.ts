// The basis of all real tests: the comparison must detect every kind of loss, and the generated data must have the documented properties.
import assert from 'node:assert/strict';
import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS } from './dataset.ts';
import { type ComparisonOptions, compareSeries, keptByInfluxdb, keptByVictoriaMetrics } from './series-comparison.ts';
import { bitsOf, countSamples, type SeriesSamples, type SeriesSet, STALE_MARKER, sliceSeries } from './series-set.ts';

const startMs = Date.UTC(2025, 0, 1);
const endMs = startMs + 3 * 3_600_000;
const kinds = [...PLAIN_KINDS, ...HISTOGRAM_KINDS, 'custom-bucket-histogram', 'utf8-names'] as const;
const make = () => generateDataset({ series: kinds.length * 2, startMs, endMs, kinds });
const bits: ComparisonOptions = { values: 'bits' };

function one(set: SeriesSet, name: string): [string, SeriesSamples] {
  const found = [...set].find(([key]) => key.includes(name));
  assert.ok(found, `no series ${name}`);
  return found;
}

describe('generated data', () => {
  it('is the same for the same seed and different for another', () => {
    assert.equal(compareSeries(make(), make(), bits).differences, 0);
    const other = generateDataset({ series: kinds.length * 2, startMs, endMs, kinds, seed: 2 });
    assert.ok(compareSeries(make(), other, bits).differences > 1_000);
  });

  it('contains stale markers, NaN payloads, infinities and both zeros', () => {
    const held = new Set([...make().values()].flatMap((series) => [...series.bits]));
    const wanted = [STALE_MARKER, 0x7ff8dead0000beefn, 0xfff800000000002an, 0x7ff8000000000001n, 0n, 1n << 63n];
    for (const value of [...wanted, bitsOf(Number.POSITIVE_INFINITY), bitsOf(Number.NEGATIVE_INFINITY)]) {
      assert.ok(held.has(value), value.toString(16));
    }
  });

  it('has its samples in order, inside the range, and no duplicate timestamps in a series', () => {
    for (const series of make().values()) {
      for (const times of [series.timesMs, series.histogramTimesMs]) {
        for (const [i, timeMs] of times.entries()) {
          assert.ok(timeMs >= startMs && timeMs < endMs && timeMs > (times[i - 1] ?? 0));
        }
      }
    }
  });

  it('can be split in two without loss', () => {
    const set = make();
    const middleMs = startMs + 5_000_000;
    const halves = countSamples(sliceSeries(set, startMs, middleMs)) + countSamples(sliceSeries(set, middleMs, endMs));
    assert.equal(halves, countSamples(set));
  });
});

describe('the series comparison', () => {
  it('counts every sample of every series, and finds no difference between equal sets', () => {
    const comparison = compareSeries(make(), make(), bits);
    assert.deepEqual(comparison, {
      seriesCompared: kinds.length * 2,
      samplesCompared: countSamples(make()),
      differences: 0,
    });
  });

  it('distinguishes a stale marker from another NaN, bit for bit', () => {
    const actual = make();
    const [key, series] = one(actual, 'test_stale');
    const index = series.bits.indexOf(STALE_MARKER);
    assert.ok(index >= 0);
    series.bits[index] = 0x7ff8000000000002n;
    const comparison = compareSeries(make(), actual, bits);
    assert.equal(comparison.differences, 1);
    assert.ok(comparison.first?.startsWith(key));
    assert.match(
      comparison.first ?? '',
      /expected: .*bits 7ff0000000000002\)[^\n]*\n.*actual: .*bits 7ff8000000000002\)/,
    );
  });

  it('finds one missing sample and reports its time', () => {
    const actual = make();
    const [, series] = one(actual, 'test_counter');
    const missingMs = series.timesMs[7];
    series.timesMs = series.timesMs.filter((_, i) => i !== 7);
    series.bits = series.bits.filter((_, i) => i !== 7);
    const comparison = compareSeries(make(), actual, bits);
    assert.equal(comparison.differences, 1);
    assert.match(
      comparison.first ?? '',
      new RegExp(`expected: .*\\(${missingMs}\\) value[^\n]*\n.*actual: +no sample`),
    );
  });

  it('finds one duplicate sample', () => {
    const actual = make();
    const [, series] = one(actual, 'test_counter');
    series.timesMs = Float64Array.of(...series.timesMs.subarray(0, 1), ...series.timesMs);
    series.bits = BigUint64Array.of(...series.bits.subarray(0, 1), ...series.bits);
    assert.equal(compareSeries(make(), actual, bits).differences, 1);
  });

  it('counts all samples of a series that only one side has', () => {
    const less = make();
    const [key, series] = one(less, 'test_random');
    less.delete(key);
    assert.equal(compareSeries(make(), less, bits).differences, series.timesMs.length);
    assert.equal(compareSeries(less, make(), bits).differences, series.timesMs.length);
    const ignore = (labels: ReadonlyMap<string, string>) => labels.get('__name__') === 'test_random';
    assert.equal(compareSeries(make(), less, { ...bits, ignore }).differences, 0);
  });

  it('finds a histogram with one different bucket', () => {
    const actual = make();
    const [, series] = one(actual, 'test_integer_histogram');
    series.histograms[3] = series.histograms[3]?.replace(/=(\d+)/, '=1$1') ?? '';
    assert.equal(compareSeries(make(), actual, bits).differences, 1);
  });

  it('allows a relative difference of 10⁻¹¹ on request, and no more', () => {
    const actual = make();
    const [, series] = one(actual, 'test_random');
    const values = new Float64Array(series.bits.buffer);
    values[0] = (values[0] ?? 0) * (1 + 9e-12);
    assert.equal(compareSeries(make(), actual, { values: 'relative-1e-11' }).differences, 0);
    assert.equal(compareSeries(make(), actual, bits).differences, 1);
    values[0] = (values[0] ?? 0) * (1 + 9e-12);
    assert.equal(compareSeries(make(), actual, { values: 'relative-1e-11' }).differences, 1);
  });

  it('expects start timestamps only on request', () => {
    const withStarts = () => generateDataset({ series: 3, startMs, endMs, kinds, startTimes: true });
    const without = generateDataset({ series: 3, startMs, endMs, kinds });
    assert.equal(compareSeries(withStarts(), without, bits).differences, 0);
    assert.equal(compareSeries(withStarts(), withStarts(), { ...bits, startTimes: true }).differences, 0);
    assert.equal(
      compareSeries(withStarts(), without, { ...bits, startTimes: true }).differences,
      countSamples(without),
    );
  });

  it('knows what VictoriaMetrics and InfluxDB drop', () => {
    const special = generateDataset({ series: 1, startMs, endMs, kinds: ['special'] });
    const numbers = [...special.values()].flatMap((series) => [...new Float64Array(series.bits.buffer)]);
    const stale = [...special.values()].flatMap((series) => [...series.bits]).filter((b) => b === STALE_MARKER).length;
    assert.ok(stale > 0);
    const notNaN = numbers.filter((value) => !Number.isNaN(value)).length;
    assert.equal(countSamples(keptByVictoriaMetrics(special)), notNaN + stale);
    assert.equal(countSamples(keptByInfluxdb(special)), numbers.filter(Number.isFinite).length);
  });
});
