// The destination of one seed: how to start it, and how independent readers compare its final content with the expected one.

import { setTimeout as sleep } from 'node:timers/promises';
import { withPositiveZeros } from '../test/real/support/pairs.ts';
import { pushSamples } from '../test/support/load.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../test/support/readers.ts';
import { keptByVictoriaMetrics } from '../test/support/series-comparison.ts';
import { countSamples, numberOf, type SeriesSamples, type SeriesSet, sliceSeries } from '../test/support/series-set.ts';
import type { ServerProcess } from '../test/support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../test/support/servers.ts';
import { DifferenceFinder, type Differences } from './differences.ts';
import { type DestinationKind, isCopied, type Scenario } from './scenario.ts';
import type { Source } from './source.ts';

const PROGRESS_METRIC = 'prom_migrator_progress';

export async function startDestination(kind: DestinationKind, source: Source): Promise<ServerProcess> {
  if (kind === 'victoria-metrics') return startVictoriaMetrics();
  const prometheus = await startPrometheus({
    version: '3.5',
    receiver: true,
    nativeHistograms: true,
    ...(kind === 'prometheus-out-of-order' && { outOfOrderWindow: '100y' }),
  });
  if (kind === 'prometheus-out-of-order') await pushSamples(`${prometheus.url}/api/v1/write`, source.newer);
  return prometheus;
}

interface Mark {
  readonly timeMs: number;
  readonly samples: number;
  /** The counts beside it, by the label `count`. */
  readonly counts: Readonly<Record<string, number>>;
}

export interface Found {
  readonly differences: Differences;
  /** Samples of the source that belong to the copy. */
  readonly copiedSamples: number;
  /** Documented changes by the destination, by name, with the number of samples. */
  readonly documented: Readonly<Record<string, number>>;
  /** The migration's newest mark, and the number of progress series besides those of its counts and probes. */
  readonly lastMark: Mark | undefined;
  readonly progressSeries: number;
}

/** Compares both sides; a Prometheus is stopped first, and read by two readers. */
export async function compareSides(scenario: Scenario, source: Source, server: ServerProcess): Promise<Found> {
  const copied = copiedPart(scenario, source.bits);
  const copiedSamples = countSamples(copied);
  if (scenario.destination === 'victoria-metrics') {
    const kept = keptByVictoriaMetrics(copied);
    const { all, differences, hiddenAtFirst } = await exportWhenShown(server.url, kept);
    const documented = {
      'NaN that is no stale marker is dropped': copiedSamples - countSamples(kept),
      'not shown at once after /internal/force_flush': hiddenAtFirst,
    };
    return { differences, copiedSamples, documented, ...marksIn(all) };
  }
  await server.stop();
  const { startMs, endMs } = source;
  const all = await dumpPrometheus(server.dataDir, 'bits');
  const zeros = (set: SeriesSet) => (scenario.readMode === 'Samples' ? withPositiveZeros(set) : set);
  const inRange = (set: SeriesSet) => withoutProgress(sliceSeries(set, startMs, endMs));
  const byBits = new DifferenceFinder('bits').compare(zeros(copied), inRange(all));
  const text = inRange(await dumpPrometheus(server.dataDir, 'text'));
  const byText = new DifferenceFinder('bits').compare(zeros(copiedPart(scenario, source.text)), text);
  const documented = scenario.readMode === 'Samples' ? { 'plain responses have no −0': minusZeros(copied) } : {};
  // The second reader confirms the first; its result is used only when it finds more differences.
  const differences = total(byText) > total(byBits) ? byText : byBits;
  return { differences, copiedSamples, documented, ...marksIn(all) };
}

const EXPORTS = 4;

/**
 * VictoriaMetrics' own flusher takes rows that /internal/force_flush then cannot flush, and which are not yet visible when it returns: on a
 * busy machine, samples of the last two seconds may be missing from the first export.
 */
async function exportWhenShown(url: string, kept: SeriesSet) {
  let hiddenAtFirst = 0;
  for (let attempt = 1; ; attempt++) {
    const all = await exportVictoriaMetrics(url);
    const differences = new DifferenceFinder('relative-1e-11').compare(kept, withoutProgress(all));
    const { missing } = differences.counts;
    if (missing === 0 || attempt === EXPORTS)
      return { all, differences, hiddenAtFirst: Math.max(0, hiddenAtFirst - missing) };
    if (attempt === 1) hiddenAtFirst = missing;
    await sleep(2000);
  }
}

export function total({ counts }: Differences): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Samples of the copy from this time on. */
export function samplesFrom(scenario: Scenario, source: Source, fromMs: number): number {
  return countSamples(sliceSeries(copiedPart(scenario, source.bits), fromMs, source.endMs));
}

function copiedPart(scenario: Scenario, set: SeriesSet): SeriesSet {
  return new Map([...set].filter(([, { labels }]) => isCopied(scenario, nameOf(labels))));
}

function nameOf(labels: readonly (readonly [string, string])[]): string {
  return labels.find(([name]) => name === '__name__')?.[1] ?? '';
}

function withoutProgress(set: SeriesSet): SeriesSet {
  return new Map([...set].filter(([, { labels }]) => nameOf(labels) !== PROGRESS_METRIC));
}

function marksIn(set: SeriesSet): Pick<Found, 'lastMark' | 'progressSeries'> {
  // A probe, which tests what the destination accepts, is not a mark.
  const all = [...set.values()].filter(
    ({ labels }) => nameOf(labels) === PROGRESS_METRIC && !labels.some(([name]) => name === 'probe'),
  );
  const countOf = ({ labels }: SeriesSamples) => labels.find(([name]) => name === 'count')?.[1];
  const marks = all.filter((series) => countOf(series) === undefined);
  const newest = marks
    .map(({ timesMs, bits }) => ({ timeMs: timesMs.at(-1) ?? 0, samples: numberOf(bits.at(-1) ?? 0n) }))
    .sort((a, b) => b.timeMs - a.timeMs)[0];
  if (newest === undefined) return { lastMark: undefined, progressSeries: 0 };
  const counts: Record<string, number> = {};
  for (const series of all) {
    const count = countOf(series);
    if (count !== undefined && series.timesMs.at(-1) === newest.timeMs)
      counts[count] = numberOf(series.bits.at(-1) ?? 0n);
  }
  return { lastMark: { ...newest, counts }, progressSeries: marks.length };
}

function minusZeros(set: SeriesSet): number {
  let zeros = 0;
  for (const { bits } of set.values()) for (const value of bits) if (value === 0x8000000000000000n) zeros++;
  return zeros;
}
