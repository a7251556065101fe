// Looks for the Job of a migration by its name, for an operator that does not watch Jobs. It needs the right to get jobs.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { FoundJob } from '../judge/left-job.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { isForbidden, isNotFound, messageOf } from '../kube/kube-errors.ts';
import { jobPath } from './job-client.ts';
import { jobNameOf } from './job-names.ts';
import type { Job } from './job-objects.ts';

/** @throws KubeApiError, KubeConnectionError when there is no clear response */
export async function findJob(client: KubeClient, migration: PromMigration, signal: AbortSignal): Promise<FoundJob> {
  const name = jobNameOf(migration);
  try {
    return foundJob(await client.get<Job>(jobPath(migration.metadata.namespace, name), { signal }));
  } catch (error) {
    if (isNotFound(error)) return { kind: 'none' };
    if (isForbidden(error)) return { kind: 'unknown', name, reason: messageOf(error) };
    throw error;
  }
}

function foundJob({ metadata: { name }, spec, status }: Job): FoundJob {
  const { active = 0, terminating = 0, conditions = [] } = status ?? {};
  const pods = active + terminating;
  const hasEnded = conditions.some(
    ({ type, status: is }) => (type === 'Complete' || type === 'Failed') && is === 'True',
  );
  if (hasEnded && pods === 0) return { kind: 'none' };
  return { kind: 'there', name, pods, isSuspended: spec.suspend === true };
}
