// User actions on a PromMigration before it can run, while it runs and after it has ended: suspended, deleted, edited, without its Secret,
// out of time. The API server is a real one; source and destination are a store that injects faults and counts every request.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { tell } from '../real/support/expectations.ts';
import type { Cluster } from '../support/kubernetes/cluster.ts';
import type { FakeStore, Fault } from './support/fake-store.ts';
import { DAY, HOUR, type Lifecycle, SLOW, startLifecycle, type TimeRange } from './support/lifecycle.ts';
import { conditionOf, MigrationObjects, standOf } from './support/migration-objects.ts';
import {
  eventually,
  type InstalledChart,
  installChart,
  type OperatorProcess,
  startOperator,
  untilReady,
} from './support/operator.ts';

describe('the life cycle of a PromMigration', function () {
  this.timeout(240_000);
  let world: Lifecycle;
  let cluster: Cluster;
  let chart: InstalledChart;
  let store: FakeStore;
  let operator: OperatorProcess;
  let migrations: MigrationObjects;

  before(async function () {
    this.timeout(900_000);
    world = await startLifecycle();
    ({ cluster, chart, store, operator, migrations } = world);
    // Detected only after half a minute: a later test checks it.
    store.faults.set('stalled', ({ kind }) => (kind === 'read' ? { status: 503, body: 'later' } : undefined));
    await migrations.create('stalled', { ...store.spec('stalled', HOUR), progressDeadlineSeconds: 30 });
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
  });

  const startSlow = (name: string, spec?: object) => world.startSlow(name, spec);
  const assertAllThereOnce = (tenant: string, range: TimeRange) => world.assertAllThereOnce(tenant, range);
  const countLog = (name: string, message: string) => world.countLog(name, message);

  it('is suspended after the window in flight, stops, and resumes where it was', async () => {
    await startSlow('suspended');
    await migrations.edit('suspended', { suspend: true });
    const { status } = await migrations.untilPhase('suspended', 'Suspended');
    assert.equal(standOf(status, 'Progressing'), 'False Suspended');
    assert.equal(standOf(status, 'Succeeded'), 'Unknown Suspended');
    const requests = store.countRequests('suspended');
    const stored = store.storedSamples('suspended');
    assert.equal(status?.progress?.samplesWritten, stored, 'what is in the destination is what the status says');
    assert.equal(Date.parse(status?.progress?.through ?? ''), DAY.startMs + (stored / 2) * 60_000, 'whole windows');
    await sleep(4_000);
    assert.equal(store.countRequests('suspended'), requests, 'not one request while it is suspended');

    await migrations.edit('suspended', { suspend: false, limits: { samplesPerSecond: null } });
    const ended = await migrations.untilPhase('suspended', 'Succeeded');
    assertAllThereOnce('suspended', DAY);
    assert.equal(ended.status?.progress?.samplesWritten, store.expectedSamples(DAY));
    assert.equal(Date.parse(ended.status?.resumedFrom ?? ''), Date.parse(status?.progress?.through ?? ''));
    await eventually('its events are told', async () => {
      const reasons = await world.reasonsOf('suspended');
      return ['Started', 'Suspended', 'Resumed', 'Succeeded'].every((reason) => reasons.includes(reason));
    });
  });

  it('that is created suspended reads and writes nothing until it is resumed', async () => {
    await migrations.create('later', { ...store.spec('later', HOUR), suspend: true });
    await migrations.untilPhase('later', 'Suspended');
    await sleep(1_000);
    assert.equal(store.countRequests('later'), 0);
    await migrations.edit('later', { suspend: false });
    await migrations.untilPhase('later', 'Succeeded');
    assertAllThereOnce('later', HOUR);
  });

  for (const [name, what, fault] of [
    ['deleted', 'whose destination takes two seconds for a request', { delayMs: 2_000 }],
    ['deleted-in-silence', 'whose destination never responds', 'silence'],
  ] as const satisfies [string, string, Fault][]) {
    it(`writes nothing five seconds after it is deleted, ${what}`, async () => {
      await startSlow(name, { limits: { samplesPerSecond: 1000 } });
      let underWay = 0;
      store.faults.set(name, ({ kind }) => {
        if (kind === 'write') underWay++;
        return kind === 'write' ? fault : undefined;
      });
      await eventually('a write is under way', () => underWay > 0);
      const deletedMs = Date.now();
      await migrations.delete(name);
      assert.equal(await migrations.exists(name), false, 'no finalizer holds it');
      await operator.saying(new RegExp(`deleted: its worker is terminated.*${name}`));
      await eventually('its series are gone', async () => !(await operator.metrics()).includes(`team-a/${name}"`));
      await sleep(Math.max(0, deletedMs + 8_000 - Date.now()));
      const last = Math.max(...store.requests.filter(({ tenant }) => tenant === name).map(({ atMs }) => atMs));
      const lastWrite = Math.max(...store.writesOf(name).map(({ atMs }) => atMs));
      tell(`last request ${last - deletedMs} ms, last write ${lastWrite - deletedMs} ms after the deletion`);
      assert.ok(last <= deletedMs + 5_000, `a request came ${last - deletedMs} ms after it was deleted`);
      assert.ok(lastWrite <= deletedMs + 5_000, `a write came ${lastWrite - deletedMs} ms after it was deleted`);
      store.faults.delete(name);
    });
  }

  it('that a foreign finalizer keeps is reported as deleted, and neither as running nor with a rate', async () => {
    await startSlow('kept');
    await migrations.putFinalizers('kept', ['example.org/audit']);
    await migrations.until('kept', 'shows a rate', ({ progress }) => (progress?.samplesPerSecond ?? 0) > 0);
    await migrations.delete('kept');
    const { status } = await migrations.untilPhase('kept', 'Terminating');
    assert.equal(standOf(status, 'Progressing'), 'False Deleting');
    assert.equal(standOf(status, 'Succeeded'), 'Unknown Deleting');
    assert.deepEqual([status?.progress?.rate, status?.progress?.remaining], [undefined, undefined]);
    // The last request may have been aborted after it had arrived.
    assert.ok((status?.progress?.samplesWritten ?? 0) <= store.storedSamples('kept'));
    const requests = store.countRequests('kept');
    await sleep(3_000);
    assert.equal(store.countRequests('kept'), requests, 'nothing is read or written any more');
    await migrations.putFinalizers('kept', []);
    await eventually('it is gone', async () => !(await migrations.exists('kept')));
  });

  it('that is created again after it was deleted resumes at the mark in the destination', async () => {
    const before = store.storedSamples('deleted');
    assert.ok(before > 0 && before < store.expectedSamples(DAY));
    await migrations.create('deleted', { ...store.spec('deleted', DAY), window: SLOW.window });
    const { status } = await migrations.untilPhase('deleted', 'Succeeded');
    assertAllThereOnce('deleted', DAY);
    assert.ok(Date.parse(status?.resumedFrom ?? '') > DAY.startMs, 'resumed');
    const { samplesWritten = 0, samplesAlreadyPresent = 0 } = status?.progress ?? {};
    assert.equal(samplesWritten + samplesAlreadyPresent, store.expectedSamples(DAY), 'earlier samples are counted too');
  });

  it('applies edited limits without a restart of its worker', async () => {
    await startSlow('limits', { limits: { samplesPerSecond: 400 } });
    await migrations.edit('limits', { limits: { samplesPerSecond: 4 } });
    await operator.saying(/limits changed.*"limits"|"limits".*limits changed/);
    // Samples that the rate limit had already admitted may still be in flight.
    await sleep(2_000);
    const before = store.storedSamples('limits');
    await sleep(6_000);
    const written = store.storedSamples('limits') - before;
    assert.ok(written <= 4 * 8 + 20, `${written} samples in six seconds with four a second`);
    assert.ok(before + written < store.expectedSamples(DAY), 'it is not over yet');
    await migrations.edit('limits', { limits: { samplesPerSecond: null } });
    await migrations.untilPhase('limits', 'Succeeded', 20_000);
    assertAllThereOnce('limits', DAY);
    assert.equal(countLog('limits', 'worker started'), 1);
    assert.equal(countLog('limits', 'limits changed'), 2);
  });

  it('is restarted, and resumes, after an edit that a running worker cannot apply', async () => {
    await startSlow('window');
    await migrations.edit('window', { window: { max: '5m' }, limits: { samplesPerSecond: null } });
    await migrations.untilPhase('window', 'Succeeded');
    assertAllThereOnce('window', DAY);
    assert.equal(countLog('window', 'worker started'), 2);
  });

  it('is deleted the given time after its end, and the copied data stays', async () => {
    await migrations.create('ttl', { ...store.spec('ttl', HOUR), ttlSecondsAfterFinished: 4 });
    await migrations.untilPhase('ttl', 'Succeeded');
    const endedMs = Date.now();
    await eventually('it is gone', async () => !(await migrations.exists('ttl')), 30_000);
    // completionTime is in whole seconds.
    assert.ok(Date.now() - endedMs >= 2_500, `gone ${Date.now() - endedMs} ms after its end`);
    assertAllThereOnce('ttl', HOUR);
  });

  it('fails at its active deadline, and is retried with a longer one', async () => {
    await startSlow('deadline', { activeDeadlineSeconds: 6 });
    const { status } = await migrations.untilPhase('deadline', 'Failed');
    assert.equal(standOf(status, 'Succeeded'), 'False DeadlineExceeded');
    await migrations.kubectlWait('deadline', 'Stalled');
    assert.ok(status?.completionTime);
    const requests = store.countRequests('deadline');
    await eventually('its event is told', async () => (await world.reasonsOf('deadline')).includes('Failed'));
    await sleep(2_000);
    assert.equal(store.countRequests('deadline'), requests, 'nothing is read or written any more');
    await migrations.edit('deadline', { activeDeadlineSeconds: 3_600, limits: { samplesPerSecond: null } });
    await migrations.kubectlWait('deadline', 'Ready');
    const ended = await migrations.get('deadline');
    assert.equal(standOf(ended.status, 'Reconciling'), 'False Finished');
    assert.equal(ended.status?.observedGeneration, ended.metadata.generation);
    assertAllThereOnce('deadline', DAY);
  });

  it('is not started when the operator finds an error that the API server could not detect', async () => {
    await migrations.create('invalid', { ...store.spec('invalid', HOUR), selectors: ['{job=~"("}'] });
    const { status } = await migrations.until('invalid', 'is refused', ({ conditions }) => conditions !== undefined);
    assert.equal(standOf(status, 'Accepted'), 'False InvalidSpec');
    assert.equal(standOf(status, 'Progressing'), 'False NotAccepted');
    assert.equal(status?.phase, 'Pending');
    assert.match(conditionOf(status, 'Accepted')?.message ?? '', /spec\.selectors\[0\]/);
    assert.equal(store.countRequests('invalid'), 0);
    const refused = await migrations.tryToCreate('refused', { ...store.spec('refused', HOUR), selectors: [] });
    assert.equal(refused.status, 422, JSON.stringify(refused.body));
  });

  it('is not affected by an edited status', async () => {
    await startSlow('forged');
    const lie = {
      phase: 'Succeeded',
      completionTime: '2025-05-02T00:00:00Z',
      resumedFrom: '2025-05-01T20:00:00Z',
      progress: {
        percent: 99,
        display: '99%',
        through: '2025-05-01T23:00:00Z',
        samplesWritten: 2_760,
        samples: '2.8k',
      },
    };
    const forged = await migrations.forge('forged', lie);
    await migrations.until('forged', 'says the truth again', ({ phase }) => phase === 'Running');
    const after = (await migrations.versionsSince(forged)).filter(({ status }) => status?.phase === 'Running');
    assert.ok(after.length > 0);
    for (const { status } of after) {
      assert.deepEqual([status?.completionTime, status?.resumedFrom], [undefined, undefined], 'nothing of the lie');
      assert.ok((status?.progress?.percent ?? 100) < 50, `${status?.progress?.percent} %`);
    }
    await migrations.edit('forged', { suspend: true });
    await migrations.untilPhase('forged', 'Suspended');
    const stored = store.storedSamples('forged');
    await migrations.forge('forged', {
      progress: lie.progress,
      range: { start: lie.resumedFrom, end: lie.resumedFrom },
    });
    await migrations.edit('forged', { suspend: false, limits: { samplesPerSecond: null } });
    const { status } = await migrations.untilPhase('forged', 'Succeeded');
    assertAllThereOnce('forged', DAY);
    assert.equal(Date.parse(status?.resumedFrom ?? ''), DAY.startMs + (stored / 2) * 60_000);
    assert.equal(status?.progress?.samplesWritten, store.expectedSamples(DAY));
    assert.deepEqual(status?.range, { start: '2025-05-01T00:00:00Z', end: '2025-05-02T00:00:00Z' });
  });

  it('is reported as stalled without progress, retried, and continues when its source is back', async () => {
    const stalled = await migrations.untilPhase('stalled', 'Stalled');
    assert.equal(standOf(stalled.status, 'Progressing'), 'False NoProgress');
    assert.equal(standOf(stalled.status, 'Degraded'), 'True SourceFailing');
    assert.equal(standOf(stalled.status, 'Succeeded'), 'Unknown SourceFailing');
    await eventually('its event is told', async () => {
      return (await migrations.events('stalled')).some(
        ({ reason, type }) => reason === 'NoProgress' && type === 'Warning',
      );
    });
    const requests = store.countRequests('stalled');
    await eventually('it is still tried', () => store.countRequests('stalled') > requests);
    store.faults.delete('stalled');
    const { status } = await migrations.untilPhase('stalled', 'Succeeded', 90_000);
    assert.equal(standOf(status, 'Degraded'), 'False AsExpected');
    assertAllThereOnce('stalled', HOUR);
  });

  it('that has finished stays so after a restart of the operator: nothing is read, nothing written', async () => {
    await startSlow('given-up', { activeDeadlineSeconds: 3 });
    await migrations.untilPhase('given-up', 'Failed');
    assert.equal(await operator.stop(), 0);
    const before = await migrations.list();
    const ended = before.filter(({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed');
    assert.ok(ended.length >= 9, `${ended.length} have ended`);
    assert.equal(ended.length, before.length - 1, 'all but the invalid one');
    const requests = store.countRequests();
    operator = world.operator = await startOperator({ chart });
    await untilReady(operator);
    await operator.saying(/leading/);
    // Reported after the others, once the list is complete.
    await operator.saying(/not accepted.*"invalid"|"invalid".*not accepted/);
    await sleep(5_000);
    assert.equal(store.countRequests(), requests);
    const after = new Map((await migrations.list()).map((object) => [object.metadata.name, object]));
    for (const { metadata, status } of ended) {
      assert.equal(after.get(metadata.name)?.metadata.resourceVersion, metadata.resourceVersion, metadata.name);
      assert.deepEqual(after.get(metadata.name)?.status, status);
    }
    assert.equal(countLog('given-up', 'worker started'), 0);
  });

  it('in a namespace that is not watched is ignored', async () => {
    await operator.stop();
    const watched = await MigrationObjects.inNamespace(cluster, 'watched');
    const unwatched = await MigrationObjects.inNamespace(cluster, 'unwatched');
    const narrow = await installChart(
      cluster,
      { watchNamespaces: ['watched'], crds: { enabled: false } },
      { release: 'narrow', namespace: 'narrow' },
    );
    await using own = await startOperator({ chart: narrow });
    await untilReady(own);
    await unwatched.create('left-alone', store.spec('left-alone', HOUR));
    await watched.create('looked-after', store.spec('looked-after', HOUR));
    await watched.untilPhase('looked-after', 'Succeeded');
    await sleep(2_000);
    assert.deepEqual((await unwatched.get('left-alone')).status, { observedGeneration: -1 });
    assert.equal(store.countRequests('left-alone'), 0);
    assert.doesNotMatch(own.log(), /forbidden/i, 'it asks for nothing that it has no right to');
    assert.doesNotMatch(await own.metrics(), /left-alone/);
  });
});
