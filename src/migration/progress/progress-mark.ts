// The progress series in the destination: its name, its labels, and the meaning of a mark. Pure.

import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import { FIRST_SHARD } from '../plan/stretches.ts';
import type { Counts } from '../report/counts.ts';
import { COUNT_LABEL, countsBesideMark } from './mark-counts.ts';

/** Never read from a source: a source that was once a destination must not pass on the marks of the migration that filled it. */
export const PROGRESS_METRIC = 'prom_migrator_progress';

/** One sample of a progress series: everything from the start of its shard up to and including `throughMs` is in the destination. */
export interface Mark {
  /** The part of the range that the series belongs to: see plan/stretches.ts. */
  readonly shard: string;
  readonly throughMs: number;
  /** Samples of the shard in the destination so far, over all runs. */
  readonly samples: number;
  /** The counts of all runs up to this mark, of this shard; undefined if unknown, as with the marks of an older version. */
  readonly counts: Counts | undefined;
  /** The frozen end (exclusive) of a migration whose manifest leaves the end open; stored as the series' label `end`. */
  readonly endMs: number | undefined;
}

/** What a run writes in a mark. */
export type MarkValues = Pick<Mark, 'throughMs' | 'samples' | 'counts'>;

type MarkIdentity = Pick<MigrationPlan, 'migration' | 'id' | 'progressLabels'> &
  Partial<Pick<MigrationPlan, 'stretch'>>;

export function markLabels(plan: MarkIdentity, frozenEndMs: number | undefined): Record<string, string> {
  return {
    ...plan.progressLabels,
    __name__: PROGRESS_METRIC,
    migration: plan.migration,
    id: plan.id,
    shard: plan.stretch?.shard ?? FIRST_SHARD,
    ...(frozenEndMs !== undefined && { end: new Date(frozenEndMs).toISOString() }),
  };
}

/** Matches every mark of exactly this copy, whatever `end` it was frozen at: those of one shard if the plan is that of a stretch. */
export function markMatchers(plan: MarkIdentity): Matcher[] {
  const { stretch } = plan;
  return [
    ...identityMatchers(plan),
    ...(stretch === undefined ? [] : [{ kind: '=', name: 'shard', value: stretch.shard } as const]),
    { kind: '!=', name: 'probe', value: '1' },
  ];
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

/** Finds the latest mark of each shard, with its counts, among the samples of the progress series, in any order. */
export class LatestMarks {
  readonly #shards = new Map<string, LatestMark>();

  /** One sample of a series that `markMatchers` selects. Of two marks of a shard at one time the first counts. */
  add(labels: Readonly<Record<string, string>>, timeMs: number, value: number): void {
    const shard = labels['shard'] ?? FIRST_SHARD;
    let latest = this.#shards.get(shard);
    if (latest === undefined) {
      latest = new LatestMark(shard);
      this.#shards.set(shard, latest);
    }
    latest.add(labels, timeMs, value);
  }

  get marks(): Mark[] {
    return [...this.#shards.values()].flatMap(({ mark }) => mark ?? []);
  }

  /** The latest of all. Of two with the same time, the one of a shard that begins there. */
  get latest(): Mark | undefined {
    return this.marks.reduce<Mark | undefined>((latest, mark) => {
      if (latest === undefined || mark.throughMs > latest.throughMs) return mark;
      return mark.throughMs === latest.throughMs && latest.shard === FIRST_SHARD ? mark : latest;
    }, undefined);
  }
}

class LatestMark {
  readonly #shard: string;
  #mark: Omit<Mark, 'counts'> | undefined;
  /** By time, of the series with the label `count`. */
  readonly #counts = new Map<number, Map<string, number>>();

  constructor(shard: string) {
    this.#shard = shard;
  }

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
    this.#mark = { shard: this.#shard, throughMs: timeMs, samples: value, endMs: frozenEndOf(labels) };
    // Counts with another time were written with another mark.
    for (const earlierMs of this.#counts.keys()) if (earlierMs < timeMs) this.#counts.delete(earlierMs);
  }

  get mark(): Mark | undefined {
    if (this.#mark === undefined) return undefined;
    const { throughMs, samples } = this.#mark;
    return { ...this.#mark, counts: countsBesideMark(this.#counts.get(throughMs) ?? new Map(), samples) };
  }
}
