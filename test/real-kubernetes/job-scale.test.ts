// Twenty migrations in mode Job with 64 pods at the same time: all succeed, and the operator sends few requests to the API server. The pods
// are light, because the operator and the API server are under test.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { tell } from '../real/support/expectations.ts';
import type { AuditEvent } from '../support/kubernetes/audit-events.ts';
import { JobStage } from './support/job-stage.ts';
import { LightPods } from './support/light-pods.ts';
import { requestsOf, summaryOf } from './support/rights.ts';

const MIGRATIONS = 20;
const PODS = 64;
const HOURS = 12;
/** Meanwhile the pods wait, and the operator only follows. */
const IDLE_MS = 12_000;
/** Of each write. A stretch then takes about a quarter of a minute, so that the operator has progress to show. */
const WRITE_MS = 5_000;
const MINUTE_MS = 60_000;

/** 16 × 3 + 4 × 4 pods. */
const parallelismOf = (index: number) => (index < PODS - 3 * MIGRATIONS ? 4 : 3);

describe(`${MIGRATIONS} migrations in mode Job with ${PODS} pods at once`, function () {
  this.timeout(300_000);
  let pods: LightPods;
  let stage: JobStage;

  before(async function () {
    this.timeout(900_000);
    pods = await LightPods.start();
    stage = await JobStage.start('scale', { entrypoint: pods.entrypoint });
  });

  after(async () => {
    await pods?.[Symbol.asyncDispose]();
    await stage?.[Symbol.asyncDispose]();
  });

  it('succeed, each sample once, with few requests to the API server', async () => {
    const names = Array.from({ length: MIGRATIONS }, (_, index) => `copy-${index}`);
    const startMs = Date.now();
    for (const [index, name] of names.entries()) {
      await stage.migrations.create(name, stage.spec(name, HOURS, { parallelism: parallelismOf(index) }));
    }
    await stage.eventually(`${PODS} pods run`, () => pods.running === PODS, 120_000);
    const runningMs = Date.now();
    await sleep(IDLE_MS);
    const releasedMs = Date.now();
    assert.equal(pods.running, PODS, 'never more');
    for (const name of names) {
      stage.store.faults.set(name, ({ kind }) => (kind === 'write' ? { delayMs: WRITE_MS } : undefined));
    }
    pods.release();
    await stage.eventually(
      'all have succeeded',
      async () => (await stage.migrations.list()).every(({ status }) => status?.phase === 'Succeeded'),
      120_000,
    );
    const endMs = Date.now();
    for (const name of names) {
      assert.equal(stage.store.storedSamples(name), stage.store.expectedSamples(stage.range(HOURS)), name);
      assert.equal(stage.store.repeated.get(name) ?? 0, 0, `${name}: nothing is written twice`);
      const { status } = await stage.migrations.get(name);
      const { job, ...stretches } = status?.stretches ?? {};
      assert.deepEqual(stretches, { total: HOURS / 2, finished: HOURS / 2, running: 0 });
      assert.ok(job);
    }
    const own = (await requestsOf(stage.chart)).filter(isOwnWork);
    const between = (fromMs: number, toMs: number) =>
      own.filter(({ requestReceivedTimestamp }) => {
        const atMs = Date.parse(requestReceivedTimestamp);
        return atMs >= fromMs && atMs < toMs;
      }).length;
    const all = between(startMs, endMs);
    const idle = (between(runningMs, releasedMs) * MINUTE_MS) / (releasedMs - runningMs);
    const copying = (between(releasedMs, endMs) * MINUTE_MS) / (endMs - releasedMs);
    const busiest = Math.max(
      ...own.map(({ requestReceivedTimestamp }) => {
        const fromMs = Date.parse(requestReceivedTimestamp);
        return between(fromMs, fromMs + MINUTE_MS);
      }),
    );
    const seconds = (fromMs: number, toMs: number) => ((toMs - fromMs) / 1000).toFixed(0);
    tell(
      `${PODS} pods after ${seconds(startMs, runningMs)} s, all ${(MIGRATIONS * HOURS) / 2} done ${seconds(releasedMs, endMs)} s after their release`,
    );
    tell(
      `requests of the operator: ${all}, ${idle.toFixed(0)} a minute while the pods wait, ${copying.toFixed(0)} a minute while they copy, ${busiest} in the busiest minute: ${summaryOf(own)}`,
    );
    // Nothing changes, apart from the first numbers of pods.
    assert.ok(idle <= 6 * MIGRATIONS, `${idle} a minute`);
    // A status every ten seconds for each migration, and the two at its end with an event.
    assert.ok(copying <= 10 * MIGRATIONS, `${copying} a minute`);
    // Of each: four statuses and two events at the start and the end, a Job and its ConfigMap.
    assert.ok(busiest <= 16 * MIGRATIONS, `${busiest} in a minute`);
  });
});

/** Without the lease, whose renewal does not depend on the migrations, and watches, which stay open. */
function isOwnWork({ verb, objectRef, stage }: AuditEvent): boolean {
  return stage === 'ResponseComplete' && verb !== 'watch' && objectRef?.resource !== 'leases';
}
