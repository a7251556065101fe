// A thousand small migrations through one operator, and its restart with a thousand finished ones: all succeed, with little memory and few
// API requests for each. The API server is a real one, and its audit log is the evidence; the store is a fake, since the operator is under
// test.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { tell } from '../real/support/expectations.ts';
import type { AuditEvent } from '../support/kubernetes/audit-events.ts';
import { type Cluster, startCluster } from '../support/kubernetes/cluster.ts';
import { type FakeStore, startFakeStore } from './support/fake-store.ts';
import { MigrationObjects } from './support/migration-objects.ts';
import {
  eventually,
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  untilReady,
} from './support/operator.ts';
import { metricSum } from './support/slow-migration.ts';

const MIGRATIONS = 1_000;
const AT_ONCE = 8;
/** A small migration takes seconds: when none has ended for this long, something is stuck. */
const NO_MORE_MS = 60_000;
const RANGE = { startMs: Date.UTC(2025, 4, 1), endMs: Date.UTC(2025, 4, 1, 0, 30) };

describe(`${MIGRATIONS} PromMigrations`, function () {
  this.timeout(900_000);
  let cluster: Cluster;
  let chart: InstalledChart;
  let store: FakeStore;
  let operator: OperatorProcess;
  let migrations: MigrationObjects;

  before(async function () {
    this.timeout(900_000);
    cluster = await startCluster({ audit: true });
    store = await startFakeStore();
    chart = await installChart(cluster, { maxMigrations: AT_ONCE });
    migrations = await MigrationObjects.inNamespace(cluster, 'many');
    operator = await startOperator({ chart });
    await untilReady(operator);
  });

  after(async () => {
    await operator?.[Symbol.asyncDispose]();
    await store?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** The operator's API requests since then, without watches, leases and lists. */
  async function requestsSince(sinceMs: number): Promise<AuditEvent[]> {
    const { namespace, serviceAccount } = chart;
    const events = await cluster.auditEvents();
    return events.filter(
      ({ user, verb, objectRef, requestReceivedTimestamp, stage }) =>
        user.username === `system:serviceaccount:${namespace}:${serviceAccount}` &&
        stage === 'ResponseComplete' &&
        Date.parse(requestReceivedTimestamp) >= sinceMs &&
        verb !== 'watch' &&
        verb !== 'list' &&
        objectRef?.resource !== 'leases',
    );
  }

  it('all succeed, each with a few requests and without permanently growing memory', async () => {
    const names = Array.from({ length: MIGRATIONS }, (_, number) => `small-${String(number).padStart(4, '0')}`);
    const idle = await memoryOf(operator.pid);
    const startMs = Date.now();
    await Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (const name of names.filter((_, number) => number % 8 === lane)) {
          await migrations.create(name, store.spec(name, RANGE));
        }
      }),
    );
    const createdMs = Date.now();
    let lagSeconds = 0;
    const counted = async () => {
      const text = await operator.metrics();
      lagSeconds = Math.max(lagSeconds, metricSum(text, 'prom_migrator_operator_event_loop_lag_seconds'));
      return metricSum(text, 'prom_migrator_operator_migrations', 'phase="Succeeded"');
    };
    const halfway: { rssBytes?: number } = {};
    // The rate depends on the load of the machine: the test fails only when no more migrations end.
    for (let done = 0, before = 0; done < MIGRATIONS; before = done) {
      await eventually(
        `more than ${before} have succeeded`,
        async () => {
          await sleep(900);
          done = await counted();
          return done > before;
        },
        NO_MORE_MS,
        () => operator.log().slice(-4_000),
      );
      if (done >= MIGRATIONS / 2) halfway.rssBytes ??= (await memoryOf(operator.pid)).rssBytes;
    }
    const seconds = (Date.now() - startMs) / 1000;

    const all = await migrations.list();
    assert.equal(all.length, MIGRATIONS);
    const samples = store.expectedSamples(RANGE);
    for (const { metadata, status } of all) {
      assert.equal(status?.phase, 'Succeeded', metadata.name);
      assert.equal(status.progress?.samplesWritten, samples, metadata.name);
      assert.equal(store.storedSamples(metadata.name), samples, metadata.name);
    }
    assert.equal(store.repeated.size, 0, 'nothing was written twice');

    const requests = await requestsSince(startMs);
    const refused = requests.filter(({ responseStatus }) => (responseStatus?.code ?? 0) === 403);
    assert.deepEqual(refused, []);
    const writes = requests.filter(({ objectRef }) => objectRef?.subresource === 'status');
    const busiest = Math.max(...perSecond(writes).values());
    const events = requests.filter(({ objectRef }) => objectRef?.resource === 'events');
    const memory = await memoryOf(operator.pid);
    tell(`${MIGRATIONS} created in ${((createdMs - startMs) / 1000).toFixed(1)} s, ended in ${seconds.toFixed(1)} s`);
    tell(
      `${requests.length} requests: ${writes.length} of status (at most ${busiest} a second), ${events.length} of events`,
    );
    tell(
      `RSS ${mebibytes(idle.rssBytes)} idle, ${mebibytes(halfway.rssBytes ?? 0)} half way, ${mebibytes(memory.rssBytes)} at the end, peak ${mebibytes(memory.peakBytes)}; event loop lag at most ${(lagSeconds * 1000).toFixed(0)} ms`,
    );
    // Pending, Starting, Copying, and the end.
    assert.ok(writes.length <= 4 * MIGRATIONS + 20, `${writes.length} writes of status`);
    assert.ok(events.length <= 2 * MIGRATIONS + 20, `${events.length} requests for events`);
    assert.ok(requests.length <= 6 * MIGRATIONS + 100, `${requests.length} requests`);
    // The API server's own limits for a single client are far higher.
    assert.ok(busiest <= 600, `${busiest} writes of status in one second`);
    // The second half must cost less than the first, or ten thousand migrations would be too many.
    assert.ok(memory.rssBytes - (halfway.rssBytes ?? 0) < 256 * 2 ** 20, 'it keeps growing');
    // The memory rule of the chart, of which these migrations need little: 356 MiB for each running one.
    assert.ok(memory.peakBytes < (200 + AT_ONCE * 180) * 2 ** 20, `peak ${mebibytes(memory.peakBytes)}`);
    const { failed, conflicts } = await outcomes();
    assert.equal(failed, 0, 'no write of a status failed');
    assert.ok(conflicts <= MIGRATIONS / 50, `${conflicts} writes met a newer version`);
  });

  it('that have finished cost a new operator one list and nothing else', async () => {
    const stoppedMs = Date.now();
    assert.equal(await operator.stop(), 0);
    assert.ok(Date.now() - stoppedMs < 10_000, 'nothing runs, so that stopping takes no time');
    const versions = new Map(
      (await migrations.list()).map(({ metadata }) => [metadata.name, metadata.resourceVersion]),
    );
    const requests = store.countRequests();
    const startMs = Date.now();
    operator = await startOperator({ chart });
    await untilReady(operator);
    await operator.saying(/leading/);
    const readyMs = Date.now();
    await eventually('every one was looked at', async () => {
      return metricSum(await operator.metrics(), 'prom_migrator_operator_reconcile_total') >= MIGRATIONS;
    });
    await sleep(5_000);
    const { rssBytes } = await memoryOf(operator.pid);
    tell(`leading after ${readyMs - startMs} ms, RSS ${mebibytes(rssBytes)} with ${MIGRATIONS} that have ended`);
    assert.equal(store.countRequests(), requests, 'nothing is read, nothing is written');
    assert.deepEqual(await requestsSince(startMs), [], 'nothing is asked or told');
    for (const { metadata } of await migrations.list()) {
      assert.equal(metadata.resourceVersion, versions.get(metadata.name), metadata.name);
    }
    assert.ok(rssBytes < 400 * 2 ** 20, mebibytes(rssBytes));
  });

  async function outcomes(): Promise<{ failed: number; conflicts: number }> {
    const text = await operator.metrics();
    const count = (result: string) => metricSum(text, 'prom_migrator_operator_status_writes_total', `"${result}"`);
    return { failed: count('error') + count('gone'), conflicts: count('conflict') };
  }
});

function perSecond(events: readonly AuditEvent[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { requestReceivedTimestamp } of events) {
    const second = requestReceivedTimestamp.slice(0, 19);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  return counts;
}

/** Current and peak resident size; Linux only, like the cluster. */
async function memoryOf(pid: number): Promise<{ rssBytes: number; peakBytes: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { rssBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
