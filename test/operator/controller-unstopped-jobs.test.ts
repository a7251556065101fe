// The controller with Jobs that must not copy: it stops them, or says that it cannot, and copies nothing beside them.

import assert from 'node:assert/strict';
import { KubeApiError } from '../../src/operator/kube/kube-errors.ts';
import { Secret } from '../../src/telemetry/secret.ts';
import { Stage, started } from './support/controller-stage.ts';
import { FakeJobs } from './support/fake-jobs.ts';
import { changed, divided, following, inJob, jobName, message, seconds } from './support/following-stage.ts';
import { jobFacts } from './support/job-facts.ts';
import { endMs, migrationOf } from './support/migrations.ts';

const name = 'copy-0123456789';
const there = { kind: 'there', name, pods: 2, isSuspended: false } as const;
const refused = new KubeApiError({ status: 500, reason: 'InternalError', message: 'failed calling webhook' });

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

describe('the status', () => {
  it('names the Job until its pods are gone as well', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    await seconds(stage, 12);
    assert.equal(jobName(stage), jobs.jobs[0]?.name);
    jobs.jobs = [];
    jobs.hasStrayPods = true;
    stage.spec('copy', { execution: { ...stage.resource('copy').spec.execution, mode: 'InProcess' } });
    await stage.pass(0);
    stage.worker('copy').end('Interrupted');
    await seconds(stage, 12);
    assert.match(jobName(stage) ?? '', /^copy-[0-9a-f]{10}$/);
    jobs.hasStrayPods = false;
    await changed(stage);
    await seconds(stage, 12);
    assert.equal(jobName(stage), undefined);
  });
});

describe('the controller, with a Job that its watch does not show yet', () => {
  it('does not copy while it may not look for it', async () => {
    await using stage = new Stage({ jobs: new FakeJobs() });
    stage.foundJob = { kind: 'unknown', name, reason: 'jobs is forbidden' };
    stage.put(migrationOf({ generation: 2 }));
    await stage.lead();
    await seconds(stage, 40);
    assert.equal(stage.workers.length, 0);
    assert.match(message(stage, 'Accepted'), /may still copy, and it cannot be looked at: jobs is forbidden/);
  });

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
