// A migration that is compared after its copy, or later: without a difference, with a series that someone deleted in the destination, and with
// operators that are replaced in the middle. The operator runs with the arguments and permissions of the chart; both stores are real ones.

import assert from 'node:assert/strict';
import { eventually } from './support/operator.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusVerification } from '../../src/api/prom-migration-status.ts';
import { tell } from '../real/support/expectations.ts';
import { type ReverseProxy, startReverseProxy } from '../real/support/reverse-proxy.ts';
import { SlowCopy, START_MS, VICTORIA_METRICS } from '../real/support/slow-copy.ts';
import { request } from '../support/http.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { exportVictoriaMetrics } from '../support/readers.ts';
import { countSamples } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { conditionOf, MigrationObjects, standOf } from './support/migration-objects.ts';
import {
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  untilReady,
} from './support/operator.ts';

const HOURS = 3;
/** About 35 windows instead of two, and half a second for each: time to interrupt a comparison. */
const SMALL_WINDOWS = { max: '5m', targetSamples: 2_000 };
const SLOW_MS = 500;

describe('a verification in a cluster', function () {
  this.timeout(300_000);
  let cluster: Cluster;
  let chart: InstalledChart;
  let copy: SlowCopy;
  let source: ReverseProxy;
  let migrations: MigrationObjects;
  let operator: OperatorProcess;
  let victoriaMetrics: ServerProcess;

  before(async function () {
    this.timeout(900_000);
    [cluster, copy] = await Promise.all([startCluster(), SlowCopy.start(HOURS)]);
    source = await startReverseProxy({ target: copy.source.url });
    chart = await installChart(cluster);
    migrations = await MigrationObjects.inNamespace(cluster, 'team-a');
    operator = await startOperator({ chart });
    await untilReady(operator);
  });

  beforeEach(async () => {
    source.delayMs = 0;
    victoriaMetrics = await VICTORIA_METRICS.start();
  });

  afterEach(async () => {
    // A test that has failed must not keep a worker.
    for (const { metadata } of await migrations.list()) await migrations.delete(metadata.name);
    await victoriaMetrics?.[Symbol.asyncDispose]();
  });

  after(async () => {
    await Promise.all([operator, source, copy, cluster].map((one) => one?.[Symbol.asyncDispose]()));
  });

  const samples = () => copy.countCopied(VICTORIA_METRICS);

  function spec(verification: object): object {
    const from = { url: `${source.url}/api/v1/read` };
    return { ...copy.spec(VICTORIA_METRICS, victoriaMetrics), source: from, verification };
  }

  /** Copies everything without a verification. */
  async function copied(name: string): Promise<void> {
    await migrations.create(name, spec({ mode: 'Off' }));
    const { status } = await migrations.untilPhase(name, 'Succeeded');
    assert.equal(standOf(status, 'Verified'), 'Unknown NotRequested');
    assert.equal(status?.verification, undefined);
  }

  /** Deletes every series of one name in the destination. @returns how many samples it had */
  async function deleteOneName(): Promise<number> {
    const stored = await exportVictoriaMetrics(victoriaMetrics.url);
    const name = [...stored.values()]
      .flatMap(({ labels }) => labels.filter(([label]) => label === '__name__').map(([, value]) => value))
      .find((value) => value.endsWith('_counter'));
    assert.ok(name, 'the data set has a counter');
    const match = `{__name__="${name}"}`;
    const lost = countSamples(await exportVictoriaMetrics(victoriaMetrics.url, match));
    assert.ok(lost > 0);
    const path = `/api/v1/admin/tsdb/delete_series?match[]=${encodeURIComponent(match)}`;
    assert.equal((await request(`${victoriaMetrics.url}${path}`, { method: 'POST' })).status, 204);
    assert.equal((await exportVictoriaMetrics(victoriaMetrics.url, match)).size, 0);
    return lost;
  }

  /** Waits until the verification has a result. */
  const verified = (name: string, status: 'True' | 'False') =>
    migrations.until(name, `has Verified=${status}`, (shown) => conditionOf(shown, 'Verified')?.status === status);

  /** Starts the comparison of a finished migration, and waits until a part of it is done. */
  async function compareSlowly(name: string, settings: object = {}): Promise<void> {
    source.delayMs = SLOW_MS;
    await migrations.edit(name, { window: SMALL_WINDOWS, verification: { mode: 'Full', ...settings } });
    await migrations.until(
      name,
      'has compared a part',
      ({ phase, progress }) => phase === 'Verifying' && (progress?.percent ?? 0) > 55,
    );
  }

  function assertCompared(found: StatusVerification | undefined): void {
    assert.equal(found?.samplesCompared, samples(), 'every sample of the source once');
    const { missing, different, repeated, extra } = found;
    assert.deepEqual({ missing, different, repeated, extra }, { missing: 0, different: 0, repeated: 0, extra: 0 });
  }

  it('follows the copy, and the migration has succeeded only when it is over', async () => {
    await migrations.create('full', spec({ mode: 'Full' }));
    const { status } = await migrations.untilPhase('full', 'Succeeded');
    assert.equal(standOf(status, 'Succeeded'), 'True Completed');
    assert.equal(standOf(status, 'Verified'), 'True Matching');
    assertCompared(status?.verification);
    assert.equal(status?.progress?.display, '100.0%');
    tell(conditionOf(status, 'Verified')?.message ?? '');
    await copy.assertAllThereOnce(VICTORIA_METRICS, victoriaMetrics);
    // They are told after the status.
    await eventually('its events are told', async () => {
      const reasons = (await migrations.events('full')).map(({ reason }) => reason);
      return ['Started', 'VerificationStarted', 'Verified', 'Succeeded'].every((reason) => reasons.includes(reason));
    });
  });

  it('finds on a finished migration what someone has deleted, and does what onDifference says', async () => {
    await copied('faulty');
    const lost = await deleteOneName();

    await migrations.edit('faulty', { verification: { mode: 'Full', settle: '5s' } });
    const failed = await migrations.untilPhase('faulty', 'Failed');
    assert.equal(standOf(failed.status, 'Succeeded'), 'False DifferencesFound');
    assert.equal(standOf(failed.status, 'Verified'), 'False DifferencesFound');
    assert.equal(failed.status?.verification?.missing, lost);
    assert.equal(failed.status?.verification?.samplesCompared, samples());
    assert.equal(failed.status?.verification?.first?.length, 10);
    for (const { kind, labels } of failed.status?.verification?.first ?? []) {
      assert.equal(kind, 'missing');
      assert.match(labels, /_counter[{"]/);
    }
    tell(conditionOf(failed.status, 'Verified')?.message ?? '');

    await migrations.edit('faulty', { verification: { onDifference: 'Report' } });
    const reported = await migrations.untilPhase('faulty', 'Succeeded');
    assert.equal(standOf(reported.status, 'Succeeded'), 'True CompletedWithDifferences');
    assert.equal(standOf(reported.status, 'Verified'), 'False DifferencesFound');
    assert.equal(reported.status?.verification?.missing, lost);
  });

  it('repairs what is missing', async () => {
    await copied('repaired');
    const lost = await deleteOneName();
    await migrations.edit('repaired', { verification: { mode: 'Full', onDifference: 'Repair', settle: '10s' } });
    const { status } = await verified('repaired', 'True');
    assert.equal(standOf(status, 'Succeeded'), 'True Completed');
    assert.equal(status?.verification?.repaired, lost);
    assertCompared(status?.verification);
    await copy.assertAllThereOnce(VICTORIA_METRICS, victoriaMetrics);
  });

  for (const [signal, how] of [
    ['SIGTERM', 'is stopped'],
    ['SIGKILL', 'is killed'],
  ] as const) {
    it(`has the same result when the operator ${how} in the middle`, async () => {
      const name = `restarted-${signal.toLowerCase()}`;
      await copied(name);
      await compareSlowly(name);
      await operator.stop(signal);
      const between = await migrations.get(name);
      assert.equal(conditionOf(between.status, 'Verified')?.status, 'Unknown', 'there is no result yet');
      assert.equal(between.status?.completionTime, undefined);
      source.delayMs = 0;
      operator = await startOperator({ chart });
      await untilReady(operator);
      const { status } = await verified(name, 'True');
      assertCompared(status?.verification);
      await migrations.untilPhase(name, 'Succeeded');
    });
  }

  it('counts every sample and every difference once when the operator is stopped while a difference waits', async () => {
    await copied('waiting');
    const lost = await deleteOneName();
    await compareSlowly('waiting', { onDifference: 'Report', settle: '3s' });
    await migrations.until(
      'waiting',
      'has settled the first window',
      ({ verification }) => Date.parse(verification?.through ?? '') > START_MS,
    );
    await operator.stop('SIGTERM');
    const between = await migrations.get('waiting');
    const { through, samplesCompared, missing } = between.status?.verification ?? {};
    assert.equal(conditionOf(between.status, 'Verified')?.status, 'Unknown', 'there is no result yet');
    tell(`stopped at ${through} with ${samplesCompared} samples compared and ${missing} missing`);
    source.delayMs = 0;
    operator = await startOperator({ chart });
    await untilReady(operator);
    const { status } = await migrations.untilPhase('waiting', 'Succeeded', 120_000);
    assert.equal(standOf(status, 'Succeeded'), 'True CompletedWithDifferences');
    assert.equal(status?.verification?.missing, lost);
    assert.equal(status?.verification?.samplesCompared, samples());
  });

  it('is suspended in the middle, reads nothing meanwhile, and ends after it is resumed', async () => {
    await copied('suspended');
    await compareSlowly('suspended');
    await migrations.edit('suspended', { suspend: true });
    const { status } = await migrations.untilPhase('suspended', 'Suspended');
    assert.equal(standOf(status, 'Verified'), 'Unknown NotFinished');
    assert.equal(standOf(status, 'Succeeded'), 'Unknown Suspended');
    const requests = source.requests;
    await sleep(2_000);
    assert.equal(source.requests, requests, 'not one request while it is suspended');
    source.delayMs = 0;
    await migrations.edit('suspended', { suspend: false });
    const ended = await verified('suspended', 'True');
    assertCompared(ended.status?.verification);
    await migrations.untilPhase('suspended', 'Succeeded');
  });

  it('is refused for a destination that cannot be read, with the field and the cure', async () => {
    const { destination, ...rest } = spec({ mode: 'Full' }) as { destination: { url: string } };
    const refused = await migrations.tryToCreate('none', {
      ...rest,
      destination: { url: destination.url, progress: { protocol: 'None' } },
    });
    assert.equal(refused.status, 422);
    const said = JSON.stringify(refused.body);
    assert.match(said, /spec\.verification\.mode/);
    assert.match(said, /set destination\.progress\.protocol to RemoteRead or PromQL/);
  });
});
