// Verifications between fake stores.

import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import type { MigrationResult } from '../../../src/migration/report/observer.ts';
import type {
  Difference,
  DifferenceReceiver,
  VerificationProgress,
} from '../../../src/migration/report/verification.ts';
import { startHere } from '../../../src/execute/start-here.ts';
import { BeganInStretches } from '../../../src/migration/beginning.ts';
import { verify, type VerifyOptions } from '../../../src/migration/verify-copy.ts';
import { verifyDivided } from '../../../src/migration/verify-in-stretches.ts';
import { FastClock } from './fake-clock.ts';
import { dayMs, epochMs, minuteMs, RecordingObserver, type RunOptions } from './plan.ts';

export type VerifyRun = MigrationResult & {
  readonly observer: RecordingObserver;
  readonly verification: VerificationProgress;
  /** As they were reported, in that order. */
  readonly differences: readonly Difference[];
};

/** A verification, all in this thread, with a fast clock a month after the data and everything recorded. */
export async function verifyRun(
  plan: MigrationPlan,
  options: RunOptions & Omit<VerifyOptions, 'differences'> & { readonly onKeep?: () => Promise<void> } = {},
): Promise<VerifyRun> {
  const { clock = new FastClock({ nowMs: epochMs + 30 * dayMs }), observer = new RecordingObserver() } = options;
  const differences: Difference[] = [];
  let kept = 0;
  const context = {
    clock,
    random: () => 0.5,
    stop: options.stop ?? new AbortController().signal,
    abort: options.abort ?? new AbortController().signal,
    observer,
    startupDeadlineMs: options.startupDeadlineMs ?? 10 * minuteMs,
    // Overwritten, so that a use after return is detected.
    onBufferGivenBack: (memory: Uint8Array) => memory.fill(0xdd),
  };
  const receiver: DifferenceReceiver = {
    add: (difference) => differences.push(difference),
    keep: () => {
      kept = differences.length;
      return options.onKeep?.();
    },
    discard: () => {
      differences.length = kept;
    },
    expectMissing: (expected) => {
      for (const [i, one] of differences.entries()) if (one.kind === 'missing') differences[i] = { ...one, expected };
    },
  };
  const own = { ...options, differences: receiver };
  const inStretches = () =>
    verifyDivided(plan, { ...context, start: (job, listener) => startHere(job, listener, context) }, own);
  const undivided = () =>
    verify(plan, context, own).catch((error: unknown) => {
      if (error instanceof BeganInStretches) return inStretches();
      throw error;
    });
  const result = await (plan.execution.parallelism > 1 ? inStretches() : undivided());
  const { verification } = result.progress;
  if (verification === undefined) throw new Error(`it ended before it began: ${result.error?.message}`);
  return { ...result, observer, verification, differences };
}
