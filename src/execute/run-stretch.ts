// Runs one stretch, of a copy or of a verification, in the thread that calls it.

import { migrate } from '../migration/migrate.ts';
import type { MigrationContext } from '../migration/migration-context.ts';
import type { MigrationResult } from '../migration/report/observer.ts';
import type { StretchJob } from '../migration/stretches/stretch-task.ts';
import type { HandOn } from './handed-differences.ts';

/** Never rejects. */
export async function runStretch(
  { plan, known, verification }: StretchJob,
  context: MigrationContext,
  handOn: HandOn,
): Promise<MigrationResult> {
  if (verification === undefined) return await migrate(plan, { ...context, ...(known !== undefined && { known }) });
  // Loaded here, because a copy does not need it.
  const { verifyStretch } = await import('../migration/verify-stretch.ts');
  if (!verification.listsDifferences) return await verifyStretch(plan, context, verification, undefined);
  const { HandedDifferences } = await import('./handed-differences.ts');
  const differences = new HandedDifferences(handOn);
  try {
    return await verifyStretch(plan, context, verification, differences);
  } finally {
    differences.close();
  }
}
