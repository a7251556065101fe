// A verification has marks of its own for each time it is made: its run. All starts of one run resume each other, divided or not. A later
// verification has the next number.

import type { MigrationPlan } from '../plan/migration-plan.ts';
import { divide, FIRST_SHARD, type ShardReach, startOfShard, type TimeRange } from '../plan/stretches.ts';
import type { Mark } from '../progress/progress-mark.ts';
import type { ResumedVerification, VerificationCounts } from '../report/verification.ts';
import type { MarkAccess } from './sides.ts';
import { verificationCountsOf } from './verification-counts.ts';

/** Reads and writes marks that belong to a plan with this id. */
export type OpenMarks = (plan: MigrationPlan) => MarkAccess;

export function planOfRun(plan: MigrationPlan, run: number): MigrationPlan {
  return { ...plan, id: `${plan.id}-verification-${plan.verification.onExtra}-${run}` };
}

/** The first run that has not compared all of the range, with the furthest mark of each of its shards. */
export async function findRun(
  plan: MigrationPlan,
  open: OpenMarks,
  range: TimeRange,
  signal: AbortSignal,
): Promise<{ readonly run: number; readonly marks: readonly Mark[] }> {
  for (let run = 1; ; run++) {
    const access = open(planOfRun(plan, run));
    try {
      const marks = await access.ledger(range.endMs, signal);
      if (!covers(marks, range)) return { run, marks };
    } finally {
      access.close();
    }
  }
}

/** Whether the shards leave nothing of the range out. */
export function covers(marks: readonly ShardReach[], range: TimeRange): boolean {
  const lengthMs = range.endMs - range.startMs;
  return divide({ range, lengthMs, marks, uncertainMs: 0, startMayHoldSamples: false }).stretches.length === 0;
}

/** A part of the range that was compared, and has no other difference than its counts say. */
export interface ComparedShard extends ShardReach {
  readonly startMs: number;
  readonly counts: Readonly<VerificationCounts>;
}

/**
 * What a run may leave out: of parts that overlap the first one, so that nothing counts twice. A mark without counts was written at the end of a
 * verification that had found differences, and shows nothing.
 * @param resumed where a start without marks has got to
 */
export function comparedShards(
  marks: readonly Mark[],
  resumed: ResumedVerification | undefined,
  range: TimeRange,
): ComparedShard[] {
  const shards = marks.flatMap(({ shard, throughMs, counts }): ComparedShard[] => {
    const startMs = startOfShard(shard, range);
    if (startMs === undefined || counts === undefined) return [];
    return [{ shard, startMs, throughMs, counts: verificationCountsOf(counts) }];
  });
  if (resumed !== undefined) {
    const { throughMs, counts } = resumed;
    shards.push({ shard: FIRST_SHARD, startMs: range.startMs, throughMs: throughMs - 1, counts });
  }
  const kept: ComparedShard[] = [];
  let atMs = range.startMs;
  for (const one of shards.sort((a, b) => a.startMs - b.startMs || b.throughMs - a.throughMs)) {
    if (one.startMs < atMs || one.throughMs < one.startMs || one.throughMs >= range.endMs) continue;
    kept.push(one);
    atMs = one.throughMs + 1;
  }
  return kept;
}
