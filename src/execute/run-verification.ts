// Runs one verification to its end, for `verify`: undivided in this thread, or in stretches, side by side in threads of their own.

import { BeganInStretches } from '../migration/beginning.ts';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { MigrationContext } from '../migration/migration-context.ts';
import type { MigrationResult } from '../migration/report/observer.ts';
import { verify, type VerifyOptions } from '../migration/verify-copy.ts';
import { ownParallelism } from './own-parallelism.ts';
import { withStarter } from './start-stretches.ts';

/** Never rejects. */
export async function runVerification(
  plan: MigrationPlan,
  context: MigrationContext,
  options: VerifyOptions,
): Promise<MigrationResult> {
  const parallelism = ownParallelism(plan);
  if (parallelism <= 1) {
    try {
      return await verify(plan, context, options);
    } catch (error) {
      if (!(error instanceof BeganInStretches)) throw error;
    }
  }
  const { verifyDivided } = await import('../migration/verify-in-stretches.ts');
  const divided = { ...plan, execution: { ...plan.execution, parallelism } };
  return await withStarter(context, { current: () => parallelism, mayGrow: false }, (starter) =>
    verifyDivided(divided, { ...context, ...starter }, options),
  );
}
