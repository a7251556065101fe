// One stretch of a verification. What is to be compared is known, and whether its result is good is judged with that of the others.

import { comparePart, openReadSides, resumeAt } from './compare-part.ts';
import type { MigrationContext } from './migration-context.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { initialProgress, type MigrationResult } from './report/observer.ts';
import { outcomeOf } from './report/outcome.ts';
import type { DifferenceReceiver, StretchVerification } from './report/verification.ts';
import { comparedRange } from './verify/compared-range.ts';
import { initialVerification } from './verify/verification-counts.ts';
import { VerificationMarks } from './verify/verification-marks.ts';

/**
 * Never rejects.
 * @param plan of the whole range, with the stretch's part of the limits
 */
export async function verifyStretch(
  plan: MigrationPlan,
  context: MigrationContext,
  stretch: StretchVerification,
  differences: DifferenceReceiver | undefined,
): Promise<MigrationResult> {
  const { shard, startMs, endMs, run, ranMs, resumed, repair } = stretch;
  const { clock, observer, stop, abort: signal } = context;
  const progress = initialProgress(startMs, endMs, 'Verify');
  return await outcomeOf(progress, context, async () => {
    const { sides, reading } = openReadSides(plan, context, progress);
    try {
      // Shows the view how the destination shows series.
      await comparedRange(
        plan,
        sides.view,
        clock.now(),
        { fromMs: startMs, toMs: endMs },
        AbortSignal.any([signal, stop]),
      );
      const verification = initialVerification(startMs, endMs);
      resumeAt(verification, resumed);
      const access = (of: MigrationPlan) => sides.marksOf(of);
      const part = run === undefined ? undefined : { run, shard, startMs, ranMs };
      const marks = part && new VerificationMarks({ plan, access, observer, clock, signal, part });
      const whole = { plan, context, progress, sides, reading, verification, marks, repair, differences, signal };
      return (await comparePart(whole)) !== undefined;
    } finally {
      sides.close();
    }
  });
}
