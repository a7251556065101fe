// The operator of the package and the image: the bundle, with a kubeconfig, with migrations in worker threads. The other tests of this
// folder run the sources.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryVariables, nodeFlags } from '../../bin/node-settings.mjs';
import { bundle, PROGRAM } from '../../scripts/bundle.ts';
import { manifestOf } from '../real/support/migration.ts';
import { HOUR_MS, SlowCopy, START_MS, VICTORIA_METRICS } from '../real/support/slow-copy.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { assertCopiedAll, assertFinished } from './support/finished-status.ts';
import { NamespaceKubectl } from './support/namespace-kubectl.ts';
import { installChart, type OperatorProcess, startOperator, succeeded, untilReady } from './support/operator.ts';
import { residentMebibytes } from './support/output.ts';

const NAMESPACE = 'monitoring';
const HOURS = 4;
/** As the image sets them. */
const IMAGE_ENV = { ...memoryVariables, NODE_OPTIONS: nodeFlags.join(' ') };

describe('the operator of the bundle', function () {
  this.timeout(600_000);
  let directory: string;
  let cluster: Cluster;
  let copy: SlowCopy;
  let victoriaMetrics: ServerProcess;
  let operator: OperatorProcess;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-bundle-'));
    [cluster, copy, victoriaMetrics] = await Promise.all([
      startCluster(),
      SlowCopy.start(HOURS),
      VICTORIA_METRICS.start(),
      bundle(PROGRAM, directory),
    ]);
    const chart = await installChart(cluster);
    succeeded(await cluster.kubectl(['create', 'namespace', NAMESPACE]));
    operator = await startOperator({ chart, main: join(directory, 'main.js'), env: IMAGE_ENV });
    await untilReady(operator);
  });

  after(async () => {
    await operator?.[Symbol.asyncDispose]();
    await Promise.all([cluster, copy, victoriaMetrics].map((one) => one?.[Symbol.asyncDispose]()));
    await rm(directory, { recursive: true, force: true });
  });

  it('takes less than 90 MiB while it has nothing to do', async () => {
    const mebibytes = await residentMebibytes(operator.pid);
    assert.ok(mebibytes < 90, `${mebibytes} MiB`);
  });

  it('copies a migration in a thread of its own, and compares it', async () => {
    const own = new NamespaceKubectl(cluster, NAMESPACE);
    const spec = copy.spec(VICTORIA_METRICS, victoriaMetrics);
    await own.apply(manifestOf(spec, 'to-vm'));
    succeeded(await own.kubectl(['wait', '--for=condition=Succeeded', '--timeout=300s', 'pmig/to-vm']));
    const { metadata, status } = await own.read('to-vm');
    assertFinished(status, metadata.generation);
    assertCopiedAll(status, new Date(START_MS).toISOString(), new Date(START_MS + HOURS * HOUR_MS).toISOString());
    await copy.assertAllThereOnce(VICTORIA_METRICS, victoriaMetrics);

    const verification = { mode: 'Full' };
    const patch = JSON.stringify({ spec: { verification } });
    succeeded(await own.kubectl(['patch', 'pmig', 'to-vm', '--type=merge', '-p', patch]));
    succeeded(await own.kubectl(['wait', '--for=condition=Verified', '--timeout=300s', 'pmig/to-vm']));
  });

  it('exits with 0 after SIGTERM', async () => {
    assert.equal(await operator.stop('SIGTERM'), 0, operator.log().slice(-4_000));
  });
});
