// The engine: runs one compiled plan. Finds where to begin, lets the reader run ahead of the writer, and marks each window in the destination
// once all of it is acknowledged. It does not depend on Kubernetes, terminals or processes, and keeps no state outside a call.

import {
  BeganElsewhere,
  BeganInStretches,
  enterBeginning,
  firstWriteGate,
  isFinished,
  Preparation,
  reportBeginning,
} from './beginning.ts';
import { type Connections, openConnections } from './connections.ts';
import type { MigrationContext } from './migration-context.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { initialProgress, type MigrationProgress, type MigrationResult, resultError } from './report/observer.ts';
import { Pipeline } from './pipeline.ts';

/**
 * Runs to the end of the range, a stop, an abort or a failure. A run that `continues` is in no final phase after a stop. Rejects only with BeganInStretches: then nothing was written, and
 * `copyInStretches` has to run the plan.
 */
export async function migrate(plan: MigrationPlan, context: MigrationContext): Promise<MigrationResult> {
  const { observer, stop, abort } = context;
  const work = plan.verification.mode === 'Full' ? 'CopyAndVerify' : 'Copy';
  const progress = initialProgress(plan.startMs, plan.endMs ?? plan.startMs, work);
  const failed = new AbortController();
  const signal = AbortSignal.any([abort, failed.signal]);
  let connections: Connections | undefined;
  let isOver = true;
  const interrupted = () => {
    isOver = context.continues?.() !== true;
    if (isOver) progress.phase = 'Interrupted';
  };
  try {
    connections = openConnections(plan, context, progress);
    const copied = await run({ plan, context, connections, progress, signal, fail: (error) => failed.abort(error) });
    let completed = copied;
    if (copied && plan.verification.mode === 'Full') {
      // Its memory is needed for the comparison.
      connections.close();
      const { verifyCopy } = await import('./verify-copy.ts');
      completed = await verifyCopy({ plan, context, progress, signal, options: {} });
    }
    if (completed) progress.phase = 'Succeeded';
    else interrupted();
    return { progress };
  } catch (caught) {
    if (caught instanceof BeganInStretches) {
      isOver = false;
      throw caught;
    }
    if (abort.aborted || (stop.aborted && caught === stop.reason)) {
      interrupted();
      return { progress };
    }
    progress.phase = 'Failed';
    return { progress, error: resultError(failed.signal.aborted ? failed.signal.reason : caught) };
  } finally {
    // Otherwise a delivery that waits for its next attempt would outlive this call.
    failed.abort();
    connections?.close();
    progress.waitingFor = '';
    if (isOver) {
      observer.progress(progress);
      observer.event({ type: 'finished', phase: progress.phase });
    }
  }
}

interface Run {
  readonly plan: MigrationPlan;
  readonly context: MigrationContext;
  readonly connections: Connections;
  readonly progress: MigrationProgress;
  readonly signal: AbortSignal;
  readonly fail: (error: unknown) => void;
}

/** @returns whether everything up to the end is in the destination */
async function run({ plan, context, connections, progress, signal, fail }: Run): Promise<boolean> {
  const { clock, observer, stop, known } = context;
  const preparing = AbortSignal.any([signal, stop]);
  const preparation = new Preparation({ plan, connections, progress, observer, clock, known, signal: preparing });
  let beginning = await preparation.firstLook();
  for (;;) {
    enterBeginning(beginning, connections, progress);
    if (isFinished(beginning)) {
      observer.event({ type: 'already-finished', throughMs: beginning.endMs - 1 });
      return true;
    }
    progress.phase = 'Running';
    // Meanwhile the first window is read.
    preparation.settle();
    const beforeFirstWrite = firstWriteGate(preparation, beginning, (confirmed) => {
      // The beginning is the same, but the counts beside its mark may have become visible only now.
      enterBeginning(confirmed, connections, progress);
      reportBeginning(confirmed, plan, connections, observer);
    });
    const marksAreShown = known?.marksAreShown ?? false;
    const options = {
      ...{ plan, connections, observer, progress, clock, stop, signal, fail },
      ...{ beginning, marksAreShown, beforeFirstWrite },
    };
    try {
      await new Pipeline(options).run();
      const complete = progress.watermarkMs >= beginning.endMs;
      if (complete && plan.stretch === undefined) warnIfNothingFound(progress, beginning.mark !== undefined, observer);
      return complete;
    } catch (error) {
      if (!(error instanceof BeganElsewhere)) throw error;
      beginning = error.beginning;
    }
  }
}

/** @param resumed whether earlier runs may have found something */
export function warnIfNothingFound(
  { samplesRead }: Readonly<MigrationProgress>,
  resumed: boolean,
  observer: MigrationContext['observer'],
): void {
  if (samplesRead > 0 || resumed) return;
  const message =
    'the source returned no samples for the selectors in the whole range: check spec.selectors, the tenant, and whether the source still has data of that age';
  observer.event({ type: 'warning', code: 'nothing-found', message });
}
