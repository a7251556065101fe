// What a running Job cannot adopt. Pure.

import { createHash } from 'node:crypto';
import type { PromMigrationSpec } from '../../api/prom-migration.ts';
import { ratesOf } from './adopted-limits.ts';
import { restartKeyOf } from './restart-key.ts';

/**
 * Changes with everything that the pods of a Job cannot adopt: the Job is then replaced. Each pod has its part of the rates, so with rates that
 * includes the number of pods.
 */
export function jobKeyOf(spec: PromMigrationSpec): string {
  const rates = ratesOf(spec);
  const isLimited = rates.samplesPerSecond !== undefined || rates.bytesPerSecond !== undefined;
  const parts = [restartKeyOf(spec), ...(isLimited ? [rates, spec.execution.parallelism] : [])];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
