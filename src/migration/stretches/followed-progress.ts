// The progress of a migration whose stretches are copied elsewhere, as their marks in the destination show it.

import { divide, type Stretch } from '../plan/stretches.ts';
import type { Mark } from '../progress/progress-mark.ts';
import { countsOfShards } from '../progress/shard-counts.ts';
import { type Counts, NO_COUNTS, subtractCounts } from '../report/counts.ts';
import { initialProgress, type MigrationProgress } from '../report/observer.ts';
import type { FoundStretches } from './find-stretches.ts';

export class FollowedProgress {
  /** The same object at all times. */
  readonly progress: MigrationProgress;
  readonly #found: FoundStretches;
  readonly #finished = new Set<Stretch>();
  /** Before the range was divided. */
  readonly #earlier: Counts | 'unknown';
  /** The latest counts that each shard has shown. */
  readonly #shown = new Map<string, Counts>();
  /** The shards whose first mark was seen without counts. */
  readonly #begun = new Set<string>();

  constructor(found: FoundStretches, work: MigrationProgress['work']) {
    this.#found = found;
    this.progress = initialProgress(found.range.startMs, found.range.endMs, work);
    this.progress.phase = 'Running';
    this.#earlier = countsOfShards(found.marks, found.range);
    this.look(found.marks);
    if (found.marks.length > 0) this.progress.resumedFromMs = this.progress.watermarkMs;
  }

  get isComplete(): boolean {
    return this.#finished.size === this.#found.stretches.length;
  }

  /** @returns the stretches that are finished since the last look */
  look(marks: readonly Mark[]): Stretch[] {
    const { range, lengthMs, stretches, finished } = this.#found;
    const left = divide({ range, lengthMs, marks, uncertainMs: 0, startMayHoldSamples: false }).stretches;
    const leftOf = (stretch: Stretch) =>
      left.reduce((sum, { fromMs, endMs }) => {
        const overlapMs = Math.min(endMs, stretch.endMs) - Math.max(fromMs, stretch.fromMs);
        return sum + Math.max(0, overlapMs);
      }, 0);
    const open = stretches.filter((stretch) => !this.#finished.has(stretch));
    const done = open.filter((stretch) => leftOf(stretch) === 0);
    for (const stretch of done) this.#finished.add(stretch);
    const running = open.filter((stretch) => !this.#finished.has(stretch) && this.#isUnderWay(stretch, marks));
    const since = this.#countsOf(marks, left.length === 0);
    this.progress.earlier = since === 'unknown' ? since : this.#earlier;
    Object.assign(this.progress, since === 'unknown' ? NO_COUNTS : since, {
      watermarkMs: Math.max(this.progress.watermarkMs, Math.min(range.endMs, ...left.map(({ fromMs }) => fromMs))),
      reachedMs: Math.max(this.progress.reachedMs, range.endMs - left.reduce((sum, one) => sum + lengthOf(one), 0)),
    });
    this.progress.stretches = {
      total: finished + stretches.length,
      finished: finished + this.#finished.size,
      failed: [],
      running: running.map((stretch) => ({
        startMs: stretch.startMs,
        endMs: stretch.endMs,
        completedRatio: 1 - leftOf(stretch) / (stretch.endMs - stretch.startMs),
      })),
    };
    return done;
  }

  /** Its mark has been written since the range was divided. */
  #isUnderWay({ shard }: Stretch, marks: readonly Mark[]): boolean {
    const reachOf = (all: readonly Mark[]) => all.find((mark) => mark.shard === shard)?.throughMs;
    return reachOf(marks) !== reachOf(this.#found.marks);
  }

  /**
   * Since the range was divided. Counts may become visible later than the mark beside them: until then those of the mark before are shown,
   * except at the end.
   */
  #countsOf(marks: readonly Mark[], isEnd: boolean): Counts | 'unknown' {
    const latest = marks.map((mark) => {
      if (mark.counts !== undefined) this.#shown.set(mark.shard, mark.counts);
      return isEnd ? mark : { ...mark, counts: this.#shown.get(mark.shard) ?? this.#firstCounts(mark) };
    });
    const all = countsOfShards(latest, this.#found.range);
    return all === 'unknown' || this.#earlier === 'unknown' ? 'unknown' : subtractCounts(all, this.#earlier);
  }

  /** A stretch that has just begun has copied nothing, as far as is shown. The marks of an older version never have counts. */
  #firstCounts({ shard }: Mark): Counts | undefined {
    const isFirst = !this.#begun.has(shard);
    this.#begun.add(shard);
    return isFirst ? NO_COUNTS : undefined;
  }
}

function lengthOf({ fromMs, endMs }: Stretch): number {
  return endMs - fromMs;
}
