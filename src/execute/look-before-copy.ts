// The look at both sides in a thread of the operator.

import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { PreflightContext } from '../migration/preflight.ts';
import { type BeforeCopy, preflightBeforeCopy } from '../migration/preflight-before-copy.ts';
import { toMigrationError } from '../migration/report/migration-error.ts';

/** The memory of the operator is enough for its own migrations. What the pods of a Job have is not available here. */
const READ_BYTES_FOR_JOB = 64 * 1024 * 1024;

/**
 * Never rejects.
 * @returns undefined if it was stopped
 */
export async function lookBeforeCopy(
  plan: MigrationPlan,
  context: PreflightContext,
  isForJob: boolean,
): Promise<BeforeCopy | undefined> {
  try {
    const limits = isForJob ? { maxReadBytes: READ_BYTES_FOR_JOB } : {};
    const { findings, unjudged } = await preflightBeforeCopy(plan, { ...context, ...limits });
    // The pods have more memory than this look.
    const shown = isForJob ? findings.filter(({ code }) => code !== 'probe-too-large') : findings;
    return { findings: shown, unjudged };
  } catch (caught) {
    if (context.signal.aborted) return undefined;
    const { side = 'source', code, message, hint } = toMigrationError(caught);
    return { findings: [], unjudged: [{ side, code, message, hint }] };
  }
}
