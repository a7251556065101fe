// The API server and etcd are each unavailable for half a minute while migrations run. The lease of one operator is longer than that, and
// it continues; the other one has the chart's lease, must stop without it, and resumes at the mark. Nothing is restarted from the
// beginning.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { tell } from '../real/support/expectations.ts';
import { SlowCopy } from '../real/support/slow-copy.ts';
import { request } from '../support/http.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import {
  eventually,
  installChart,
  type OperatorProcess,
  startOperator,
  succeeded,
  untilReady,
} from './support/operator.ts';
import { leads, metricSum, SlowMigration } from './support/slow-migration.ts';

const OUTAGE_MS = 30_000;
/** The chart's own. */
const LEASE_MS = 15_000;
/** The delay between two attempts is half a minute at most. */
const CATCH_UP_MS = 60_000;
const LONG_LEASE = { leaseDurationSeconds: 90, renewDeadlineSeconds: 75 };

interface Pair {
  readonly operator: OperatorProcess;
  readonly migration: SlowMigration;
}

interface Away {
  readonly what: string;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

describe('an operator whose API server is unavailable', () => {
  let cluster: Cluster;
  let copy: SlowCopy;
  /** Its lease outlasts the outage. */
  let patient: Pair;
  /** The chart's lease. */
  let careful: Pair;

  before(async function () {
    this.timeout(900_000);
    cluster = await startCluster();
    copy = await SlowCopy.start(16);
    patient = await startPair('patient', { leaderElection: LONG_LEASE });
    careful = await startPair('careful', { crds: { enabled: false } });
  });

  after(async () => {
    for (const { operator, migration } of [patient, careful].filter(Boolean)) {
      await operator.kill();
      await migration[Symbol.asyncDispose]();
    }
    await copy?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  async function startPair(namespace: string, values: object): Promise<Pair> {
    succeeded(await cluster.kubectl(['create', 'namespace', namespace]));
    const own = { watchNamespaces: [namespace], ...values };
    const chart = await installChart(cluster, own, { release: namespace, namespace: `${namespace}-system` });
    const operator = await startOperator({ chart });
    const migration = await SlowMigration.prepare({ cluster, copy, namespace, samplesPerSecond: 2_000 });
    await untilReady(operator);
    await eventually('it leads', () => leads(operator));
    await migration.apply();
    return { operator, migration };
  }

  it('sends few requests while nothing happens', async function () {
    this.timeout(120_000);
    const { operator, migration } = patient;
    await migration.finishes(1, operator);
    await careful.migration.finishes(1, careful.operator);
    const requests = async () => metricSum(await operator.metrics(), 'prom_migrator_operator_api_requests_total');
    const [before, startedMs] = [await requests(), Date.now()];
    await sleep(20_000);
    const minutes = (Date.now() - startedMs) / 60_000;
    const perMinute = ((await requests()) - before) / minutes;
    tell(`${perMinute.toFixed(0)} API requests a minute, ${(60 / 2).toFixed(0)} of them for the lease`);
    // Thirty renewals of the lease and six status writes.
    assert.ok(perMinute > 0 && perMinute <= 45, `${perMinute} a minute`);
  });

  for (const away of [
    { what: 'the API server', stop: () => cluster.stopApiServer(), start: () => cluster.startApiServer() },
    { what: 'etcd', stop: () => cluster.stopEtcd(), start: () => cluster.startEtcd() },
  ]) {
    it(`continues its migration while ${away.what} is unavailable for ${OUTAGE_MS / 1000} s, and the status catches up`, async function () {
      this.timeout(240_000);
      await survive(away);
    });
  }

  async function survive({ what, stop, start }: Away): Promise<void> {
    const throughMs = await patient.migration.throughMs();
    const windows = await patient.migration.windows(patient.operator);
    const [lost, resumed] = [lossesOf(careful.operator), resumesOf(careful.operator)];
    await stop();
    const stoppedMs = Date.now();
    await eventually(
      'the one with the short lease has stopped its worker',
      () => lossesOf(careful.operator) > lost && workersOf(careful.operator).running === 0,
      LEASE_MS,
      () => careful.operator.log().slice(-4_000),
    );
    const carefulMs = Date.now() - stoppedMs;
    assert.ok(carefulMs < LEASE_MS, `${carefulMs} ms`);
    await sleep(OUTAGE_MS - (Date.now() - stoppedMs));
    const endMs = Date.now();
    const silent = careful.migration.writesBetween(stoppedMs + carefulMs, endMs);
    assert.deepEqual(silent, [], 'nothing is written without a lease');
    const during = (await patient.migration.windows(patient.operator)) - windows;
    assert.ok(during >= 3, `${during} windows were finished meanwhile`);
    const gapMs = longestGapMs([stoppedMs, ...patient.migration.writesBetween(stoppedMs, endMs), endMs]);
    assert.ok(gapMs < 10_000, `no write for ${gapMs} ms`);
    const alive = await request(`${patient.operator.url}/livez`);
    assert.equal(alive.status, 200, 'an outage of the API server is no reason to be restarted');
    const copiedMs =
      1000 *
      metricSum(
        await patient.operator.metrics(),
        'prom_migrator_watermark_timestamp_seconds',
        `migration="${patient.migration.key}"`,
      );
    assert.ok(copiedMs > throughMs);

    await start();
    const backMs = Date.now();
    const [caughtUpMs, resumedMs] = await Promise.all([
      reached('the status says what was copied meanwhile', patient, async () => {
        return (await patient.migration.throughMs()) >= copiedMs;
      }),
      reached('the one with the short lease goes on at its mark', careful, async () => {
        return resumesOf(careful.operator) > resumed && (await careful.migration.windows(careful.operator)) > 0;
      }),
    ]);
    const { resumedFrom, range } = await careful.migration.status();
    assert.ok(Date.parse(resumedFrom ?? '') > Date.parse(range?.start ?? ''), `resumed from ${resumedFrom}`);
    tell(`${what} away: ${during} windows meanwhile, the status caught up after ${caughtUpMs} ms`);
    tell(`with the chart's lease: worker ended after ${carefulMs} ms, went on ${resumedMs} ms after it was back`);

    /** How many milliseconds after the end of the outage the condition became true. */
    async function reached(goal: string, { operator }: Pair, holds: () => Promise<boolean>): Promise<number> {
      // Right after its start etcd may still reject a request.
      const again = () => holds().catch(() => false);
      await eventually(goal, again, CATCH_UP_MS, () => operator.log().slice(-4_000));
      return Date.now() - backMs;
    }
  }

  it('has restarted nothing, lost nothing and written nothing twice', async function () {
    this.timeout(240_000);
    assert.deepEqual(workersOf(patient.operator), { started: 1, running: 1 }, 'one worker from beginning to end');
    assert.equal(lossesOf(patient.operator), 0);
    assert.equal(workersOf(careful.operator).started, 3);
    assert.equal(lossesOf(careful.operator), 2);
    for (const { migration, operator } of [patient, careful]) {
      await migration.finish();
      const samples = await migration.assertAllThereOnce();
      const lag = metricSum(await operator.metrics(), 'prom_migrator_operator_event_loop_lag_seconds');
      tell(
        `${samples} samples compared, 0 differences; event loop lag at full speed at most ${Math.round(1000 * lag)} ms`,
      );
      assert.equal(await operator.stop(), 0, operator.log().slice(-4_000));
    }
    assert.equal((await patient.migration.status()).resumedFrom, undefined);
  });
});

function resumesOf(operator: OperatorProcess): number {
  return operator.logLines().filter(({ event }) => event === 'Resumed').length;
}

function lossesOf(operator: OperatorProcess): number {
  return operator.logLines().filter(({ message }) => /^the lease is lost/.test(String(message))).length;
}

/** According to its log. */
function workersOf(operator: OperatorProcess): { started: number; running: number } {
  const messages = operator.logLines().map(({ message }) => message);
  const started = messages.filter((message) => message === 'worker started').length;
  const ended = messages.filter((message) =>
    /^(?:worker stopped|migration finished|migration failed|attempt ended)/.test(String(message)),
  );
  return { started, running: started - ended.length };
}

function longestGapMs(timesMs: readonly number[]): number {
  return Math.max(...timesMs.slice(1).map((timeMs, index) => timeMs - (timesMs[index] ?? 0)));
}
