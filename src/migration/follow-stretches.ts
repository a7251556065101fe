// Follows a migration whose stretches are copied elsewhere, by the pods of a Job: divides the range once, and then sees from the marks in the
// destination how far the stretches have come. Reads no samples, and writes nothing.

import type { Clock } from '../telemetry/clock.ts';
import { type Connections, openConnections } from './connections.ts';
import type { MigrationContext } from './migration-context.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { remainingOf } from './plan/stretches.ts';
import { initialProgress, type MigrationResult, resultError } from './report/observer.ts';
import { findStretches, type FoundStretches } from './stretches/find-stretches.ts';
import { FollowedProgress } from './stretches/followed-progress.ts';

export interface FollowContext extends MigrationContext {
  /** Called once, with what is left to be copied, unless that is nothing. */
  readonly onDivided: (divided: Pick<FoundStretches, 'stretches' | 'frozenEndMs'>) => void;
  /** Aborted when nothing copies any more: a last look decides whether all is in the destination. */
  readonly conclude: AbortSignal;
}

const LOOK_EVERY_MS = 10_000;

/** Like `migrate`; never rejects. The result is Succeeded if everything is in the destination. It is not verified. */
export async function followStretches(plan: MigrationPlan, context: FollowContext): Promise<MigrationResult> {
  const { observer, stop, abort } = context;
  const ended = AbortSignal.any([stop, abort]);
  const work = plan.verification.mode === 'Full' ? 'CopyAndVerify' : 'Copy';
  let progress = initialProgress(plan.startMs, plan.endMs ?? plan.startMs, work);
  let connections: Connections | undefined;
  try {
    progress.waitingFor = 'progress mark';
    observer.progress(progress);
    connections = openConnections(plan, context, progress);
    const found = await findStretches(plan, { view: connections.view, clock: context.clock, signal: ended });
    const followed = new FollowedProgress(found, work);
    progress = followed.progress;
    report(found, followed, context);
    await new Following(plan, found, followed, { ...context, ended, view: connections.view }).untilConcluded();
    progress.phase = followed.isComplete ? 'Succeeded' : 'Interrupted';
    return { progress };
  } catch (caught) {
    if (ended.aborted) {
      progress.phase = 'Interrupted';
      return { progress };
    }
    progress.phase = 'Failed';
    return { progress, error: resultError(caught) };
  } finally {
    connections?.close();
    progress.waitingFor = '';
    observer.progress(progress);
    observer.event({ type: 'finished', phase: progress.phase });
  }
}

function report(found: FoundStretches, { progress }: FollowedProgress, context: FollowContext): void {
  const { observer, onDivided } = context;
  const { range, stretches, marks, lengthMs, finished } = found;
  observer.progress(progress);
  if (stretches.length === 0) {
    observer.event({ type: 'already-finished', throughMs: range.endMs - 1 });
    return;
  }
  observer.event({ type: 'started', ...range, memoryBytes: 0 });
  if (marks.length > 0) {
    const samplesBefore = marks.reduce((sum, { samples }) => sum + samples, 0);
    observer.event({ type: 'resumed', fromMs: progress.watermarkMs, samplesBefore });
  }
  const remaining = remainingOf(stretches);
  observer.event({ type: 'divided', stretches: stretches.length, finished, lengthMs, remaining });
  onDivided(found);
}

class Following {
  readonly #plan: MigrationPlan;
  readonly #followed: FollowedProgress;
  readonly #context: FollowContext & Pick<Connections, 'view'> & { readonly ended: AbortSignal };

  constructor(
    plan: MigrationPlan,
    { range }: FoundStretches,
    followed: FollowedProgress,
    context: FollowContext & Pick<Connections, 'view'> & { readonly ended: AbortSignal },
  ) {
    // Later looks are at the same range, even if nothing has marked where it ends.
    this.#plan = { ...plan, endMs: range.endMs };
    this.#followed = followed;
    this.#context = context;
  }

  /** Until the marks cover everything, or until nothing more is to be expected. @throws the reason of `ended` */
  async untilConcluded(): Promise<void> {
    const { clock, conclude, ended, view } = this.#context;
    const pausing = AbortSignal.any([conclude, ended]);
    while (!this.#followed.isComplete && !conclude.aborted) {
      await pause(clock, pausing);
      ended.throwIfAborted();
      if (conclude.aborted) break;
      const { startMs, endMs = startMs } = this.#plan;
      this.#look(await view.ledger(Math.max(endMs, clock.now() + 1), ended));
    }
    // The destination may have shown marks before the counts beside them, or may not show the last ones yet.
    const { marks } = await findStretches(this.#plan, { view, clock, signal: ended });
    this.#look(marks);
  }

  #look(marks: FoundStretches['marks']): void {
    const { observer } = this.#context;
    for (const { startMs, endMs } of this.#followed.look(marks)) {
      observer.event({ type: 'stretch-finished', startMs, endMs });
    }
    observer.progress(this.#followed.progress);
  }
}

async function pause(clock: Clock, until: AbortSignal): Promise<void> {
  await clock.sleep(LOOK_EVERY_MS, until).catch(() => undefined);
}
