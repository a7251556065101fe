import assert from 'node:assert/strict';
import type { DividedRange } from '../../../src/execute/worker-messages.ts';
import { JobClient } from '../../../src/operator/job/job-client.ts';
import { JobEvents } from '../../../src/operator/job/job-events.ts';
import { jobNameOf } from '../../../src/operator/job/job-names.ts';
import type { ConfigMap, Job } from '../../../src/operator/job/job-objects.ts';
import { KubeClient } from '../../../src/operator/kube/kube-client.ts';
import { isConflict } from '../../../src/operator/kube/kube-errors.ts';
import { FakeApiServer } from '../support/fake-api-server.ts';
import { jobFacts } from '../support/job-facts.ts';
import { endMs, migrationOf, nowMs, startMs } from '../support/migrations.ts';

const JOBS = '/apis/batch/v1/namespaces/team/jobs';
const MAPS = '/api/v1/namespaces/team/configmaps';
const EVENTS = '/api/v1/namespaces/team/events';
const never = new AbortController().signal;
const migration = migrationOf({ spec: { execution: { mode: 'Job' } } });
const name = jobNameOf(migration);
const divided: DividedRange = { frozenEndMs: undefined, stretches: [{ shard: '0', startMs, endMs }] };
const options = { image: 'image:1', imagePullPolicy: undefined, log: { level: 'info', format: 'json' } } as const;

