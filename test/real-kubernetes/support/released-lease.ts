// A Lease that an operator has released, so that the next one does not wait for a lease duration.

import assert from 'node:assert/strict';
import { RELEASED } from '../../../src/operator/kube/lease-rules.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';

async function kubectl(cluster: Cluster, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(args, input);
  assert.equal(code, 0, stderr);
  return stdout;
}

export async function giveLeaseBack(cluster: Cluster, namespace: string): Promise<void> {
  const lease = ['lease', 'prom-migrator', '-n', namespace];
  const document = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'prom-migrator', namespace },
  };
  await kubectl(cluster, ['create', '-f', '-'], JSON.stringify(document));
  const uid = await kubectl(cluster, ['get', ...lease, '-o', 'jsonpath={.metadata.uid}']);
  await kubectl(cluster, ['annotate', ...lease, `${RELEASED}=${uid}`]);
}
