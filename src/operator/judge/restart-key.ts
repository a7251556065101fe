// Which edits of a spec a running worker cannot adopt. Pure.

import { createHash } from 'node:crypto';
import type { PromMigrationSpec } from '../../api/prom-migration.ts';

/** A resource under a CRD from before the field existed has no execution. */
type AnySpec = Omit<PromMigrationSpec, 'execution' | 'preflight'> & Partial<PromMigrationSpec>;

/**
 * Changes with everything that a running worker cannot adopt. The worker is then stopped after its window, and started again. A changed
 * parallelism alone never restarts it.
 */
export function restartKeyOf(spec: AnySpec): string {
  const { suspend, progressDeadlineSeconds, activeDeadlineSeconds, ttlSecondsAfterFinished, ...others } = spec;
  const { limits, execution, preflight, ...rest } = others;
  const { samplesPerSecond, bytesPerSecond, ...otherLimits } = limits;
  const { parallelism, ...otherExecution }: Partial<PromMigrationSpec['execution']> = execution ?? {};
  return createHash('sha256')
    .update(canonical({ ...rest, limits: otherLimits, execution: otherExecution }))
    .digest('hex')
    .slice(0, 16);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
