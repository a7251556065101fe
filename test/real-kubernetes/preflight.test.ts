// spec.preflight in a cluster: what the operator finds before a copy is in the status and in events, and with Enforce nothing is written while
// something blocks. The stores are real ones, and a proxy records what reaches them.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tell } from '../real/support/expectations.ts';
import { type ReverseProxy, startReverseProxy } from '../real/support/reverse-proxy.ts';
import { PROMETHEUS, SlowCopy, START_MS, VICTORIA_METRICS } from '../real/support/slow-copy.ts';
import { generateDataset, PLAIN_KINDS } from '../support/dataset.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { pushSamples } from '../support/load.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus } from '../support/servers.ts';
import { conditionOf, MigrationObjects, standOf } from './support/migration-objects.ts';
import {
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  untilReady,
} from './support/operator.ts';

const HOURS = 1;
const DAY_MS = 86_400_000;
const NAMESPACE = 'team-a';

/** A request that reached a store. */
type Recorded = `${string} ${string}`;

describe('preflight in a cluster', function () {
  this.timeout(300_000);
  let cluster: Cluster;
  let chart: InstalledChart;
  let copy: SlowCopy;
  let migrations: MigrationObjects;
  let operator: OperatorProcess;
  let proxy: ReverseProxy;
  let recorded: Recorded[] = [];

  before(async function () {
    this.timeout(900_000);
    [cluster, copy] = await Promise.all([startCluster(), SlowCopy.start(HOURS)]);
    chart = await installChart(cluster);
    migrations = await MigrationObjects.inNamespace(cluster, NAMESPACE);
    operator = await startOperator({ chart });
    proxy = await startReverseProxy({
      target: 'http://127.0.0.1:9',
      losesResponse: ({ method, url }) => {
        recorded.push(`${method} ${url?.split('?')[0]}`);
        return false;
      },
    });
    await proxy.shut();
    await untilReady(operator);
  });

  beforeEach(() => {
    recorded = [];
  });

  afterEach(async () => {
    for (const { metadata } of await migrations.list()) await migrations.delete(metadata.name);
    await proxy.shut();
  });

  after(async () => {
    await Promise.all([operator, copy, proxy, cluster].map((one) => one?.[Symbol.asyncDispose]()));
  });

  const writes = () => recorded.filter((request) => request === 'POST /api/v1/write').length;
  const looks = () => recorded.filter((request) => request === 'GET /api/v1/write').length;
  const jobs = async () => {
    const { body } = await cluster.request('GET', `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`);
    return (body as { items: unknown[] }).items.length;
  };
  const findingsOf = async (name: string) =>
    (await migrations.events(name)).filter(({ reason }) => reason === 'PreflightFinding').map(({ note }) => note);

  it('Warn, the default, shows what it has found, and copies', async () => {
    await using destination = await VICTORIA_METRICS.start();
    await proxy.reopen(destination.url);
    const spec = copy.spec(VICTORIA_METRICS, destination, { through: proxy });
    const selectors = [...VICTORIA_METRICS.selectors, 'misspelled_total'];
    await migrations.create('warned', { ...spec, selectors });
    const { status } = await migrations.untilPhase('warned', 'Succeeded');
    assert.equal(standOf(status, 'Accepted'), 'True PreflightFindings');
    const { message = '' } = conditionOf(status, 'Accepted') ?? {};
    assert.match(
      message,
      /selector-matches-nothing \(source\): has nothing for .*misspelled_total.*; do: .*spec\.selectors/,
    );
    assert.equal(status?.progress?.samplesWritten, copy.countCopied(VICTORIA_METRICS));
    const notes = await findingsOf('warned');
    assert.equal(notes.filter((note) => note.startsWith('selector-matches-nothing ')).length, 1, notes.join('\n'));
    assert.equal(looks(), 1);
    assert.match(
      await operator.metrics(),
      /prom_migrator_operator_preflight_findings\{migration="team-a\/warned",grade="warns"\} 1/,
    );
  });

  it('Enforce writes nothing while a finding blocks, creates no Job, and resumes by itself when the destination is fixed', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'prom-migrator-preflight-'));
    let destination: ServerProcess | undefined;
    try {
      destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true, dataDir });
      const newer = { startMs: START_MS + 2 * DAY_MS, endMs: START_MS + 2 * DAY_MS + 60_000 };
      await pushSamples(
        `${destination.url}/api/v1/write`,
        generateDataset({ series: 2, kinds: PLAIN_KINDS, ...newer }),
      );
      await proxy.reopen(destination.url);
      const spec = { ...copy.spec(PROMETHEUS, destination, { through: proxy }), preflight: 'Enforce' };
      await Promise.all([
        migrations.create('held', spec),
        migrations.create('held-job', { ...spec, execution: { mode: 'Job' } }),
      ]);
      for (const name of ['held', 'held-job']) {
        const { status } = await migrations.until(
          name,
          'is blocked',
          (seen) => standOf(seen, 'Accepted') === 'False PreflightBlocked',
        );
        assert.equal(status?.phase, 'Pending');
        assert.equal(standOf(status, 'Succeeded'), 'Unknown PreflightBlocked');
        const { message = '' } = conditionOf(status, 'Accepted') ?? {};
        assert.match(
          message,
          /behind-newer-data \(destination\): .*; do: set storage\.tsdb\.out_of_order_time_window: \d+d/,
        );
      }
      assert.equal(writes(), 0);
      assert.ok(looks() >= 2);
      assert.equal(await jobs(), 0);

      const fixedMs = Date.now();
      await proxy.shut();
      await destination.stop();
      const outOfOrderWindow = '10y';
      destination = await startPrometheus({
        ...{ version: '3.5', receiver: true, nativeHistograms: true, outOfOrderWindow, dataDir },
      });
      await proxy.reopen(destination.url);
      const { status } = await migrations.untilPhase('held', 'Succeeded');
      tell(`copied ${((Date.now() - fixedMs) / 1000).toFixed(1)} s after the destination was stopped to be fixed`);
      assert.equal(status?.progress?.samplesWritten, copy.countCopied(PROMETHEUS));
      assert.match(standOf(status, 'Accepted') ?? '', /^True /);
      assert.ok(writes() > 0);
      const notes = await findingsOf('held');
      assert.equal(notes.filter((note) => note.startsWith('behind-newer-data ')).length, 1, notes.join('\n'));
      await migrations.until('held-job', 'has a Job', ({ phase }) => phase === 'Running');
    } finally {
      await destination?.[Symbol.asyncDispose]();
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  it('Off looks at nothing', async () => {
    await using destination = await VICTORIA_METRICS.start();
    await proxy.reopen(destination.url);
    const spec = copy.spec(VICTORIA_METRICS, destination, { through: proxy });
    await migrations.create('unseen', {
      ...spec,
      selectors: [...VICTORIA_METRICS.selectors, 'misspelled_total'],
      preflight: 'Off',
    });
    const { status } = await migrations.untilPhase('unseen', 'Succeeded');
    assert.equal(standOf(status, 'Accepted'), 'True Valid');
    assert.equal(looks(), 0);
    assert.deepEqual(await findingsOf('unseen'), []);
  });
});
