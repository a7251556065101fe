// The shape of a bench's results, as in the JSON, and calculations on them.

import type { Scenario } from './cases.ts';
import type { FloorFigures, SnappySizes } from './floor.ts';
import type { RunFigures } from './measurement.ts';

/** Our `run` has the name of the project. */
export type ToolName = 'prom-migrator' | 'vmctl' | 'verify' | 'run with Full';

export interface ScenarioResult {
  readonly scenario: Scenario;
  /** The number of samples that have to arrive. */
  readonly samples: number;
  readonly series: number;
  readonly runs: Record<ToolName, RunFigures[]>;
  readonly floors: FloorFigures[];
  snappy?: SnappySizes;
  manifest?: unknown;
}

export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** The median is the mean of the middle two for an even number of values. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

export type Figure = Exclude<keyof RunFigures, 'stdout'>;

/** The median of one figure over the rounds of a tool; NaN when it did not run. */
export function median(result: ScenarioResult | undefined, tool: ToolName, figure: Figure): number {
  return spread((result?.runs[tool] ?? []).map((run) => run[figure])).median;
}

export function floorMedian(result: ScenarioResult | undefined, figure: keyof FloorFigures): number {
  const values = (result?.floors ?? []).map((floor) => floor[figure]).filter((value) => value !== undefined);
  return spread(values).median;
}

/**
 * The runs that lost samples: they are not valid results. vmctl always omits all stale markers: this is a property of vmctl that the table
 * shows, and its times are still compared.
 */
export function failures(results: readonly ScenarioResult[]): string[] {
  return results.flatMap(({ scenario, runs }) =>
    Object.entries(runs).flatMap(([tool, figures]) =>
      figures.flatMap(({ lost, staleLost, seriesLacking }, round) => {
        // A query shows no stale markers.
        const isWithoutStale = tool === 'vmctl' || scenario.protocol === 'PromQL';
        const samples = isWithoutStale ? lost : lost + staleLost;
        const where = `${scenario.name}, round ${round + 1}`;
        return samples === 0 ? [] : [`${where}: ${tool} LOST ${samples} samples, of ${seriesLacking} series`];
      }),
    ),
  );
}
