import assert from 'node:assert/strict';
import { Secret } from '../../src/telemetry/secret.ts';
import { KubeApiError } from '../../src/operator/kube/kube-errors.ts';
import { shownTexts } from '../support/secrets.ts';
import type { FakeWorker } from './support/fake-worker.ts';
import { running, Stage, started } from './support/controller-stage.ts';
import { endMs, migrationOf, startMs } from './support/migrations.ts';

const done = { watermarkMs: endMs, samplesRead: 10, samplesWritten: 10, windows: 3 };
const source = { url: 'http://source/api/v1/read', authorization: { credentials: { name: 'token', key: 'value' } } };
const unauthorized = { code: 'unauthorized', message: 'source returned 401', side: 'source' } as const;

function tokenOf({ job }: FakeWorker): string | undefined {
  const { auth } = job.plan.source;
  return auth.kind === 'authorization' ? auth.credentials.reveal() : undefined;
}

describe('the controller', () => {
  it('runs a migration from creation to completion', async () => {
    await using stage = new Stage();
    stage.put(migrationOf());
    await stage.lead();
    assert.equal(stage.phase('copy'), 'Running');
    assert.equal(stage.condition('copy', 'Progressing'), 'True Starting');
    stage.worker('copy').report({}, started);
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Progressing'), 'True Copying');
    stage.worker('copy').report({ watermarkMs: startMs + 43_200_000, samplesWritten: 5, windows: 1 });
    await stage.pass(10_000);
    assert.equal(stage.resource('copy').status?.progress?.display, '50.0%');
    stage.worker('copy').report({ ...done, phase: 'Succeeded' });
    stage.worker('copy').end('Succeeded', undefined, done);
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Succeeded');
    assert.equal(stage.condition('copy', 'Succeeded'), 'True Completed');
    assert.equal(stage.resource('copy').status?.progress?.samplesWritten, 10);
    assert.deepEqual(stage.events, ['copy Started', 'copy Succeeded']);
    assert.equal(stage.workers.length, 1);
  });

  it('limits the status writes of a running migration', async () => {
    await using stage = await running();
    const before = stage.statusWrites;
    for (let second = 0; second < 60; second++) {
      stage.worker('copy').report({ samplesWritten: second, watermarkMs: startMs + second });
      await stage.pass(1_000);
    }
    const writes = stage.statusWrites - before;
    assert.ok(writes >= 5 && writes <= 7, `${writes} writes in a minute`);
  });

  it('assigns slots in order of creation, and the next one as soon as one is free', async () => {
    await using stage = new Stage({ maxMigrations: 2 });
    stage.put(
      migrationOf({ name: 'a', createdAt: '2025-06-01T00:00:03Z' }),
      migrationOf({ name: 'b', createdAt: '2025-06-01T00:00:02Z' }),
      migrationOf({ name: 'c', createdAt: '2025-06-01T00:00:01Z' }),
      migrationOf({ name: 'd', createdAt: '2025-06-01T00:00:00Z' }),
    );
    await stage.lead();
    const names = () => stage.workers.map(({ job }) => job.plan.migration);
    assert.deepEqual(names().sort(), ['team/c', 'team/d']);
    assert.equal(stage.phase('a'), 'Pending');
    assert.equal(stage.condition('a', 'Progressing'), 'False WaitingForWorker');
    stage.worker('c').end('Succeeded', undefined, done);
    await stage.pass(1_000);
    assert.deepEqual(names().slice(2), ['team/b']);
    stage.spec('b', { suspend: true });
    await stage.pass(0);
    stage.worker('b').end('Interrupted');
    await stage.pass(1_000);
    assert.deepEqual(names().slice(3), ['team/a']);
    assert.equal(stage.phase('b'), 'Suspended');
  });

  it('stops the active deadline while a migration is suspended, like a Job', async () => {
    await using stage = new Stage();
    stage.put(migrationOf({ spec: { activeDeadlineSeconds: 60 } }));
    await stage.lead();
    await stage.pass(40_000);
    stage.spec('copy', { suspend: true });
    await stage.pass(1_000);
    stage.worker('copy').end('Interrupted');
    await stage.pass(3_600_000);
    assert.equal(stage.phase('copy'), 'Suspended');
    assert.equal(stage.resource('copy').status?.startTime, undefined);
    stage.spec('copy', { suspend: false });
    await stage.pass(50_000);
    assert.equal(stage.phase('copy'), 'Running');
    await stage.pass(15_000);
    stage.worker('copy').end('Interrupted');
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Succeeded'), 'False DeadlineExceeded');
  });

  it('reports a missing Secret, keeps looking, and lets others run meanwhile', async () => {
    await using stage = new Stage({ maxMigrations: 1 });
    stage.put(
      migrationOf({ name: 'early', createdAt: '2025-01-01T00:00:00Z', spec: { source } }),
      migrationOf({ name: 'late' }),
    );
    await stage.lead();
    assert.equal(stage.condition('early', 'Accepted'), 'False SecretNotFound');
    const message = stage.resource('early').status?.conditions?.[0]?.message;
    assert.equal(message, 'Secret "token" with the key "value" not found');
    assert.equal(stage.workers.length, 1);
    stage.worker('late').end('Succeeded', undefined, done);
    await stage.pass(30_000);
    const reads = stage.secretReads;
    assert.ok(reads >= 4 && reads <= 6, `${reads} reads in half a minute`);
    stage.secrets.set('token/value', new Secret('hunter2'));
    await stage.pass(60_000);
    assert.equal(stage.phase('early'), 'Running');
    assert.equal(tokenOf(stage.worker('early')), 'hunter2');
    const { job, received } = stage.worker('early');
    const shown = shownTexts([job, received, stage.resource('early'), [...stage.logs]]);
    assert.doesNotMatch(shown, /hunter2/);
  });

  it('reads the Secrets again when credentials are rejected, with increasing delays', async () => {
    await using stage = new Stage();
    stage.secrets.set('token/value', new Secret('old'));
    stage.put(migrationOf({ spec: { source } }));
    await stage.lead();
    stage.worker('copy').end('Failed', unauthorized);
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Running');
    assert.equal(stage.condition('copy', 'Degraded'), 'True CredentialsRefused');
    stage.secrets.set('token/value', new Secret('new'));
    await stage.pass(5_000);
    assert.equal(stage.workers.length, 2);
    assert.equal(tokenOf(stage.worker('copy')), 'new');
    stage.worker('copy').end('Failed', unauthorized);
    await stage.pass(9_000);
    assert.equal(stage.workers.length, 2);
    await stage.pass(2_000);
    assert.equal(stage.workers.length, 3);
    assert.equal(stage.resource('copy').status?.recentErrors?.[0]?.code, 'unauthorized');
  });

  it('restarts a crashed worker, and resets the crash count when a window is finished', async () => {
    await using stage = await running();
    const crash = (name: string) => {
      stage.worker(name).fail(Object.assign(new Error('no more heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }));
      stage.worker(name).exit(1);
    };
    crash('copy');
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Degraded'), 'True WorkerCrashed');
    await stage.pass(5_000);
    assert.equal(stage.workers.length, 2);
    stage.worker('copy').report({ resumedFromMs: startMs, windows: 1, watermarkMs: startMs + 1 }, started);
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
    crash('copy');
    await stage.pass(5_500);
    assert.equal(stage.workers.length, 3);
  });

  it('reads and writes nothing for finished migrations', async () => {
    const finished = await running();
    finished.worker('copy').end('Succeeded', undefined, done);
    await finished.pass(1_000);
    const { status } = finished.resource('copy');
    await finished[Symbol.asyncDispose]();
    assert.ok(status !== undefined);

    await using stage = new Stage();
    for (let index = 0; index < 20; index++) stage.put(migrationOf({ name: `old-${index}`, status }));
    await stage.lead();
    await stage.pass(3_600_000);
    assert.deepEqual([stage.secretReads, stage.statusWrites, stage.workers.length], [0, 0, 0]);
  });

  it('reports a stall, keeps trying, and clears the condition afterwards', async () => {
    await using stage = await running({ spec: { progressDeadlineSeconds: 30 } });
    await stage.pass(40_000);
    assert.equal(stage.phase('copy'), 'Stalled');
    assert.equal(stage.condition('copy', 'Progressing'), 'False NoProgress');
    assert.deepEqual(stage.worker('copy').received, []);
    stage.worker('copy').report({ windows: 1, watermarkMs: startMs + 1 });
    await stage.pass(10_000);
    assert.equal(stage.phase('copy'), 'Running');
    assert.deepEqual(stage.events, ['copy Started', 'copy NoProgress']);
  });

  it('fails a migration at its active deadline', async () => {
    await using stage = await running({ spec: { activeDeadlineSeconds: 20 } });
    await stage.pass(20_000);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'abort' }]);
    stage.worker('copy').end('Interrupted');
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Failed');
    assert.equal(stage.condition('copy', 'Succeeded'), 'False DeadlineExceeded');
    await stage.pass(600_000);
    assert.equal(stage.workers.length, 1);
  });

  it('writes the final status as soon as the API server allows it', async () => {
    await using stage = await running();
    for (let index = 0; index < 5; index++) {
      stage.writeFailures.push(new KubeApiError({ status: 503, reason: '', message: 'no etcd' }));
    }
    stage.worker('copy').end('Succeeded', undefined, done);
    await stage.pass(10_000);
    assert.equal(stage.phase('copy'), 'Running');
    await stage.pass(60_000);
    assert.equal(stage.phase('copy'), 'Succeeded');
    assert.equal(stage.workers.length, 1);
  });

  it('reconciles again when the object changed during a write', async () => {
    await using stage = await running();
    stage.writeFailures.push(new KubeApiError({ status: 409, reason: 'Conflict', message: 'changed' }));
    stage.worker('copy').end('Succeeded', undefined, done);
    await stage.pass(2_000);
    assert.equal(stage.phase('copy'), 'Succeeded');
  });

  it('stops its workers and writes nothing when it loses leadership', async () => {
    await using stage = await running();
    stage.leads = false;
    const abandoned = stage.controller.abandon();
    assert.deepEqual(stage.worker('copy').received, [{ type: 'abort' }]);
    const writes = stage.statusWrites;
    await stage.pass(1_000);
    await abandoned;
    assert.equal(stage.worker('copy').terminated, true);
    stage.put(migrationOf({ name: 'new' }));
    await stage.pass(60_000);
    assert.deepEqual([stage.workers.length, stage.statusWrites], [1, writes]);
  });

  it('resumes from the status when the destination keeps no resume point, and reports it', async () => {
    const destination = { url: 'http://destination/write', progress: { protocol: 'None' } };
    await using first = await running({ spec: { destination } });
    assert.equal(first.condition('copy', 'Accepted'), 'True NoResumePoint');
    assert.equal(first.worker('copy').job.resume, undefined);
    first.worker('copy').report({ watermarkMs: startMs + 3_600_000, windows: 1 });
    await first.pass(10_000);

    await using second = new Stage();
    second.put(first.resource('copy'));
    await second.lead();
    assert.deepEqual(second.worker('copy').job.resume, { fromMs: startMs + 3_600_000, endMs });
  });
});
