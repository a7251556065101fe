// What independent readers see in a destination: the rig has planted what it says, and the counts of expected changes that follow from the
// store alone.

import { DifferenceFinder } from '../storm/differences.ts';
import { exportVictoriaMetrics } from '../test/support/readers.ts';
import { keptByVictoriaMetrics } from '../test/support/series-comparison.ts';
import {
  countSamples,
  labelText,
  type SeriesSamples,
  type SeriesSet,
  STALE_MARKER,
} from '../test/support/series-set.ts';
import type { ServerProcess } from '../test/support/server-process.ts';
import { comparedPart, type DataSet } from './data-sets.ts';
import type { PlantedFault } from './faults.ts';
import type { Scenario } from './scenario.ts';
import { contentOfPrometheus } from './sides/prometheus.ts';
import { countKinds } from './truth.ts';

const MINUS_ZERO = 0x8000000000000000n;

/**
 * The expected changes by reason.
 *
 * @throws Error if the destination does not hold what was planted
 */
export async function checkDestination(
  server: ServerProcess,
  data: DataSet,
  { planted, readMode }: { planted: readonly PlantedFault[]; readMode: Scenario['readMode'] },
): Promise<Record<string, number>> {
  const isDecimal = data.store === 'victoria-metrics';
  const content = comparedPart(
    isDecimal ? await exportVictoriaMetrics(server.url) : await contentOfPrometheus(server),
    data,
  );
  const kept = isDecimal ? keptByVictoriaMetrics(data.wanted) : data.wanted;
  const seen = new DifferenceFinder(isDecimal ? 'relative-1e-11' : 'bits').compare(kept, content);
  const truths = planted.flatMap((fault) => fault.truths);
  const { missing, extra, different, repeated } = countKinds(truths);
  const wanted = JSON.stringify({ missing, extra, doubled: repeated, different });
  if (JSON.stringify(seen.counts) !== wanted) {
    const first = seen.first
      .slice(0, 5)
      .map(({ kind, labels, timeMs, text }) => `${kind} ${labelText(labels)} ${timeMs} ${text}`);
    throw new Error(`planted ${wanted}, the destination shows ${JSON.stringify(seen.counts)}: ${first.join('\n')}`);
  }
  // A sample that is missing or different is not an expected change as well.
  const lost = new Set(
    truths
      .filter(({ kind }) => kind !== 'extra' && kind !== 'repeated')
      .map(({ labels, timeMs }) => `${timeMs} ${labelText(labels)}`),
  );
  const isCounted = (labels: string, timeMs: number) => lost.size === 0 || !lost.has(`${timeMs} ${labels}`);
  const expected: Record<string, number> = {};
  const zeros = readMode === 'Samples' ? countZeros(data.wanted, isCounted) : 0;
  if (isDecimal) {
    expected['victoriametrics_nan'] = countSamples(data.wanted) - countSamples(kept);
    expected['victoriametrics_decimals'] = countChanged(kept, content, isCounted) - zeros;
  }
  if (readMode === 'Samples') {
    // Decimals have no −0 either: there both sides are 0.
    if (!isDecimal) expected['samples_negative_zero'] = zeros;
    expected['samples_histogram_bounds'] = countCustomHistograms(data.wanted, isCounted);
  }
  return expected;
}

type IsCounted = (labels: string, timeMs: number) => boolean;

/** Samples whose bits came back as others, though near enough. */
function countChanged(kept: SeriesSet, content: SeriesSet, isCounted: IsCounted): number {
  let changed = 0;
  for (const [key, series] of kept) {
    const shown = content.get(key);
    if (shown === undefined) continue;
    const left = halves(series);
    const right = halves(shown);
    let j = 0;
    for (let i = 0; i < series.timesMs.length; i++) {
      const timeMs = series.timesMs[i] ?? 0;
      while ((shown.timesMs[j] ?? Number.POSITIVE_INFINITY) < timeMs) j++;
      if (shown.timesMs[j] !== timeMs || series.bits[i] === STALE_MARKER) continue;
      const isSame = left[2 * i] === right[2 * j] && left[2 * i + 1] === right[2 * j + 1];
      if (!isSame && isCounted(key, timeMs)) changed++;
    }
  }
  return changed;
}

function halves({ bits }: SeriesSamples): Uint32Array {
  return new Uint32Array(bits.buffer, bits.byteOffset, bits.length * 2);
}

function countZeros(set: SeriesSet, isCounted: IsCounted): number {
  let zeros = 0;
  for (const [key, { bits, timesMs }] of set)
    for (let i = 0; i < bits.length; i++) if (bits[i] === MINUS_ZERO && isCounted(key, timesMs[i] ?? 0)) zeros++;
  return zeros;
}

function countCustomHistograms(set: SeriesSet, isCounted: IsCounted): number {
  let samples = 0;
  for (const [key, { histograms, histogramTimesMs }] of set)
    for (let i = 0; i < histograms.length; i++)
      if (histograms[i]?.includes(' custom:[') && isCounted(key, histogramTimesMs[i] ?? 0)) samples++;
  return samples;
}
