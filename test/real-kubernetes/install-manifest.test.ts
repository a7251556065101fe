// The operator without helm: install.yaml of a release on a real API server, and a migration with exactly the rights that it grants.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manifestsOf, TEMPLATE_ARGS } from '../../scripts/release-manifests.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { type FakeStore, startFakeStore } from './support/fake-store.ts';
import { HOUR } from './support/lifecycle.ts';
import { MigrationObjects } from './support/migration-objects.ts';
import { giveLeaseBack } from './support/released-lease.ts';
import {
  CHART,
  installedOperator,
  type OperatorProcess,
  startOperator,
  succeeded,
  eventually,
} from './support/operator.ts';

describe('install.yaml', function () {
  this.timeout(600_000);
  let directory: string;
  let cluster: Cluster;
  let store: FakeStore;
  let operator: OperatorProcess | undefined;
  const path = (name: string) => join(directory, name);
  const apply = async (name: string) =>
    succeeded(await cluster.kubectl(['apply', '--server-side', '-f', path(name)]))
      .trim()
      .split('\n');

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-install-'));
    [cluster, store] = await Promise.all([startCluster(), startFakeStore()]);
    const { install, crd } = manifestsOf(succeeded(await cluster.helm([...TEMPLATE_ARGS, CHART])), '0.0.0');
    await Promise.all([writeFile(path('install.yaml'), install), writeFile(path('crd.yaml'), crd)]);
  });

  after(async () => {
    await operator?.[Symbol.asyncDispose]();
    await Promise.all([cluster, store].map((one) => one?.[Symbol.asyncDispose]()));
    await rm(directory, { recursive: true, force: true });
  });

  it('is applied at once, and again without a change', async () => {
    const applied = await apply('install.yaml');
    assert.ok(applied.includes('namespace/prom-migrator-system serverside-applied'), applied.join('\n'));
    assert.ok(applied.some((line) => line.startsWith('deployment.apps/prom-migrator ')));
    const version = async () =>
      succeeded(
        await cluster.kubectl([
          'get',
          'clusterroles,deployments,crds',
          '-A',
          '-o',
          'jsonpath={.items[*].metadata.generation}',
        ]),
      );
    const generations = await version();
    assert.deepEqual(await apply('install.yaml'), applied);
    await apply('crd.yaml');
    assert.equal(await version(), generations);
  });

  it('grants what a migration needs', async () => {
    const chart = await installedOperator(cluster);
    await giveLeaseBack(cluster, chart.namespace);
    const migrations = await MigrationObjects.inNamespace(cluster, 'team-a');
    operator = await startOperator({ chart });
    await migrations.create('move', store.spec('move', HOUR));
    await migrations.untilPhase('move', 'Succeeded');
    assert.equal(store.storedSamples('move'), store.expectedSamples(HOUR));
    assert.doesNotMatch(operator.log(), /forbidden/i);
    await eventually('its event is told', async () =>
      (await migrations.events('move')).some(({ reason }) => reason === 'Succeeded'),
    );
  });

  it('is removed by kubectl delete', async () => {
    await operator?.stop();
    const kinds = 'clusterroles,clusterrolebindings,deployments,roles,rolebindings,serviceaccounts,services';
    succeeded(await cluster.kubectl(['delete', '--wait=false', '-f', path('install.yaml')]));
    const left = ['get', kinds, '-A', '-l', 'app.kubernetes.io/name=prom-migrator', '-o', 'name'];
    assert.equal(succeeded(await cluster.kubectl(left)), '');
  });
});
