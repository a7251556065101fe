// What `plan` estimates from a few windows, against what a source has, for data of different shapes.

import assert from 'node:assert/strict';
import { estimateOf } from '../../../src/migration/preflight/estimate.ts';
import { inSpreadOrder, MAX_PROBES, probeRange } from '../../../src/migration/preflight/probe-range.ts';
import { randomNumbers } from '../../support/dataset.ts';
import { epochMs, planFor } from '../support/plan.ts';
import { countIn, DAY_MS, HOUR_MS, MINUTE_MS, type ShapedSeries, ShapedSource } from './shaped-source.ts';

const RANGE = { startMs: epochMs, endMs: epochMs + 30 * DAY_MS };
/** Of one core, with the work of the source on the same machine. */
const SAMPLES_PER_SECOND = 8_000_000;
const random = randomNumbers(7);

function seriesOf(count: number, intervalMs: number, others: (index: number) => Partial<ShapedSeries> = () => ({})) {
  return Array.from({ length: count }, (_, index) => ({
    phaseMs: Math.floor(random() * intervalMs),
    intervalMs,
    ...others(index),
  }));
}

const shapes: Readonly<Record<string, () => readonly ShapedSeries[]>> = {
  sparse: () => seriesOf(20_000, 10 * MINUTE_MS),
  bursty: () => [
    ...seriesOf(2000, MINUTE_MS),
    ...seriesOf(2000, 1000, () => ({ burst: { periodMs: 6 * HOUR_MS, lengthMs: 40 * MINUTE_MS } })),
  ],
  growing: () => seriesOf(40_000, 15_000, (index) => ({ fromMs: RANGE.startMs + (index / 40_000) * 30 * DAY_MS })),
  'many series': () => seriesOf(500_000, 30_000),
  'few series': () => seriesOf(5, 1000),
  histograms: () => [...seriesOf(3000, 15_000, () => ({ isHistogram: true })), ...seriesOf(10_000, 30_000)],
};

const sides = {
  source: { readUrl: 'http://s' },
  destination: { writeUrl: 'http://d', readUrl: 'http://d', queryUrl: 'http://d' },
};

describe('the estimate of a source', () => {
  for (const [name, make] of Object.entries(shapes)) {
    it(`is within a quarter of the truth: ${name}`, async function () {
      this.timeout(60_000);
      const series = make();
      const source = new ShapedSource(series, SAMPLES_PER_SECOND);
      const probed = await probeRange({
        ...RANGE,
        ...{ clock: source.clock, random: randomNumbers(3), read: source.read, signal: new AbortController().signal },
      });
      const estimate = estimateOf({ plan: planFor(sides), ...RANGE, ...probed, series: source.sketch.counts() });
      assert.ok(estimate);
      const truth = series.reduce((sum, one) => sum + countIn(one, RANGE.startMs, RANGE.endMs), 0);
      const off = estimate.samples.value / truth - 1;
      const seriesOff = estimate.series.value / series.length - 1;
      const percent = (part: number) => `${part < 0 ? '−' : '+'}${(Math.abs(part) * 100).toFixed(1)} %`;
      console.log(
        `      ${name}: samples ${percent(off)}, series ${percent(seriesOff)}, ${source.reads.length} windows, ` +
          `${(100 * estimate.probed).toFixed(2)} % of the range, ${(source.elapsedMs / 1000).toFixed(1)} s`,
      );
      assert.ok(Math.abs(off) < 0.25, `samples ${percent(off)}`);
      assert.ok(Math.abs(seriesOff) < 0.25, `series ${percent(seriesOff)}`);
      assert.ok(estimate.samples.low <= truth && truth <= estimate.samples.high, 'the band has the truth');
      assert.ok(source.reads.length <= MAX_PROBES);
      assert.ok(source.elapsedMs < 30_000);
    });
  }
});

describe('the order of the windows', () => {
  it('spreads any beginning over the range', () => {
    const order = inSpreadOrder(20);
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, index) => index),
    );
    const first = order.slice(0, 4).sort((a, b) => a - b);
    const gaps = first.map((place, index) => (first[index + 1] ?? 20) - place);
    assert.ok(Math.max(...gaps) <= 8, `${first}`);
  });
});
