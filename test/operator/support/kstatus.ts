import type { PromMigration } from '../../../src/api/prom-migration.ts';

export type KStatus = 'InProgress' | 'Current' | 'Failed' | 'Terminating';

/** What `Compute` of sigs.k8s.io/cli-utils/pkg/kstatus/status (v0.37.2) returns for an object of an unknown kind, in its order. */
export function kstatusOf({ metadata, status }: PromMigration): KStatus {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  const { observedGeneration, conditions = [] } = status ?? {};
  if (observedGeneration !== undefined && observedGeneration !== metadata.generation) return 'InProgress';
  for (const { type, status: value } of conditions) {
    if (type === 'Reconciling' && value === 'True') return 'InProgress';
    if (type === 'Stalled' && value === 'True') return 'Failed';
  }
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready === undefined || ready.status === 'True' ? 'Current' : 'InProgress';
}
