// A verification from its beginning to its result: opens both sides, finds out what to compare, compares it. verify-in-stretches.ts does the
// same for a range that is divided.

import { BeganInStretches } from './beginning.ts';
import { comparePart, openReadSides, resumeAt } from './compare-part.ts';
import type { MigrationContext } from './migration-context.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { initialProgress, type MigrationProgress, type MigrationResult } from './report/observer.ts';
import { outcomeOf } from './report/outcome.ts';
import type { DifferenceReceiver } from './report/verification.ts';
import { comparedRange } from './verify/compared-range.ts';
import { initialVerification } from './verify/verification-counts.ts';
import { VerificationMarks } from './verify/verification-marks.ts';
import { judgeWhole } from './verify/verification-result.ts';

export interface VerifyOptions {
  /** Compare only a part of the migration's range. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Write what is missing, whatever `spec.verification.onDifference` says. */
  readonly repair?: boolean;
  /** Gets every difference that counts. */
  readonly differences?: DifferenceReceiver;
}

/**
 * Verifies the copy that the plan describes, also one that another tool has made. Rejects only with BeganInStretches: then nothing was compared, and
 * `verifyDivided` has to do it.
 */
export async function verify(
  plan: MigrationPlan,
  context: MigrationContext,
  options: VerifyOptions = {},
): Promise<MigrationResult> {
  const progress = initialProgress(plan.startMs, plan.endMs ?? plan.startMs, 'Verify');
  const run = { plan, context, progress, signal: context.abort, options };
  return await outcomeOf(
    progress,
    context,
    () => verifyCopy(run),
    (error) => error instanceof BeganInStretches,
  );
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
 * @throws MigrationError `differences-found` if there are differences that the plan does not allow, or when a side can't be read;
 * BeganInStretches, before anything was compared
 */
export async function verifyCopy({ plan, context, progress, signal, options }: VerifyRun): Promise<boolean> {
  const { clock, observer, stop } = context;
  const { sides, reading } = openReadSides(plan, context, progress);
  try {
    const preparing = AbortSignal.any([signal, stop]);
    const range = await comparedRange(plan, sides.view, clock.now(), options, preparing);
    const { fromMs, toMs, isFixed } = range;
    const verification = initialVerification(fromMs, toMs);
    const marks = new VerificationMarks({ plan, access: (of) => sides.marksOf(of), observer, clock, signal });
    if (isFixed) {
      const place = await marks.find(fromMs, toMs, preparing);
      if (place === 'in-stretches') throw new BeganInStretches();
      resumeAt(verification, place, context.resumeVerification);
    }
    const { resumedFromMs, samplesCompared } = verification;
    if (resumedFromMs !== undefined) {
      observer.event({ type: 'verification-resumed', fromMs: resumedFromMs, samplesBefore: samplesCompared });
    }
    progress.startMs = plan.startMs;
    progress.endMs = toMs;
    const findings = await comparePart({
      ...{ plan, context, progress, sides, reading, verification, signal },
      marks: isFixed ? marks : undefined,
      repair: options.repair === true,
      differences: options.differences,
    });
    if (findings === undefined) return false;
    await judgeWhole({ plan, verification, findings, range, destination: sides.destination, observer, signal });
    return true;
  } finally {
    sides.close();
  }
}
