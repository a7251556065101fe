// A verification from its beginning to its result: opens both sides, finds out what to compare, compares it.

import type { MigrationContext } from './migration-context.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import {
  initialProgress,
  type MigrationEvent,
  type MigrationProgress,
  type MigrationResult,
  resultError,
} from './report/observer.ts';
import type { DifferenceReceiver, ResumedVerification, VerificationProgress } from './report/verification.ts';
import { openSides } from './open-sides.ts';
import { comparedRange } from './verify/compared-range.ts';
import { Findings } from './verify/findings.ts';
import { addCounts, initialVerification, noCounts } from './verify/verification-counts.ts';
import { VerificationMarks } from './verify/verification-marks.ts';
import { Repair } from './verify/repair.ts';
import { judgeWhole } from './verify/verification-result.ts';
import { Verifier } from './verify/verifier.ts';

export interface VerifyOptions {
  /** Compare only a part of the migration's range. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Write what is missing, whatever `spec.verification.onDifference` says. */
  readonly repair?: boolean;
  /** Gets every difference that counts. */
  readonly differences?: DifferenceReceiver;
}

/** Verifies the copy that the plan describes, whoever made it; never rejects. */
export async function verify(
  plan: MigrationPlan,
  context: MigrationContext,
  options: VerifyOptions = {},
): Promise<MigrationResult> {
  const { observer, stop, abort } = context;
  const progress = initialProgress(plan.startMs, plan.endMs ?? plan.startMs, 'Verify');
  try {
    const finished = await verifyCopy({ plan, context, progress, signal: abort, options });
    progress.phase = finished ? 'Succeeded' : 'Interrupted';
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

export interface VerifyRun {
  readonly plan: MigrationPlan;
  readonly context: MigrationContext;
  readonly progress: MigrationProgress;
  readonly signal: AbortSignal;
  readonly options: VerifyOptions;
}

/**
 * Compares everything and fills `progress.verification`.
 * @returns false if it was stopped before the end
 * @throws MigrationError `differences-found` if there are differences that the plan does not allow, or when a side can't be read
 */
export async function verifyCopy({ plan, context, progress, signal, options }: VerifyRun): Promise<boolean> {
  const { clock, observer, stop } = context;
  const received = (bytes: number) => {
    if (progress.verification !== undefined) progress.verification.bytesRead += bytes;
  };
  // The engine's reader counts into the progress of a copy. Here its counts are not those of the copy.
  const reading = { ...progress };
  const sides = openSides(plan, context, reading, received);
  try {
    const preparing = AbortSignal.any([signal, stop]);
    const range = await comparedRange(plan, sides.view, clock.now(), options, preparing);
    const { fromMs, toMs, isFixed } = range;
    const verification = initialVerification(fromMs, toMs);
    const marks = new VerificationMarks({ plan, access: (of) => sides.marksOf(of), observer, clock, signal });
    if (isFixed) resume(verification, await marks.find(fromMs, toMs, preparing), context.resumeVerification);
    if (verification.resumedFromMs !== undefined) observer.event(resumed(verification, verification.resumedFromMs));
    progress.startMs = plan.startMs;
    progress.endMs = toMs;
    progress.verification = verification;
    progress.phase = 'Verifying';
    const shared = {
      plan,
      sides,
      clock,
      observer: {
        progress: () => {
          const { waitingFor, windowMs, inFlightBytes, retries } = reading;
          Object.assign(progress, { waitingFor, windowMs, inFlightBytes, retries });
          observer.progress(progress);
        },
        event: (event: MigrationEvent) => observer.event(event),
      },
      progress: reading,
      signal,
    };
    const repairs = options.repair === true || plan.verification.onDifference === 'Repair';
    const findings = new Findings(verification, options.differences);
    const verifier = new Verifier({
      ...shared,
      verification,
      findings,
      repair: repairs ? new Repair(shared) : undefined,
      advanced: () => {
        if (isFixed) marks.advanced(verification);
      },
      stop,
    });
    try {
      await verifier.run(verification.throughMs, toMs);
    } finally {
      await marks.close();
    }
    verification.finished = verification.throughMs >= toMs;
    if (!verification.finished) return false;
    await judgeWhole({ plan, verification, findings, range, destination: sides.destination, observer, signal });
    return true;
  } finally {
    sides.close();
  }
}

/** Resumes at the place of the verification that got furthest. */
function resume(verification: VerificationProgress, ...places: (ResumedVerification | undefined)[]): void {
  for (const place of places) {
    if (place === undefined || place.throughMs <= verification.throughMs || place.throughMs > verification.endMs)
      continue;
    Object.assign(verification, noCounts());
    addCounts(verification, place.counts);
    verification.throughMs = place.throughMs;
    verification.reachedMs = place.throughMs;
    verification.resumedFromMs = place.throughMs;
  }
}

function resumed({ samplesCompared }: VerificationProgress, fromMs: number): MigrationEvent {
  return { type: 'verification-resumed', fromMs, samplesBefore: samplesCompared };
}
