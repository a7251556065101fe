// The progress series in the destination: its name, its labels, and the meaning of a mark. Pure.

import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import type { Counts } from '../report/counts.ts';
import { COUNT_LABEL, countsBesideMark } from './mark-counts.ts';

/** Never read from a source: a source that was once a destination must not pass on the marks of the migration that filled it. */
export const PROGRESS_METRIC = 'prom_migrator_progress';

/** One sample of the progress series: everything up to and including `throughMs` is in the destination. */
export interface Mark {
  readonly throughMs: number;
  /** Samples in the destination so far, over all runs. */
  readonly samples: number;
  /** The counts of all runs up to this mark; undefined if unknown, as with the marks of an older version. */
  readonly counts: Counts | undefined;
  /** The frozen end (exclusive) of a migration whose manifest leaves the end open; stored as the series' label `end`. */
  readonly endMs: number | undefined;
}

type MarkIdentity = Pick<MigrationPlan, 'migration' | 'id' | 'progressLabels'>;

export function markLabels(plan: MarkIdentity, frozenEndMs: number | undefined): Record<string, string> {
  return {
    ...plan.progressLabels,
    __name__: PROGRESS_METRIC,
    migration: plan.migration,
    id: plan.id,
    shard: '0',
    ...(frozenEndMs !== undefined && { end: new Date(frozenEndMs).toISOString() }),
  };
}

/** Matches every mark of exactly this copy, whatever `end` it was frozen at. */
export function markMatchers(plan: MarkIdentity): Matcher[] {
  return [...identityMatchers(plan), { kind: '!=', name: 'probe', value: '1' }];
}

/** Matches the probes: samples beside the marks that a run of this copy wrote to see how the destination accepts or shows them. */
export function probeMatchers(plan: MarkIdentity): Matcher[] {
  return [...identityMatchers(plan), { kind: '=', name: 'probe', value: '1' }];
}

function identityMatchers(plan: MarkIdentity): Matcher[] {
  return [
    { kind: '=', name: '__name__', value: PROGRESS_METRIC },
    { kind: '=', name: 'migration', value: plan.migration },
    { kind: '=', name: 'id', value: plan.id },
    { kind: '=', name: 'shard', value: '0' },
    ...Object.entries(plan.progressLabels).map(([name, value]) => ({ kind: '=', name, value }) as const),
  ];
}

/**
 * A matcher that every series passes and that no two queries share. VictoriaMetrics caches for up to ten seconds which series a filter selects:
 * without it, a run that begins soon after another was killed would find no mark, and copy existing data again. For PromQL only: InfluxDB
 * fails at a label that it has never seen if the query selects several metrics.
 */
export function freshMatcher(random: () => number): Matcher {
  return { kind: '!=', name: 'fresh', value: random().toString(36).slice(2) };
}

export function frozenEndOf(labels: Readonly<Record<string, string>>): number | undefined {
  const text = labels['end'];
  if (text === undefined) return undefined;
  const endMs = Date.parse(text);
  return Number.isNaN(endMs) ? undefined : endMs;
}

/** Finds the latest mark, with its counts, among the samples of the progress series, in any order. */
export class LatestMark {
  #mark: Omit<Mark, 'counts'> | undefined;
  /** By time, of the series with the label `count`. Those of earlier marks are dropped. */
  readonly #counts = new Map<number, Map<string, number>>();

  /** One sample of a series that `markMatchers` selects. Of two marks at one time the first counts. */
  add(labels: Readonly<Record<string, string>>, timeMs: number, value: number): void {
    const count = labels[COUNT_LABEL];
    if (this.#mark !== undefined && timeMs < this.#mark.throughMs) return;
    if (count !== undefined && count !== '') {
      const counts = this.#counts.get(timeMs);
      if (counts === undefined) this.#counts.set(timeMs, new Map([[count, value]]));
      else counts.set(count, value);
      return;
    }
    if (this.#mark?.throughMs === timeMs) return;
    this.#mark = { throughMs: timeMs, samples: value, endMs: frozenEndOf(labels) };
  }

  /** A count with another time than the mark was written with another mark. */
  get mark(): Mark | undefined {
    if (this.#mark === undefined) return undefined;
    const { throughMs, samples } = this.#mark;
    return { ...this.#mark, counts: countsBesideMark(this.#counts.get(throughMs) ?? new Map(), samples) };
  }
}
