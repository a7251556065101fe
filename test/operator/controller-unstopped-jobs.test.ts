// The controller with Jobs that must not copy: it stops them, or says that it cannot, and copies nothing beside them.

import assert from 'node:assert/strict';
import { KubeApiError } from '../../src/operator/kube/kube-errors.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { Stage, started } from './support/controller-stage.ts';
import { failedStatus } from './support/decide-inputs.ts';
import { FakeJobs } from './support/fake-jobs.ts';
import { jobFacts } from './support/job-facts.ts';
import { endMs, type MigrationOptions, migrationOf, startMs } from './support/migrations.ts';

const DESTINATION = {
  url: 'http://destination/write',
  ordering: 'Any',
  progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
};
const execution = { mode: 'Job', parallelism: 2 };
const inJob = (spec: object = {}) => ({ destination: DESTINATION, execution, ...spec });
const divided = { type: 'divided', frozenEndMs: undefined, stretches: [{ shard: '0', startMs, endMs }] } as const;
const name = 'copy-0123456789';
const asExpected = {
  type: 'Degraded',
  status: 'False' as const,
  lastTransitionTime: '2025-06-01T11:59:00Z',
  reason: 'AsExpected',
  message: '',
};
const failed = { ...failedStatus, conditions: [...failedStatus.conditions, asExpected] };
const there = { kind: 'there', name, pods: 2, isSuspended: false } as const;
const refused = new KubeApiError({ status: 500, reason: 'InternalError', message: 'failed calling webhook' });

async function following(spec: object = {}, jobs = new FakeJobs()): Promise<{ stage: Stage; jobs: FakeJobs }> {
  const stage = new Stage({ jobs });
  stage.put(migrationOf({ spec: inJob(spec) }));
  await stage.lead();
  stage.worker('copy').report({}, started);
  stage.worker('copy').tell(divided);
  await stage.pass(1_000);
  return { stage, jobs };
}

/** A change of a Job, as its watch would report it. */
async function changed(stage: Stage): Promise<void> {
  stage.controller.changed('team/copy');
  await stage.pass(0);
}

async function seconds(stage: Stage, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    // A worker that says nothing counts as hung.
    stage.workers.at(-1)?.tell({ type: 'heartbeat' });
    await stage.pass(1_000);
  }
}

function message(stage: Stage, type: string): string {
  return stage.resource('copy').status?.conditions?.find((one) => one.type === type)?.message ?? '';
}

function jobName(stage: Stage): string | undefined {
  return stage.resource('copy').status?.stretches?.job;
}

