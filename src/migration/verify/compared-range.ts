// What a verification compares, and what the copy has counted there: from the manifest and from the marks of the copy.

import type { MigrationPlan } from '../plan/migration-plan.ts';
import { FIRST_SHARD } from '../plan/stretches.ts';
import type { Mark } from '../progress/progress-mark.ts';
import { countsOfShards } from '../progress/shard-counts.ts';
import type { ReadableView } from '../progress/readable-view.ts';
import type { Counts } from '../report/counts.ts';
import { MigrationError } from '../report/migration-error.ts';

/** What the marks of a copy say about all of it. */
interface CopyMarks {
  /** At least one if anything was copied; too high if shards overlap. */
  readonly samples: number;
  /** Undefined if those of one of its shards are unknown, or if shards overlap. */
  readonly counts: Counts | undefined;
  /** The end at which a range with an open end was frozen. */
  readonly endMs: number | undefined;
}

export interface ComparedRange {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  /** All of a range that stays the same: a part of it, or an end that moves, has no place to resume. */
  readonly isFixed: boolean;
  /** Undefined: the destination has no marks of a copy. */
  readonly copy: CopyMarks | undefined;
}

type MarkView = Pick<ReadableView, 'latestMark' | 'ledger' | 'learnWhatItHides'>;

export interface PartOfRange {
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** @throws MigrationError `empty-range`; what the view throws */
export async function comparedRange(
  plan: MigrationPlan,
  view: MarkView,
  nowMs: number,
  part: PartOfRange,
  signal: AbortSignal,
): Promise<ComparedRange> {
  const latestMs = Math.max(plan.startMs, nowMs - plan.lagMs);
  const copy = await marksOfCopy(plan, view, plan.endMs ?? latestMs, signal);
  const endMs = plan.endMs ?? copy?.endMs ?? latestMs;
  const fromMs = Math.max(plan.startMs, part.fromMs ?? plan.startMs);
  const toMs = Math.min(endMs, part.toMs ?? endMs);
  const isFixed = (plan.endMs ?? copy?.endMs) !== undefined && fromMs === plan.startMs && toMs === endMs;
  if (fromMs < toMs) return { fromMs, toMs, isFixed, copy };
  throw new MigrationError('empty-range', `there is nothing to compare from ${text(fromMs)} to ${text(toMs)}`, {
    hint: 'choose a part of spec.timeRange with --from and --to, or correct spec.timeRange',
  });
}

/** Shows the view as well which labels the destination adds, and which ranges it hides. */
async function marksOfCopy(
  plan: MigrationPlan,
  view: MarkView,
  toMs: number,
  signal: AbortSignal,
): Promise<CopyMarks | undefined> {
  const latest = await view.latestMark(plan.startMs, toMs, signal);
  // Beyond the mark of the first shard there is no other.
  if (latest === undefined || latest.shard === FIRST_SHARD) return latest;
  await view.learnWhatItHides(plan.startMs, signal);
  return sumOf(await view.ledger(toMs, signal), plan);
}

function sumOf(marks: readonly Mark[], { startMs }: MigrationPlan): CopyMarks {
  const counts = countsOfShards(marks, { startMs });
  const ends = marks.flatMap(({ endMs }) => endMs ?? []);
  return {
    samples: marks.reduce((sum, mark) => sum + mark.samples, 0),
    counts: counts === 'unknown' ? undefined : counts,
    endMs: ends.length === 0 ? undefined : Math.max(...ends),
  };
}

function text(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
