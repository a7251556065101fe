// Runs one compiled plan in stretches: finds those that remain, keeps as many of them running as spec.execution.parallelism says, and shows
// them as one migration. Each stretch is an ordinary run of the engine (migrate.ts); where it runs is decided by the caller.

import { warnIfNothingFound } from './migrate.ts';
import { openConnections } from './connections.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { remainingOf } from './plan/stretches.ts';
import { initialProgress, type MigrationProgress, type MigrationResult, resultError } from './report/observer.ts';
import { findStretches, type FoundStretches } from './stretches/find-stretches.ts';
import { MergedProgress } from './stretches/merged-progress.ts';
import { RunningStretches } from './stretches/running-stretches.ts';
import { stretchPlan, withPartOfLimits } from './stretches/stretch-plan.ts';
import { stretchesAtOnce } from './stretches/stretches-at-once.ts';
import type { StretchesContext } from './stretches-context.ts';

/** Like `migrate`; never rejects. */
export async function copyInStretches(plan: MigrationPlan, context: StretchesContext): Promise<MigrationResult> {
  const { observer, stop, abort } = context;
  const work = plan.verification.mode === 'Full' ? 'CopyAndVerify' : 'Copy';
  let progress = initialProgress(plan.startMs, plan.endMs ?? plan.startMs, work);
  try {
    const found = await find(plan, context, progress);
    const merged = new MergedProgress(found.range, found, found.marks, work);
    progress = merged.progress;
    let completed = await copy(plan, context, found, merged);
    if (completed && plan.verification.mode === 'Full') {
      const { verifyInStretches } = await import('./verify-in-stretches.ts');
      completed = await verifyInStretches({ plan, context, progress, signal: abort, options: {} });
    }
    progress.phase = completed ? 'Succeeded' : 'Interrupted';
    return { progress };
  } catch (caught) {
    if (abort.aborted || (stop.aborted && caught === stop.reason)) {
      progress.phase = 'Interrupted';
      return { progress };
    }
    progress.phase = 'Failed';
    return { progress, error: resultError(caught) };
  } finally {
    progress.waitingFor = '';
    observer.progress(progress);
    observer.event({ type: 'finished', phase: progress.phase });
  }
}

async function find(
  plan: MigrationPlan,
  context: StretchesContext,
  progress: MigrationProgress,
): Promise<FoundStretches> {
  const { clock, observer, stop, abort } = context;
  progress.waitingFor = 'progress mark';
  observer.progress(progress);
  // The rates are those of the stretches.
  const { onRatesAvailable: _, ...others } = context;
  const connections = openConnections(plan, others, progress);
  try {
    const finding = { view: connections.view, clock, signal: AbortSignal.any([stop, abort]) };
    return await findStretches(plan, finding, ({ stretches }) => prepare(plan, context, stretches.length));
  } finally {
    connections.close();
  }
}

/** The threads start while the destination settles. */
function prepare(plan: MigrationPlan, context: StretchesContext, stretches: number): void {
  const { parallelism } = plan.execution;
  const { count } = stretchesAtOnce(plan, { parallelism, stretches, write: true });
  context.prepare?.(withPartOfLimits(plan, Math.max(1, count)), count);
}

/** @returns whether everything up to the end is in the destination. @throws MigrationError why a stretch has failed */
async function copy(
  plan: MigrationPlan,
  context: StretchesContext,
  found: FoundStretches,
  merged: MergedProgress,
): Promise<boolean> {
  const { clock, observer } = context;
  const { range, stretches, marks, lengthMs, finished } = found;
  const resumed = marks.length > 0;
  const { watermarkMs } = merged.progress;
  observer.progress(merged.progress);
  if (stretches.length === 0) {
    observer.event({ type: 'already-finished', throughMs: range.endMs - 1 });
    return true;
  }
  observer.event({ type: 'started', ...range, memoryBytes: plan.limits.memoryBytes });
  if (resumed) {
    const samplesBefore = marks.reduce((sum, { samples }) => sum + samples, 0);
    observer.event({ type: 'resumed', fromMs: watermarkMs, samplesBefore });
  }
  observer.event({
    type: 'divided',
    stretches: stretches.length,
    finished,
    lengthMs,
    remaining: remainingOf(stretches),
  });
  let marksAreShown = false;
  const running = new RunningStretches({
    ...{ plan, stretches, merged, observer, clock, mayYield: true, write: true },
    start: ({ stretch, began, sharing }, listener) => {
      const mark = marks.find(({ shard }) => shard === stretch.shard);
      const known = began ? undefined : { mark, mayHoldSamples: stretch.mayHoldSamples, marksAreShown };
      return context.start({ plan: stretchPlan(plan, stretch, sharing, found.frozenEndMs), known }, listener);
    },
    finished: ({ startMs, endMs }) => {
      marksAreShown = true;
      observer.event({ type: 'stretch-finished', startMs, endMs });
    },
  });
  const copied = await running.runAll(context);
  if (copied) warnIfNothingFound(merged.progress, resumed, observer);
  return copied;
}
