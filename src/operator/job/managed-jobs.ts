// What an operator needs to manage Jobs.

import type { KubeClient } from '../kube/kube-client.ts';
import { JobClient } from './job-client.ts';
import { JobEvents } from './job-events.ts';
import type { JobReconcilerOptions } from './job-reconciler.ts';
import { JobStore } from './job-store.ts';
import type { PodOptions } from './pod-template.ts';

export interface ManagedJobs extends JobReconcilerOptions {
  readonly store: JobStore;
}

/**
 * @param pods undefined: it creates no Jobs, and only stops those that exist
 * @param namespaces as of the JobStore
 */
export function managedJobs(
  client: KubeClient,
  pods: PodOptions | undefined,
  namespaces: readonly (string | undefined)[],
): ManagedJobs {
  return {
    store: new JobStore(namespaces),
    client: new JobClient(client, pods),
    events: new JobEvents(client),
    image: pods?.image,
  };
}
