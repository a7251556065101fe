// Operators that are killed, stopped, replaced or lose their lease to another client while a migration runs: it resumes at the mark in its
// destination, only the leader writes, and at the end every sample is stored once.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { tell } from '../real/support/expectations.ts';
import { SlowCopy, VICTORIA_METRICS } from '../real/support/slow-copy.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import {
  eventually,
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  succeeded,
  untilReady,
} from './support/operator.ts';
import { leads, metricSum, readiness, readLease, SlowMigration } from './support/slow-migration.ts';

const GRACE_MS = 20_000;
/** The chart's own. */
const LEASE_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_PERIOD_MS = 2_000;

type Moment = 'starting' | 'settling' | 'copying';

const MOMENTS: readonly Moment[] = [
  ...Array<Moment>(2).fill('starting'),
  ...Array<Moment>(3).fill('settling'),
  ...Array<Moment>(5).fill('copying'),
];

interface Survived {
  readonly samples: number;
  readonly alreadyPresent: number;
  readonly resumed: number;
  readonly seconds: number;
}

describe('an operator that leads', () => {
  let cluster: Cluster;
  let copy: SlowCopy;
  let killing: Promise<Survived>;
  let chart: InstalledChart;
  let migration: SlowMigration;
  const operators: OperatorProcess[] = [];

  before(async function () {
    this.timeout(900_000);
    cluster = await startCluster();
    copy = await SlowCopy.start(16);
    // With a lease, each start would first wait for the lease of the killed one to expire.
    const killed = await installFor('killed', { leaderElection: { enabled: false } });
    chart = await installFor('replaced', { crds: { enabled: false }, replicaCount: 2 });
    // In parallel with the others: it waits most of the time.
    killing = surviveKills(killed);
    killing.catch(() => {});
    migration = await SlowMigration.prepare({ cluster, copy, namespace: 'replaced', samplesPerSecond: 4_000 });
  });

  after(async () => {
    await Promise.allSettled([killing]);
    for (const operator of operators) await operator.kill();
    await migration?.[Symbol.asyncDispose]();
    await copy?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** A separate release for one namespace. */
  async function installFor(namespace: string, values: object): Promise<InstalledChart> {
    succeeded(await cluster.kubectl(['create', 'namespace', namespace]));
    const own = { watchNamespaces: [namespace], gracePeriodSeconds: GRACE_MS / 1000, ...values };
    return installChart(cluster, own, { release: namespace, namespace: `${namespace}-system` });
  }

  async function start(): Promise<OperatorProcess> {
    const operator = await startOperator({ chart });
    operators.push(operator);
    return operator;
  }

  async function surviveKills(killed: InstalledChart): Promise<Survived> {
    const startedMs = Date.now();
    // VictoriaMetrics returns a duplicate sample as often as it was written.
    await using slow = await SlowMigration.prepare({
      cluster,
      copy,
      namespace: 'killed',
      samplesPerSecond: 10_000,
      destination: VICTORIA_METRICS,
    });
    await slow.apply();
    const moments = MOMENTS.toSorted(() => Math.random() - 0.5);
    let throughMs = 0;
    for (const [index, moment] of moments.entries()) {
      await using operator = await startOperator({ chart: killed });
      if (moment !== 'starting') await operator.saying(/"worker started"/);
      if (moment === 'copying') await operator.saying(/"event":"(?:Started|Resumed)"/);
      await sleep(randomInt({ starting: 1_000, settling: 4_500, copying: 2_000 }[moment]));
      assert.ok(operator.running(), `number ${index + 1} ended by itself: ${operator.log().slice(-4_000)}`);
      await operator.kill();
      const { phase } = await slow.status();
      assert.ok(phase !== 'Succeeded' && phase !== 'Failed', `already ${phase} at kill ${index + 1}`);
      const nowThroughMs = await slow.throughMs();
      assert.ok(nowThroughMs >= throughMs, `kill ${index + 1} threw the migration back`);
      throughMs = nowThroughMs;
    }
    await using last = await startOperator({ chart: killed });
    const { resumedFrom, progress } = await slow.finish();
    assert.ok(resumedFrom !== undefined, 'the last start went on at a mark');
    const samples = await slow.assertAllThereOnce();
    assert.equal(await last.stop(), 0, last.log().slice(-4_000));
    const resumed = (await slow.eventReasons()).filter((reason) => reason === 'Resumed').length;
    const seconds = (Date.now() - startedMs) / 1000;
    return { samples, alreadyPresent: progress?.samplesAlreadyPresent ?? 0, resumed, seconds };
  }

  it('writes the first window of a new migration within seconds', async function () {
    this.timeout(120_000);
    const operator = await start();
    await eventually('the only operator leads', () => leads(operator));
    await untilReady(operator);
    const appliedMs = Date.now();
    await migration.apply();
    await migration.finishes(1, operator);
    const windowMs = Date.now() - appliedMs;
    const [writtenMs = Number.NaN] = migration.writesBetween(appliedMs);
    tell(`from kubectl apply to the first write ${writtenMs - appliedMs} ms, to the first window ${windowMs} ms`);
    assert.ok(windowMs < 30_000);
  });

  it('finishes the window in flight on SIGTERM, writes the status, releases the lease and exits with 0', async function () {
    this.timeout(120_000);
    const [operator = assert.fail()] = operators;
    await migration.finishes(3, operator);
    const stoppedMs = Date.now();
    assert.equal(await operator.stop('SIGTERM'), 0, operator.log().slice(-4_000));
    const tookMs = Date.now() - stoppedMs;
    tell(`stopped after ${tookMs} ms`);
    assert.ok(tookMs < GRACE_MS, `${tookMs} ms`);
    assert.equal((await readLease(cluster, chart.namespace)).holderIdentity ?? '', '');

    const { phase, conditions, progress } = await migration.status();
    assert.equal(phase, 'Pending');
    const progressing = conditions?.find(({ type }) => type === 'Progressing');
    assert.deepEqual([progressing?.status, progressing?.reason], ['False', 'OperatorStopped']);
    const { samples, marked, lastMarkMs } = await migration.copied();
    // An aborted window would have left samples that no mark counts.
    assert.equal(samples, marked, 'the last mark counts what is there');
    assert.equal(Date.parse(progress?.through ?? ''), lastMarkMs + 1, 'the status is up to date');
    assert.equal(progress?.samplesWritten, samples);
    await sleep(1_000);
    assert.deepEqual(migration.writesBetween(stoppedMs + tookMs), [], 'nothing is written after its end');
  });

  it('is one of two: the other one is ready, and does nothing', async function () {
    this.timeout(120_000);
    const leader = await start();
    await eventually('the first operator leads', () => leads(leader));
    // From its log: the process start time of a loaded machine is independent of the lease.
    const leadsMs = saidAtMs(leader, 'leading') - saidAtMs(leader, 'operator started');
    tell(`leads ${leadsMs} ms after its start`);
    assert.ok(leadsMs < LEASE_MS, `the one before has given the lease back, but it led after ${leadsMs} ms`);
    assert.doesNotMatch(leader.log(), /claimed the lease/, 'nor was it taken for one that somebody has emptied');
    const other = await start();
    await untilReady(leader);
    await untilReady(other);
    assert.equal(await readiness(leader), '200 ok, leading');
    await eventually('it knows who leads', async () =>
      (await readiness(other)).startsWith(`200 ok, on standby, the leader is ${leader.podName}_`),
    );
    await migration.finishes(2, leader);
    assert.equal(await leads(leader), true);
    assert.equal(await leads(other), false);
    assert.doesNotMatch(other.log(), /"worker started"/);
    assert.equal(metricSum(await other.metrics(), 'prom_migrator_operator_status_writes_total'), 0);
  });

  it('is replaced by the other one when it is killed, not before its lease expires', async function () {
    this.timeout(120_000);
    const [, leader = assert.fail(), other = assert.fail()] = operators;
    const throughMs = await migration.throughMs();
    await leader.kill();
    const killedMs = Date.now();
    await other.saying(/"event":"Resumed"/, 2 * LEASE_MS + 30_000);
    const tookMs = Date.now() - killedMs;
    const leadsMs = saidAtMs(other, 'leading') - killedMs;
    tell(`leads after ${(leadsMs / 1000).toFixed(1)} s, the resume point found after ${(tookMs / 1000).toFixed(1)} s`);
    assert.ok(leadsMs < 2 * LEASE_MS, `${leadsMs} ms`);
    // Its last renewal may be one retry period older than the kill, and a request was in flight.
    const early = migration.writesBetween(killedMs + 500, killedMs + LEASE_MS - 2 * RETRY_PERIOD_MS);
    assert.deepEqual(early, [], 'nobody writes while the lease is that of the killed one');
    await migration.finishes(2, other);
    await eventually('the status says that it went on where the killed one was, or later', async () => {
      const { resumedFrom } = await migration.status();
      return Date.parse(resumedFrom ?? '') >= throughMs;
    });
  });

  it('stops its workers before the lease duration is over when another client has taken the lease', async function () {
    this.timeout(180_000);
    const [, , robbed = assert.fail()] = operators;
    const other = await start();
    await untilReady(other);
    const wrote = migration.writesBetween(Date.now() - 5_000).length;
    assert.ok(wrote > 0, 'it writes until then');
    const theft = { spec: { holderIdentity: 'thief', leaseDurationSeconds: LEASE_MS / 1000 } };
    const patch = [
      'patch',
      'lease',
      'prom-migrator',
      '-n',
      chart.namespace,
      '--type=merge',
      '-p',
      JSON.stringify(theft),
    ];
    const stolenMs = Date.now();
    succeeded(await cluster.kubectl(patch));
    await robbed.saying(/the lease is lost/);
    const lostMs = Date.now();
    await robbed.saying(/"worker stopped".*"cause":"not-leader"|"cause":"not-leader".*"worker stopped"/);
    const endedMs = Date.now();
    tell(`lost after ${lostMs - stolenMs} ms, its worker ended after ${endedMs - stolenMs} ms`);
    assert.ok(endedMs - stolenMs < RENEW_DEADLINE_MS, `${endedMs - stolenMs} ms`);
    for (const operator of [robbed, other]) {
      assert.equal(await leads(operator), false);
      await eventually('it knows the thief', async () =>
        (await readiness(operator)).startsWith('200 ok, on standby, the leader is thief'),
      );
    }

    // The other client never renews: one of the two leads again when that lease expires.
    const both = [robbed, other];
    const leading = async () => (await Promise.all(both.map(leads))).filter(Boolean).length;
    await eventually('somebody leads again', async () => (await leading()) > 0, 3 * LEASE_MS);
    const againMs = Date.now();
    assert.equal(await leading(), 1);
    tell(`the next one leads ${((againMs - stolenMs) / 1000).toFixed(1)} s after the theft`);
    assert.ok(againMs - stolenMs >= LEASE_MS, 'not before the lease of the thief is over');
    assert.deepEqual(
      migration.writesBetween(endedMs, stolenMs + LEASE_MS),
      [],
      'nobody writes while the thief holds it',
    );
    const leader = (await leads(robbed)) ? robbed : other;
    const before = await migration.windows(leader);
    await migration.finishes(before + 2, leader);
  });

  it('has lost nothing and written nothing twice afterwards', async function () {
    this.timeout(180_000);
    const alive = operators.filter((operator) => operator.running());
    assert.equal(alive.length, 2);
    const transitions = (await readLease(cluster, chart.namespace)).leaseTransitions;
    await migration.finish();
    const samples = await migration.assertAllThereOnce();
    const lags = await Promise.all(
      alive.map(async (operator) =>
        metricSum(await operator.metrics(), 'prom_migrator_operator_event_loop_lag_seconds'),
      ),
    );
    tell(`${samples} samples compared, 0 differences; ${transitions} lease transitions`);
    tell(`event loop lag at full speed at most ${Math.round(1000 * Math.max(...lags))} ms`);
    for (const operator of alive) assert.equal(await operator.stop(), 0, operator.log().slice(-4_000));
  });

  it(`loses nothing and writes nothing twice when it is killed ${MOMENTS.length} times at random moments`, async function () {
    this.timeout(400_000);
    const survived = await killing;
    tell(
      `${MOMENTS.length} kills, ${survived.samples} samples compared, 0 differences, ${survived.seconds.toFixed(1)} s`,
    );
    tell(`resumed ${survived.resumed} times, ${survived.alreadyPresent} samples found present`);
    assert.ok(survived.resumed > 0);
  });
});

/** When it first logged this message. */
function saidAtMs(operator: OperatorProcess, text: string): number {
  const line = operator.logLines().find(({ message }) => message === text);
  assert.ok(line, `it has not said ${text}:\n${operator.log().slice(-4_000)}`);
  return Date.parse(String(line['time']));
}
