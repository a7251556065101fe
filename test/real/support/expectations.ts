// Assertions on two sets of series and on a migration's result, with the figures on standard error.
import assert from 'node:assert/strict';
import type { RunResult } from '../../../src/cli/result.ts';
import { type Comparison, type ComparisonOptions, compareSeries } from '../../support/series-comparison.ts';
import { countSamples, type SeriesSamples, type SeriesSet } from '../../support/series-set.ts';
import type { MigrationRun } from './migration.ts';

export const PROGRESS_METRIC = 'prom_migrator_progress';

export function isProgress(labels: ReadonlyMap<string, string>): boolean {
  return labels.get('__name__') === PROGRESS_METRIC;
}

/**
 * A series of marks of a copy: neither the counts beside them, nor a probe, which detects the labels that the destination adds, nor the marks of
 * a verification.
 */
export function isMark(labels: ReadonlyMap<string, string>): boolean {
  const ofVerification = labels.get('id')?.includes('-verification-') === true;
  return isProgress(labels) && !labels.has('count') && !labels.has('probe') && !ofVerification;
}

/** The set without the progress series. */
export function withoutProgress(set: SeriesSet): SeriesSet {
  return new Map([...set].filter(([, series]) => !isProgress(new Map(series.labels))));
}

/** Fails with the first differing sample of both sides; ignores the progress series. */
export function assertEqualSeries(
  expected: SeriesSet,
  actual: SeriesSet,
  values: ComparisonOptions['values'],
): Comparison {
  const comparison = compareSeries(expected, actual, { values, ignore: isProgress });
  assert.ok(comparison.samplesCompared > 0, 'there must be something to compare');
  tell(`${count(comparison.samplesCompared)} samples compared, ${count(comparison.differences)} differences`);
  assert.equal(
    comparison.differences,
    0,
    `${comparison.differences} of ${comparison.samplesCompared} samples differ, first:\n${comparison.first}`,
  );
  return comparison;
}

/** Fails with the output of the process unless it exited with this code. */
export function assertExit(run: MigrationRun, exitCode: number): void {
  const { seconds, peakRssBytes = 0 } = run;
  tell(`exit ${run.exitCode} after ${seconds.toFixed(1)} s, peak RSS ${Math.round(peakRssBytes / 2 ** 20)} MiB`);
  assert.equal(run.exitCode, exitCode, `exit ${run.exitCode ?? run.exitSignal}:\n${run.stderr}`);
}

/** Fails unless the migration counts exactly the samples that an independent reader has found in the source, all of them written. */
export function assertAllWritten(result: RunResult, source: SeriesSet): void {
  const samples = countSamples(source);
  assert.deepEqual(
    {
      phase: result.phase,
      read: result.samplesRead,
      written: result.samplesWritten,
      filtered: result.samplesFiltered,
      alreadyPresent: result.samplesAlreadyPresent,
      conflicting: result.samplesConflicting,
      rejected: result.samplesRejected,
    },
    {
      phase: 'Succeeded',
      read: samples,
      written: samples,
      filtered: 0,
      alreadyPresent: 0,
      conflicting: 0,
      rejected: {},
    },
  );
}

export function filterSeries(
  set: SeriesSet,
  wanted: (labels: ReadonlyMap<string, string>, series: SeriesSamples) => boolean,
): SeriesSet {
  return new Map([...set].filter(([, series]) => wanted(new Map(series.labels), series)));
}

/** The union of disjoint sets. */
export function union(...sets: readonly SeriesSet[]): SeriesSet {
  const all: SeriesSet = new Map(sets.flatMap((set) => [...set]));
  assert.equal(
    all.size,
    sets.reduce((sum, set) => sum + set.size, 0),
    'these sets must have no series in common',
  );
  return all;
}

/** Prints a figure in the test output. */
export function tell(text: string): void {
  process.stderr.write(`      · ${text}\n`);
}

function count(samples: number): string {
  return samples.toLocaleString('en-US');
}

/** The samples of both sets, `older` before `newer` when a series is in both. */
export function joinSeries(older: SeriesSet, newer: SeriesSet): SeriesSet {
  const joined: SeriesSet = new Map(newer);
  for (const [key, before] of older) {
    const after = newer.get(key);
    if (after === undefined) {
      joined.set(key, before);
      continue;
    }
    joined.set(key, {
      labels: before.labels,
      timesMs: Float64Array.of(...before.timesMs, ...after.timesMs),
      bits: BigUint64Array.of(...before.bits, ...after.bits),
      histogramTimesMs: [...before.histogramTimesMs, ...after.histogramTimesMs],
      histograms: [...before.histograms, ...after.histograms],
    });
  }
  return joined;
}

/** Fails unless all runs together have read this many samples, and account for each. */
export function assertTotal({ total }: RunResult, samples: number): void {
  assert.ok(total !== null, 'the counts of all runs are known');
  const { samplesRead, samplesWritten, samplesFiltered, samplesAlreadyPresent, samplesConflicting } = total;
  const rejected = Object.values(total.samplesRejected).reduce((sum, count) => sum + count, 0);
  assert.equal(samplesRead, samples);
  assert.equal(samplesWritten + samplesFiltered + samplesAlreadyPresent + samplesConflicting + rejected, samplesRead);
}
