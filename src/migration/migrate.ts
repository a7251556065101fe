// The engine: carries out one compiled plan. Finds where to begin, lets the reader run ahead of the writer, and marks each window in the
// destination once all of it is acknowledged. Knows nothing of Kubernetes, terminals or processes; holds no state outside a call.

import { type Connections, openConnections } from './connections.ts';
import type { MigrationContext } from './migration-context.ts';
import { MigrationError, toMigrationError } from './migration-error.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { initialProgress, type MigrationProgress, type MigrationResult } from './observer.ts';
import { Pipeline } from './pipeline.ts';
import { noCounts } from './progress/counts.ts';
import { type Mark, uncertainMs } from './progress/progress-mark.ts';

/** Runs to the end of the range, a stop, an abort or a failure; never rejects. */
export async function migrate(plan: MigrationPlan, context: MigrationContext): Promise<MigrationResult> {
  const { observer, stop, abort } = context;
  const progress = initialProgress(plan.startMs, plan.endMs ?? plan.startMs);
  const failed = new AbortController();
  const signal = AbortSignal.any([abort, failed.signal]);
  let connections: Connections | undefined;
  try {
    connections = openConnections(plan, context, progress);
    const completed = await run(plan, context, connections, progress, signal, (error) => failed.abort(error));
    progress.phase = completed ? 'Succeeded' : 'Interrupted';
    return { progress };
  } catch (caught) {
    if (abort.aborted || (stop.aborted && caught === stop.reason)) {
      progress.phase = 'Interrupted';
      return { progress };
    }
    progress.phase = 'Failed';
    const error = toMigrationError(failed.signal.aborted ? failed.signal.reason : caught);
    return {
      progress,
      error: {
        code: error.code,
        message: error.message,
        ...(error.hint !== undefined && { hint: error.hint }),
        ...(error.side !== undefined && { side: error.side }),
      },
    };
  } finally {
    // A delivery that waits for its next attempt would outlive this call.
    failed.abort();
    connections?.close();
    progress.waitingFor = '';
    observer.progress(progress);
    observer.event({ type: 'finished', phase: progress.phase });
  }
}

/** Where a run begins, by what the destination shows. */
interface Beginning {
  readonly mark: Mark | undefined;
  readonly fromMs: number;
  readonly endMs: number;
  /** What lies before it is compared with the destination. */
  readonly uncertainUntilMs: number;
}

/** @returns whether everything up to the end is in the destination */
async function run(
  plan: MigrationPlan,
  context: MigrationContext,
  connections: Connections,
  progress: MigrationProgress,
  signal: AbortSignal,
  fail: (error: unknown) => void,
): Promise<boolean> {
  const { clock, observer, stop } = context;
  // Before the first window there is nothing to finish: a stop ends the preparations at once.
  const preparing = AbortSignal.any([signal, stop]);
  const openEndMs = clock.now() - plan.lagMs;
  const look = () => findBeginning(plan, connections, { openEndMs, nowMs: clock.now(), signal: preparing });
  progress.waitingFor = 'progress mark';
  observer.progress(progress);
  let beginning = await look();
  if (isFinished(beginning) && beginning.mark?.counts === undefined) {
    // The mark is enough to know that nothing is left to do, but the counts beside it may become visible later.
    await settle(connections, progress, observer, preparing);
    beginning = await look();
  }
  show(plan, beginning, progress);
  if (isFinished(beginning)) {
    observer.event({ type: 'already-finished', throughMs: beginning.endMs - 1 });
    return true;
  }
  const copy = async (confirmed: Promise<boolean>): Promise<boolean> => {
    const { mark, fromMs, endMs, uncertainUntilMs } = beginning;
    const samplesBefore = mark?.samples ?? 0;
    const frozenEndMs = plan.endMs === undefined ? endMs : undefined;
    const options = { plan, connections, observer, progress, clock, stop, signal, fail, samplesBefore, frozenEndMs };
    return new Pipeline(options).run(fromMs, endMs, uncertainUntilMs, confirmed);
  };
  // The first windows are read while the destination settles; nothing is written before it has, and shows the same still.
  const settled = settle(connections, progress, observer, preparing).then(look);
  const confirmed = settled.then((later) => {
    const same =
      later.fromMs === beginning.fromMs &&
      later.endMs === beginning.endMs &&
      later.uncertainUntilMs === beginning.uncertainUntilMs;
    if (!same) return false;
    // The counts beside the mark may have become visible only now.
    show(plan, later, progress);
    tellBeginning(plan, connections, later, observer);
    return true;
  });
  confirmed.catch(() => undefined);
  progress.phase = 'Running';
  if (!(await copy(confirmed))) {
    beginning = await settled;
    show(plan, beginning, progress);
    if (isFinished(beginning)) {
      observer.event({ type: 'already-finished', throughMs: beginning.endMs - 1 });
      return true;
    }
    tellBeginning(plan, connections, beginning, observer);
    await copy(Promise.resolve(true));
  }
  const complete = progress.watermarkMs >= beginning.endMs;
  if (complete && progress.samplesRead === 0 && beginning.mark === undefined) {
    const message =
      'the source gave no sample for the selectors in the whole range: check spec.selectors, the tenant, and whether the source still keeps data of that age';
    observer.event({ type: 'warning', code: 'nothing-found', message });
  }
  return complete;
}

