// The controller with migrations in mode Job: its workers follow, and fakes stand for the Jobs.

import assert from 'node:assert/strict';
import { KubeApiError } from '../../src/operator/kube/kube-errors.ts';
import { Stage, started } from './support/controller-stage.ts';
import { FakeJobs } from './support/fake-jobs.ts';
import { changed, divided, following, inJob, seconds } from './support/following-stage.ts';
import { endMs, migrationOf } from './support/migrations.ts';

const done = { watermarkMs: endMs, samplesRead: 10, samplesWritten: 10, windows: 3 };
const minute = (stage: Stage): Promise<void> => seconds(stage, 60);

describe('the controller, with a migration in mode Job', () => {
  it('follows, and creates one Job for what is left', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    assert.equal(stage.worker('copy').job.follow, true);
    assert.equal(stage.phase('copy'), 'Running');
    await stage.pass(60_000);
    assert.deepEqual(
      jobs.requests.filter((request) => request !== 'events'),
      ['create 1', 'settings'],
    );
  });

  it('gives it no slot, so that others run beside it', async () => {
    const jobs = new FakeJobs();
    await using stage = new Stage({ jobs, maxMigrations: 1 });
    stage.put(migrationOf({ spec: inJob() }), migrationOf({ name: 'other' }), migrationOf({ name: 'third' }));
    await stage.lead();
    await stage.pass(1_000);
    assert.deepEqual(stage.workers.map(({ job }) => `${job.plan.migration} ${job.follow ?? false}`).sort(), [
      'team/copy true',
      'team/other false',
    ]);
    assert.equal(stage.condition('third', 'Progressing'), 'False WaitingForWorker');
  });

  it('looks a last time when the Job has ended, and succeeds if the marks cover everything', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    jobs.change({ end: 'Complete' });
    await changed(stage);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'conclude' }]);
    stage.worker('copy').end('Succeeded', undefined, done);
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Succeeded'), 'True Completed');
  });

  it('divides again if marks are missing, and replaces the Job before', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    jobs.change({ end: 'Complete' });
    await changed(stage);
    stage.worker('copy').end('Interrupted');
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Degraded'), 'True JobIncomplete');
    assert.equal(jobs.count('delete'), 0, 'its pods can be looked at until the next attempt');
    await stage.pass(5_000);
    assert.equal(jobs.requests.at(-1), 'delete');
    assert.equal(stage.condition('copy', 'Progressing'), 'False WaitingForPods');
    assert.equal(stage.workers.length, 1);
    jobs.jobs = [];
    await changed(stage);
    assert.equal(stage.workers.length, 2);
    stage.worker('copy').tell(divided);
    await stage.pass(0);
    assert.equal(jobs.count('create 1'), 2);
  });

  it('writes the status although the API server refuses to change the Job', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    jobs.patchError = new KubeApiError({ status: 500, reason: 'InternalError', message: 'failed calling webhook' });
    const { execution } = stage.resource('copy').spec;
    stage.spec('copy', { execution: { ...execution, parallelism: 5 } });
    await stage.pass(12_000);
    assert.equal(stage.resource('copy').status?.observedGeneration, 2);
    assert.match(stage.condition('copy', 'Degraded') ?? '', /PodsNotRunning/);
    jobs.patchError = undefined;
    await stage.pass(12_000);
    assert.ok(jobs.requests.includes('patch {"parallelism":5}'));
  });

  it('follows its Job although someone has written a success into the status', async () => {
    const jobs = new FakeJobs();
    await using stage = new Stage({ jobs });
    const condition = { type: 'Succeeded', status: 'True' as const, reason: 'Completed', message: '' };
    const conditions = [{ ...condition, lastTransitionTime: '2025-06-01T11:59:00Z' }];
    stage.put(
      migrationOf({ spec: inJob(), statusManager: 'kubectl-edit', status: { phase: 'Succeeded', conditions } }),
    );
    await stage.lead();
    await stage.pass(1_000);
    assert.equal(stage.worker('copy').job.follow, true);
  });

  it('verifies in a worker of its own after the Job', async () => {
    const { stage } = await following({ verification: { mode: 'Full' } });
    await using _ = stage;
    stage.worker('copy').end('Succeeded', undefined, done);
    await stage.pass(1_000);
    assert.equal(stage.workers.length, 2);
    assert.equal(stage.worker('copy').job.follow, undefined);
    assert.equal(stage.phase('copy'), 'Running', 'it has not succeeded yet');
  });

  it('shows why the Job is refused, and creates it again after longer and longer pauses', async () => {
    const jobs = new FakeJobs();
    jobs.refusal = 'exceeded quota: jobs';
    await using stage = new Stage({ jobs });
    stage.put(migrationOf({ spec: inJob() }));
    await stage.lead();
    stage.worker('copy').report({}, started);
    stage.worker('copy').tell(divided);
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Degraded'), 'True PodsNotRunning');
    await minute(stage);
    assert.equal(jobs.count('create 1'), 4, 'now, after 5, 10 and 20 s');
    jobs.refusal = undefined;
    await minute(stage);
    assert.equal(jobs.count('create 1'), 5);
    assert.equal(jobs.count('settings'), 1);
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
  });

  it('reads the events of a Job only while pods are missing for long', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    const events = () => jobs.count('events');
    await stage.pass(10_000);
    assert.equal(events(), 0);
    jobs.podRefusal = 'the Job cannot create pods: exceeded quota: pods';
    await stage.pass(10_000);
    assert.equal(events(), 1);
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Degraded'), 'True PodsNotRunning');
    jobs.change({ active: 2 });
    for (let turn = 0; turn < 6; turn++) await stage.pass(10_000);
    assert.ok(events() <= 2);
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
  });

  it('leaves the Job running when the operator is stopped', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    const drained = stage.drain(10_000);
    await stage.pass(0);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }]);
    stage.worker('copy').end('Interrupted');
    await stage.pass(0);
    await drained;
    assert.deepEqual(jobs.requests, ['create 1', 'settings']);
  });
});