describe('the controller, with a Job that it must stop', () => {
  it('says that the pods of a suspended migration still write until the API server lets it suspend the Job', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    jobs.patchError = refused;
    stage.spec('copy', { suspend: true });
    await stage.pass(0);
    stage.worker('copy').end('Interrupted');
    await seconds(stage, 2);
    assert.equal(stage.phase('copy'), 'Suspended');
    assert.equal(stage.condition('copy', 'Degraded'), 'True JobNotStopped');
    const [{ name: job = '' } = {}] = jobs.jobs;
    assert.match(
      message(stage, 'Degraded'),
      new RegExp(`2 pods of the Job ${job} may still write.*delete job ${job} .*webhook`),
    );
    assert.equal(stage.condition('copy', 'Succeeded'), 'Unknown JobNotStopped');
    assert.equal(jobName(stage), job);
    jobs.patchError = undefined;
    await seconds(stage, 60);
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
  });

  it('says it of a migration that has failed, also under the next operator', async () => {
    const { stage, jobs } = await following({ activeDeadlineSeconds: 10 });
    jobs.patchError = refused;
    await stage.pass(10_000);
    stage.worker('copy').end('Interrupted');
    await seconds(stage, 2);
    assert.equal(stage.condition('copy', 'Succeeded'), 'False DeadlineExceeded');
    assert.equal(stage.condition('copy', 'Degraded'), 'True JobNotStopped');
    const before = stage.resource('copy');
    await stage[Symbol.asyncDispose]();
    await using next = new Stage({ jobs });
    next.put(before);
    await next.lead();
    jobs.patchError = undefined;
    await seconds(next, 10);
    assert.equal(next.condition('copy', 'Degraded'), 'False AsExpected');
    assert.equal(next.condition('copy', 'Succeeded'), 'False DeadlineExceeded');
  });

  it('suspends the Job of a manifest that an edit has made invalid, and follows it until its pods are gone', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    const before = stage.resource('copy').spec.execution;
    stage.spec('copy', { execution: { ...before, stretch: '3h' } });
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Accepted'), 'False InvalidSpec');
    assert.ok(jobs.requests.includes('patch {"suspend":true}'));
    stage.worker('copy').report({ watermarkMs: endMs - 1 });
    await seconds(stage, 30);
    assert.deepEqual(stage.worker('copy').received, [], 'it still follows');
    assert.equal(stage.resource('copy').status?.progress?.percent, 99);
    jobs.change({ active: 0, pods: 0 });
    await changed(stage);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }]);
    stage.worker('copy').end('Interrupted');
    await seconds(stage, 60);
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
    assert.equal(jobs.count('delete'), 0);
    stage.spec('copy', { execution: before });
    await seconds(stage, 2);
    stage.worker('copy').report({}, started);
    stage.worker('copy').tell(divided);
    await seconds(stage, 1);
    assert.equal(jobs.requests.at(-1), 'patch {"suspend":false}', 'the same Job continues');
  });

  it('replaces the Job after an edit that is accepted, also if that takes a second try', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    const { source } = stage.resource('copy').spec;
    stage.spec('copy', {
      source: { ...source, authorization: { type: 'Bearer', credentials: { name: 'login', key: 'token' } } },
    });
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Accepted'), 'False SecretNotFound');
    stage.secrets.set('login/token', new Secret('x'));
    await seconds(stage, 20);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }]);
    stage.worker('copy').end('Interrupted');
    await seconds(stage, 2);
    assert.equal(jobs.count('delete'), 1);
  });

  it('suspends a Job that it cannot follow after a restart, until the manifest is accepted', async () => {
    const authorization = { credentials: { name: 'login', key: 'token' } };
    const spec = { source: { url: 'http://source/read', authorization } };
    const jobs = new FakeJobs();
    const first = new Stage({ jobs });
    first.secrets.set('login/token', new Secret('x'));
    first.put(migrationOf({ spec: inJob(spec) }));
    await first.lead();
    first.worker('copy').report({}, started);
    first.worker('copy').tell(divided);
    await first.pass(1_000);
    first.worker('copy').end('Interrupted');
    await first[Symbol.asyncDispose]();
    await using next = new Stage({ jobs });
    next.put(first.resource('copy'));
    await next.lead();
    await seconds(next, 1);
    assert.equal(next.condition('copy', 'Accepted'), 'False SecretNotFound');
    assert.equal(jobs.requests.at(-1), 'patch {"suspend":true}');
    next.secrets.set('login/token', new Secret('x'));
    await seconds(next, 60);
    next.worker('copy').report({}, started);
    await changed(next);
    assert.equal(jobs.count('patch {"suspend":false}'), 1);
    assert.equal(jobs.count('create 1'), 1);
  });
});

describe('the controller, with a Job that its watch does not show yet', () => {
  it('does not copy beside it after a failover', async () => {
    const jobs = new FakeJobs();
    await using stage = new Stage({ jobs });
    stage.foundJob = there;
    stage.put(migrationOf({ generation: 2 }));
    await stage.lead();
    await seconds(stage, 40);
    assert.equal(stage.workers.length, 0);
    assert.match(message(stage, 'Accepted'), /the watch of Jobs does not show it yet/);
    jobs.jobs = [jobFacts({ name, key: 'other' })];
    await changed(stage);
    assert.deepEqual(jobs.requests, ['patch {"suspend":true}']);
    await seconds(stage, 45);
    assert.equal(jobs.requests.at(-1), 'delete');
    assert.equal(stage.condition('copy', 'Progressing'), 'False WaitingForPods');
    jobs.jobs = [];
    stage.foundJob = { kind: 'none' };
    await changed(stage);
    assert.equal(stage.workers.length, 1);
  });
});

