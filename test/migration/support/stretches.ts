// Runs a plan in stretches, all in this thread.

import { startHere } from '../../../src/execute/start-here.ts';
import { copyInStretches } from '../../../src/migration/copy-in-stretches.ts';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import type { StretchesContext } from '../../../src/migration/stretches-context.ts';
import { FastClock } from './fake-clock.ts';
import { dayMs, epochMs, minuteMs, RecordingObserver, type Run, type RunOptions } from './plan.ts';

export type StretchesRunOptions = RunOptions & Pick<StretchesContext, 'onParallelismAvailable' | 'onRatesAvailable'>;

/** copyInStretches() with a fast clock a month after the data and everything recorded. */
export async function runInStretches(plan: MigrationPlan, options: Partial<StretchesRunOptions> = {}): Promise<Run> {
  const { clock = new FastClock({ nowMs: epochMs + 30 * dayMs }), observer = new RecordingObserver() } = options;
  const context = {
    clock,
    random: () => 0.5,
    stop: options.stop ?? new AbortController().signal,
    abort: options.abort ?? new AbortController().signal,
    observer,
    startupDeadlineMs: options.startupDeadlineMs ?? 10 * minuteMs,
    onBufferGivenBack: (memory: Uint8Array) => memory.fill(0xdd),
    ...(options.onParallelismAvailable && { onParallelismAvailable: options.onParallelismAvailable }),
    ...(options.onRatesAvailable && { onRatesAvailable: options.onRatesAvailable }),
  };
  const result = await copyInStretches(plan, { ...context, start: (job, of) => startHere(job, of, context) });
  return { ...result, observer, clock };
}