async function findBeginning(
  plan: MigrationPlan,
  connections: Connections,
  { openEndMs, nowMs, signal }: { openEndMs: number; nowMs: number; signal: AbortSignal },
): Promise<Beginning> {
  const searchEndMs = Math.max(plan.endMs ?? 0, nowMs + 1);
  const mark = await connections.view.latestMark(plan.startMs, searchEndMs, signal);
  const endMs = plan.endMs ?? mark?.endMs ?? openEndMs;
  if (endMs <= plan.startMs) {
    throw new MigrationError('empty-range', `the range ends at ${new Date(endMs).toISOString()}, before it starts`, {
      hint: 'set spec.timeRange.start to an earlier time, or spec.timeRange.end and spec.timeRange.lag to what you mean',
    });
  }
  const fromMs = mark === undefined ? plan.startMs : mark.throughMs + 1;
  const uncertainUntilMs = fromMs < endMs ? await uncertainUntil(plan, connections, fromMs, endMs, signal) : fromMs;
  return { mark, fromMs, endMs, uncertainUntilMs };
}

function isFinished({ fromMs, endMs }: Beginning): boolean {
  return fromMs >= endMs;
}

function show(plan: MigrationPlan, { mark, fromMs, endMs }: Beginning, progress: MigrationProgress): void {
  progress.endMs = endMs;
  progress.watermarkMs = Math.min(fromMs, endMs);
  if (mark !== undefined) progress.resumedFromMs = fromMs;
  if (mark !== undefined) progress.earlier = mark.counts ?? 'unknown';
  else progress.earlier = plan.progress.protocol === 'None' ? 'unknown' : noCounts;
}

async function settle(
  { view }: Connections,
  progress: MigrationProgress,
  observer: MigrationContext['observer'],
  signal: AbortSignal,
): Promise<void> {
  progress.waitingFor = 'destination to settle';
  observer.progress(progress);
  await view.settle(signal);
}

function tellBeginning(
  plan: MigrationPlan,
  { view }: Connections,
  { mark, fromMs, endMs }: Beginning,
  observer: MigrationContext['observer'],
): void {
  observer.event({ type: 'started', startMs: plan.startMs, endMs, memoryBytes: plan.limits.memoryBytes });
  if (mark !== undefined) observer.event({ type: 'resumed', fromMs, samplesBefore: mark.samples });
  if (view.readable) return;
  const message =
    'destination.progress.protocol is None: no resume point is kept, so another run starts from the beginning and may write samples twice';
  observer.event({ type: 'warning', code: 'at-least-once', message });
}

/** Until when an earlier run may have written something that no mark tells of. */
async function uncertainUntil(
  plan: MigrationPlan,
  { view }: Connections,
  fromMs: number,
  endMs: number,
  signal: AbortSignal,
): Promise<number> {
  if (!view.readable) return fromMs;
  const untilMs = fromMs + uncertainMs(plan.destination.ordering);
  // A destination without anything there is by far the most frequent one, and to compare every series with nothing takes time and memory.
  return (await view.isEmpty(fromMs, Math.min(untilMs, endMs), signal)) ? fromMs : untilMs;
}
