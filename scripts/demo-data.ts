// The data that both demonstrations copy, and the comparison at their end: a day of difficult series in a real Prometheus, compared on both
// sides by readers that are independent of this project (protobufjs on Prometheus' SAMPLES responses, and VictoriaMetrics' own export).

import { generateDataset, type SeriesKind } from '../test/support/dataset.ts';
import { pushSamples } from '../test/support/load.ts';
import { exportVictoriaMetrics } from '../test/support/readers.ts';
import { readFloats } from '../test/support/remote-read.ts';
import { compareSeries, keptByVictoriaMetrics } from '../test/support/series-comparison.ts';
import type { SeriesSet } from '../test/support/series-set.ts';

const HOUR_MS = 3_600_000;
const HOURS = 24;
const SERIES = 660;
const KINDS: readonly SeriesKind[] = [
  'counter',
  'decimal',
  'random',
  'gaps',
  'stale',
  'special',
  'comes-and-goes',
  'five-minutes',
  'constant',
  'unicode-values',
];

export const rangeStartMs = Date.UTC(2026, 0, 1);
export const RANGE_END_MS = rangeStartMs + HOURS * HOUR_MS;

export const say = (text: string) => process.stdout.write(`${text}\n`);
export const count = (n: number) => n.toLocaleString('en-US');

/** Writes the day of data into a Prometheus with an enabled receiver, and returns the number of samples. */
export async function fillPrometheus(url: string): Promise<number> {
  say(
    `Filling Prometheus with ${HOURS} hours of ${SERIES} series: counters, gaps, stale markers, NaN, infinities, series that come and go`,
  );
  const dataset = generateDataset({ series: SERIES, startMs: rangeStartMs, endMs: RANGE_END_MS, kinds: KINDS });
  const pushed = await pushSamples(`${url}/api/v1/write`, dataset);
  say(`  ${count(pushed)} samples`);
  return pushed;
}

/** Compares both sides and prints the result; true when there is no difference. */
export async function compareSides(prometheusUrl: string, victoriaUrl: string): Promise<boolean> {
  say('\nComparing the samples that protobufjs reads from Prometheus with the export of VictoriaMetrics');
  const exported = await exportVictoriaMetrics(victoriaUrl);
  const source = await readFloats(prometheusUrl, rangeStartMs, RANGE_END_MS);
  const expected = keptByVictoriaMetrics(source);
  const comparison = compareSeries(expected, exported, {
    values: 'relative-1e-11',
    ignore: (labels) => labels.get('__name__') === 'prom_migrator_progress',
  });
  const nans = samplesOf(source) - samplesOf(expected);
  say(
    `  source: ${count(samplesOf(source))} samples of ${count(source.size)} series, ${count(nans)} of them NaN, which VictoriaMetrics does not keep`,
  );
  say(
    `  compared: ${count(comparison.samplesCompared)} samples of ${count(comparison.seriesCompared)} series; ${count(comparison.differences)} differences`,
  );
  if (comparison.first !== undefined) say(`  first difference: ${comparison.first}`);
  return comparison.differences === 0;
}

function samplesOf(set: SeriesSet): number {
  let samples = 0;
  for (const { timesMs } of set.values()) samples += timesMs.length;
  return samples;
}
