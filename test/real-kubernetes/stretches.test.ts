// A migration in stretches that the operator runs in threads: the status shows them, another parallelism is adopted while it runs, and an
// operator that is killed is followed by one that goes on.
import assert from 'node:assert/strict';
import { tell } from '../real/support/expectations.ts';
import { SlowCopy, VICTORIA_METRICS } from '../real/support/slow-copy.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { MigrationObjects, standOf } from './support/migration-objects.ts';
import {
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  untilReady,
} from './support/operator.ts';

const HOURS = 26;
const STRETCHES = HOURS / 2;
/** The status of a running migration is written every ten seconds. */
const STATUS_MS = 60_000;

describe('a migration in stretches on a real API server', function () {
  this.timeout(600_000);
  let cluster: Cluster;
  let copy: SlowCopy;
  let server: ServerProcess;
  let chart: InstalledChart;
  let objects: MigrationObjects;
  let operator: OperatorProcess;

  before(async () => {
    [cluster, copy, server] = await Promise.all([startCluster(), SlowCopy.start(HOURS), VICTORIA_METRICS.start()]);
    chart = await installChart(cluster, { leaderElection: { enabled: false } });
    objects = await MigrationObjects.inNamespace(cluster, 'stretches');
    operator = await startOperator({ chart });
    await untilReady(operator);
  });
  after(async () => {
    await operator?.[Symbol.asyncDispose]();
    await Promise.all([cluster, copy, server].map((one) => one?.[Symbol.asyncDispose]()));
  });

  it('is shown in the status, adopts another parallelism, and survives its operator', async () => {
    const execution = { parallelism: 2 };
    const limits = { samplesPerSecond: 4_000, windowMax: '20m' };
    await objects.create('copy', copy.spec(VICTORIA_METRICS, server, { ordering: 'Any', execution, ...limits }));
    await objects.until('copy', 'runs in two stretches', ({ stretches }) => stretches?.running === 2, STATUS_MS);

    await objects.edit('copy', { execution: { parallelism: 5 } });
    const five = await objects.until(
      'copy',
      'runs in five stretches',
      ({ stretches }) => stretches?.running === 5,
      STATUS_MS,
    );
    tell(`with another parallelism: ${JSON.stringify(five.status?.stretches)}`);

    await operator.kill();
    operator = await startOperator({ chart });
    await untilReady(operator);
    await objects.edit('copy', { limits: { samplesPerSecond: null }, execution: { parallelism: 3 } });
    const { status } = await objects.untilPhase('copy', 'Succeeded', 120_000);
    assert.deepEqual(status?.stretches, { total: STRETCHES, finished: STRETCHES, running: 0 });
    await copy.assertAllThereOnce(VICTORIA_METRICS, server, 'several');
  });

  it('is verified in stretches, with one result in the status', async () => {
    const execution = { parallelism: 3 };
    const verification = { mode: 'Full', settle: '1s' };
    await using empty = await VICTORIA_METRICS.start();
    const spec = copy.spec(VICTORIA_METRICS, empty, { ordering: 'Any', execution, verification });
    await objects.create('verified', spec);
    const { status } = await objects.untilPhase('verified', 'Succeeded', 120_000);
    assert.equal(standOf(status, 'Verified'), 'True Matching');
    assert.deepEqual(status?.stretches, { total: STRETCHES, finished: STRETCHES, running: 0 });
    const { samplesCompared, missing, different, repeated, through } = status?.verification ?? {};
    assert.equal(samplesCompared, copy.countCopied(VICTORIA_METRICS));
    assert.deepEqual([missing ?? 0, different ?? 0, repeated ?? 0], [0, 0, 0]);
    assert.equal(through, status?.range?.end);
  });
});
