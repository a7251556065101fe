// The life cycle of a chart release on a real API server: installed, upgraded, rolled back, uninstalled while the migrations stay, and
// installed again.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { CHART, installChart, OPERATOR_NAMESPACE, succeeded } from './support/operator.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/prometheus-to-victoriametrics.yaml');

describe('a release of the chart', function () {
  this.timeout(900_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster();
    await installChart(cluster);
    succeeded(await cluster.kubectl(['apply', '-f', '-'], await readFile(EXAMPLE, 'utf8')));
  });

  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  async function argumentsOf(): Promise<string[]> {
    const path = '-o=jsonpath={.items[0].spec.template.spec.containers[0].args}';
    return JSON.parse(succeeded(await cluster.kubectl(['get', 'deployments', '-n', OPERATOR_NAMESPACE, path])));
  }

  async function helm(args: readonly string[], values = ''): Promise<void> {
    succeeded(await cluster.helm([...args, '-n', OPERATOR_NAMESPACE], values));
  }

  const migrations = async () =>
    succeeded(await cluster.kubectl(['get', 'prom-migrator', '-o=jsonpath={.items[*].metadata.name}']));

  it('can be upgraded to other values, and rolled back', async () => {
    assert.ok((await argumentsOf()).includes('--max-migrations=2'));
    await helm(['upgrade', 'prom-migrator', CHART, '--values', '-'], 'maxMigrations: 5\n');
    assert.ok((await argumentsOf()).includes('--max-migrations=5'));
    await helm(['rollback', 'prom-migrator', '1']);
    assert.ok((await argumentsOf()).includes('--max-migrations=2'));
    assert.equal(await migrations(), 'prometheus-to-victoriametrics');
  });

  it('rejects unknown values, and changes nothing', async () => {
    const { code, stderr } = await cluster.helm(
      ['upgrade', 'prom-migrator', CHART, '-n', OPERATOR_NAMESPACE, '--values', '-'],
      'maxMigration: 5\n',
    );
    assert.notEqual(code, 0);
    assert.match(stderr, /maxMigration/);
    assert.ok((await argumentsOf()).includes('--max-migrations=2'));
  });

  it('keeps the CRD and the migrations on uninstall, removes everything else, and finds them again', async () => {
    await helm(['uninstall', 'prom-migrator']);
    assert.equal(await migrations(), 'prometheus-to-victoriametrics');
    const kinds = 'deployments,services,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings';
    const left = await cluster.kubectl([
      'get',
      kinds,
      '-A',
      '-l',
      'app.kubernetes.io/name=prom-migrator',
      '-o',
      'name',
    ]);
    assert.equal(succeeded(left), '');
    await helm(['install', 'prom-migrator', CHART]);
    assert.equal(await migrations(), 'prometheus-to-victoriametrics');
    assert.ok((await argumentsOf()).includes('--max-migrations=2'));
  });
});