describe('the controller without the rights on Jobs', () => {
  async function led(options: MigrationOptions, foundJob: Stage['foundJob'], jobs?: FakeJobs): Promise<Stage> {
    const stage = new Stage(jobs === undefined ? {} : { jobs });
    stage.foundJob = foundJob;
    stage.put(migrationOf(options));
    await stage.lead();
    await stage.pass(1_000);
    return stage;
  }

  it('rejects mode Job, copies the others, and accepts it when it has the rights', async () => {
    const jobs = new FakeJobs();
    jobs.isPermitted = false;
    await using stage = await led({ spec: inJob() }, { kind: 'none' }, jobs);
    stage.put(migrationOf({ name: 'other' }));
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Accepted'), 'False JobsDisabled');
    assert.match(message(stage, 'Accepted'), /may not list and watch Jobs and pods/);
    assert.equal(stage.worker('other').job.follow, undefined);
    jobs.isPermitted = true;
    await seconds(stage, 31);
    assert.equal(stage.worker('copy').job.follow, true);
  });

  it('does not copy while the Job of the migration exists, and begins when its pods have had the time to end', async () => {
    await using stage = await led({ generation: 2 }, there);
    assert.equal(stage.workers.length, 0);
    assert.equal(stage.condition('copy', 'Accepted'), 'False JobsDisabled');
    assert.match(message(stage, 'Accepted'), /kubectl delete job copy-0123456789 --namespace team/);
    assert.equal(stage.condition('copy', 'Degraded'), 'True JobNotStopped');
    assert.equal(jobName(stage), name);
    await seconds(stage, 60);
    stage.foundJob = { kind: 'none' };
    await seconds(stage, 65);
    assert.equal(stage.workers.length, 0);
    assert.match(message(stage, 'Accepted'), /is gone, but its pods may need/);
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
    await seconds(stage, 70);
    assert.equal(stage.workers.length, 1);
    assert.equal(jobName(stage), undefined);
  });

  it('waits for the pods of a Job that was deleted under an earlier operator', async () => {
    const status = { phase: 'Pending', stretches: { total: 4, job: name } };
    await using stage = await led({ generation: 2, status }, { kind: 'none' });
    await seconds(stage, 65);
    assert.equal(stage.workers.length, 0);
    assert.equal(jobName(stage), name, 'the next operator has to know it as well');
    await seconds(stage, 70);
    assert.equal(stage.workers.length, 1);
  });

  it('does not copy if it may not look for a Job, and says why', async () => {
    await using stage = await led({ generation: 2 }, { kind: 'unknown', name, reason: '403 Forbidden: no' });
    await seconds(stage, 200);
    assert.equal(stage.workers.length, 0);
    assert.match(
      message(stage, 'Accepted'),
      /not known whether pods of the Job copy-0123456789 .* get jobs.*403 Forbidden/,
    );
    stage.foundJob = { kind: 'none' };
    await seconds(stage, 140);
    assert.equal(stage.workers.length, 1);
  });

  it('needs no right to copy a migration that was never edited: it has had no Job', async () => {
    await using stage = await led({}, { kind: 'unknown', name, reason: '403 Forbidden: no' });
    assert.equal(stage.workers.length, 1);
  });

  for (const [what, options] of [
    ['suspended', { spec: inJob({ suspend: true }) }],
    ['of mode Job, and therefore rejected', { spec: inJob() }],
    ['of mode Job, and has failed', { spec: inJob(), status: failed }],
    ['of another mode by now, and has failed', { status: { ...failed, stretches: { total: 4, job: name } } }],
  ] satisfies [string, MigrationOptions][]) {
    it(`says that the pods of a migration still write that is ${what}, until someone stops them`, async () => {
      await using stage = await led(options, there);
      assert.equal(stage.condition('copy', 'Degraded'), 'True JobNotStopped');
      assert.match(message(stage, 'Degraded'), /^2 pods of the Job copy-0123456789 may still write.*--no-jobs/);
      stage.foundJob = { ...there, isSuspended: true };
      await seconds(stage, 45);
      assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
      stage.foundJob = there;
      await seconds(stage, 45);
      assert.equal(stage.condition('copy', 'Degraded'), 'True JobNotStopped');
      assert.equal(stage.workers.length, 0);
    });
  }
});