async function start() {
  const server = await FakeApiServer.start();
  const kube = new KubeClient(server.connection, { request: () => {} });
  const client = new JobClient(kube, options);
  return {
    server,
    kube,
    client,
    create: () => client.create(migration, divided, never),
    settings: () => server.read<ConfigMap>(`${MAPS}/${name}`),
    async [Symbol.asyncDispose]() {
      kube.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('the client for Jobs', () => {
  it('creates a Job, and a ConfigMap that belongs to it', async () => {
    await using parts = await start();
    const { uid, settings } = await parts.create();
    await parts.client.putSettings(settings, never);
    assert.equal(parts.server.read<Job>(`${JOBS}/${name}`)?.metadata.uid, uid);
    assert.deepEqual(
      parts.settings()?.metadata.ownerReferences?.map((owner) => `${owner.kind} ${owner.uid}`),
      [`Job ${uid}`],
    );
    assert.equal(await parts.client.hasSettings('team', jobFacts({ name, uid }), never), true);
    assert.equal(await parts.client.hasSettings('team', jobFacts({ name, uid: 'another' }), never), false);
  });

  it('is refused a second Job of the migration, whatever it is made of', async () => {
    await using parts = await start();
    await parts.create();
    const edited = migrationOf({ spec: { execution: { mode: 'Job', job: { priorityClassName: 'low' } } } });
    await assert.rejects(parts.client.create(edited, { ...divided, frozenEndMs: endMs }, never), isConflict);
  });

  const others: readonly [what: string, change: (settings: ConfigMap) => ConfigMap][] = [
    [
      'of an earlier Job',
      ({ metadata, ...rest }) => ({
        ...rest,
        metadata: { ...metadata, ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name, uid: 'earlier' }] },
      }),
    ],
    ['with another content', (settings) => ({ ...settings, data: { ...settings.data, 'stretches.json': '{}' } })],
    ['with more content', (settings) => ({ ...settings, data: { ...settings.data, more: '' } })],
  ];
  for (const [what, change] of others) {
    it(`replaces a ConfigMap ${what}`, async () => {
      await using parts = await start();
      const { settings } = await parts.create();
      const there = parts.server.put(MAPS, change(settings));
      await parts.client.putSettings(settings, never);
      assert.deepEqual(parts.settings()?.data, settings.data);
      assert.deepEqual(parts.settings()?.metadata.ownerReferences, settings.metadata.ownerReferences);
      assert.notEqual(parts.settings()?.metadata.uid, there.metadata.uid);
    });
  }

  it('replaces a ConfigMap at once, not only when garbage is collected', async () => {
    await using parts = await start();
    parts.server.collectsGarbage = false;
    const { settings } = await parts.create();
    parts.server.put(MAPS, { ...settings, data: { ...settings.data, more: '' } });
    await parts.client.putSettings(settings, never);
    assert.deepEqual(parts.settings()?.data, settings.data);
  });

  it('says that another ConfigMap of the name stays', async () => {
    await using parts = await start();
    const { settings } = await parts.create();
    const metadata = { ...settings.metadata, finalizers: ['example.com/keep'] };
    parts.server.put(MAPS, { ...settings, metadata, data: {} });
    await assert.rejects(parts.client.putSettings(settings, never), /does not go away: see its metadata\.finalizers/);
  });

  it('says that a change has met another one, so that it is repeated, and does not miss a Job that is gone', async () => {
    await using parts = await start();
    const { uid } = await parts.create();
    const suspend = () => parts.client.patch('team', jobFacts({ name, uid }), { suspend: true }, never);
    parts.server.fault({ act: { status: 409, reason: 'Conflict' } });
    await assert.rejects(suspend(), isConflict);
    await suspend();
    assert.equal(parts.server.read<Job>(`${JOBS}/${name}`)?.spec.suspend, true);
    parts.server.remove(`${JOBS}/${name}`);
    await suspend();
  });

  it('keeps the ConfigMap of the Job', async () => {
    await using parts = await start();
    const { settings } = await parts.create();
    const there = parts.server.put(MAPS, settings);
    await parts.client.putSettings(settings, never);
    assert.equal(parts.settings()?.metadata.uid, there.metadata.uid);
  });

  it('deletes exactly the Job that it knows, and no later one of its name', async () => {
    await using parts = await start();
    const { uid } = await parts.create();
    await parts.client.delete('team', jobFacts({ name, uid: 'earlier' }), never);
    assert.ok(parts.server.read(`${JOBS}/${name}`));
    await parts.client.delete('team', jobFacts({ name, uid }), never);
    assert.equal(parts.server.read(`${JOBS}/${name}`), undefined);
    await parts.client.delete('team', jobFacts({ name, uid }), never);
  });
});

describe('the events of a Job', () => {
  const eventAt = (timeMs: number, message: string) => ({
    metadata: { name: `event-${timeMs}`, namespace: 'team' },
    reason: 'FailedMount',
    message,
    lastTimestamp: new Date(timeMs).toISOString(),
  });

  it('say why it cannot create pods, unless that is over', async () => {
    await using parts = await start();
    const events = new JobEvents(parts.kube);
    const refusal = () => events.podRefusal('team', 'job-1', nowMs, never);
    assert.equal(await refusal(), undefined);
    parts.server.put(EVENTS, eventAt(nowMs - 120_000, 'exceeded quota: old'));
    assert.equal(await refusal(), undefined, 'pods are missing since later');
    parts.server.put(EVENTS, eventAt(nowMs + 60_000, 'exceeded quota: newer'));
    parts.server.put(EVENTS, eventAt(nowMs + 30_000, 'exceeded quota: new'));
    assert.equal(await refusal(), 'the Job cannot create pods: exceeded quota: newer');
    assert.deepEqual(parts.server.requests[0]?.query, {
      fieldSelector: 'involvedObject.uid=job-1,reason=FailedCreate',
      limit: '50',
    });
  });

  it('say why a pod does not start', async () => {
    await using parts = await start();
    const events = new JobEvents(parts.kube);
    const failure = () => events.startFailure('team', { name: 'copy-0', uid: 'pod-1' }, never);
    assert.equal(await failure(), undefined);
    parts.server.put(EVENTS, eventAt(nowMs, 'secret "login" not found'));
    assert.equal(await failure(), 'pod copy-0 does not start: FailedMount: secret "login" not found');
    assert.equal(parts.server.requests[0]?.query['fieldSelector'], 'involvedObject.uid=pod-1,type=Warning');
    parts.server.fault({ act: { status: 403, reason: 'Forbidden' } });
    assert.equal(await failure(), undefined, 'only the reason is missing');
  });
});
