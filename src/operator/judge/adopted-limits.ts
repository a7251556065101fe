// What a running migration adopts without a restart. Pure.

import type { PromMigrationSpec } from '../../api/prom-migration.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { Rates } from '../../execute/worker-messages.ts';

/** How many stretches run at once: a running migration adopts it immediately. A resource under an older CRD has no execution. */
export function parallelismOf({ execution }: Pick<Partial<PromMigrationSpec>, 'execution'>): number {
  return execution?.parallelism ?? 1;
}

/** The limits that a running migration adopts immediately. */
export function ratesOf({ limits }: PromMigrationSpec): Rates {
  const bytes = limits.bytesPerSecond === undefined ? undefined : parseQuantity(limits.bytesPerSecond);
  return {
    samplesPerSecond: limits.samplesPerSecond,
    bytesPerSecond: bytes === undefined || bytes < 1 ? undefined : Math.floor(bytes),
  };
}
