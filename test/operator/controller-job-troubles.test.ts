// The controller with migrations in mode Job whose Jobs, pods or rights are in trouble.

import assert from 'node:assert/strict';
import { KubeApiError } from '../../src/operator/kube/kube-errors.ts';
import { Stage, started } from './support/controller-stage.ts';
import { FakeJobs } from './support/fake-jobs.ts';
import { changed, divided, following, inJob, message, seconds } from './support/following-stage.ts';
import { endMs, migrationOf, startMs } from './support/migrations.ts';

const failure = {
  startMs,
  reason: { code: 'unreachable', side: 'source', message: 'no route' },
  exit: '',
};

describe('the controller, with a Job in trouble', () => {
  it('shows stretches that fail before the Job has ended', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    jobs.change({ active: 2, retried: [failure] });
    await changed(stage);
    await seconds(stage, 1);
    assert.equal(stage.condition('copy', 'Degraded'), 'True StretchesFailing');
    assert.match(message(stage, 'Degraded'), /1 keep failing and are retried; the one from 2025-01-01.*: no route/);
    jobs.change({ failures: [failure], retried: [] });
    await changed(stage);
    await seconds(stage, 12);
    assert.match(message(stage, 'Degraded'), /1 failed for good; /);
    jobs.change({ failures: [] });
    await changed(stage);
    await seconds(stage, 1);
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
  });

  it('finds out why a pod does not start, and creates the ConfigMap again if it is missing', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    jobs.change({ active: 2, starting: { name: 'copy-0', uid: 'pod-1' } });
    jobs.startFailure = 'pod copy-0 does not start: FailedMount: secret "login" not found';
    await seconds(stage, 50);
    assert.equal(jobs.count('events of a pod'), 0, 'it may pull its image');
    await seconds(stage, 30);
    assert.match(message(stage, 'Degraded'), /secret "login" not found/);
    assert.equal(jobs.count('settings'), 1);
    jobs.settings = false;
    await seconds(stage, 40);
    assert.equal(jobs.count('settings'), 2);
    jobs.change({ starting: undefined });
    await seconds(stage, 12);
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
    assert.ok(jobs.count('events of a pod') <= 3);
  });

  it('replaces the Job of an earlier operator if its ConfigMap is missing', async () => {
    const { stage, jobs } = await following();
    stage.worker('copy').end('Interrupted');
    await stage[Symbol.asyncDispose]();
    jobs.settings = false;
    jobs.change({ active: 2, starting: { name: 'copy-0', uid: 'pod-1' } });
    const next = await following({}, jobs);
    await using _ = next.stage;
    await seconds(next.stage, 80);
    assert.deepEqual(next.stage.worker('copy').received, [{ type: 'stop' }]);
    next.stage.worker('copy').end('Interrupted');
    await seconds(next.stage, 2);
    assert.equal(jobs.count('delete'), 1);
    jobs.jobs = [];
    await changed(next.stage);
    assert.equal(next.stage.workers.length, 2);
  });

  it('creates the ConfigMap as soon as the API server permits it', async () => {
    const jobs = new FakeJobs();
    jobs.settingsRefusal = 'exceeded quota: configmaps';
    const { stage } = await following({}, jobs);
    await using _ = stage;
    await seconds(stage, 3);
    assert.match(message(stage, 'Degraded'), /exceeded quota: configmaps/);
    await seconds(stage, 50);
    assert.match(message(stage, 'Degraded'), /exceeded quota: configmaps/, 'also between the requests');
    assert.ok(jobs.count('settings') < 7);
    jobs.settingsRefusal = undefined;
    await seconds(stage, 60);
    assert.equal(jobs.settings, true);
    assert.equal(jobs.count('create 1'), 1);
  });

  it('creates no second Job while the watch is late', async () => {
    const jobs = new FakeJobs();
    jobs.isLate = true;
    const { stage } = await following({}, jobs);
    await using _ = stage;
    for (let turn = 0; turn < 20; turn++) await changed(stage);
    assert.equal(jobs.count('create 1'), 1);
  });

  it('does not let another program and itself change a Job in turn without a pause', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    for (let second = 0; second < 120; second++) {
      jobs.change({ parallelism: 7 });
      await changed(stage);
      await seconds(stage, 1);
    }
    const patches = jobs.count('patch {"parallelism":2}');
    assert.ok(patches >= 4 && patches <= 8, `${patches} patches`);
  });

  it('suspends a Job again that the API server did not let it suspend', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    jobs.patchError = new KubeApiError({ status: 500, reason: 'InternalError', message: 'failed calling webhook' });
    stage.spec('copy', { suspend: true });
    await stage.pass(0);
    stage.worker('copy').end('Interrupted');
    await seconds(stage, 2);
    jobs.patchError = undefined;
    await seconds(stage, 60);
    assert.equal(jobs.count('patch {"suspend":true}'), 1);
  });

  it('stops the Job of a deleted migration that a finalizer keeps', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    stage.terminate('copy');
    await stage.pass(0);
    assert.ok(jobs.requests.includes('patch {"suspend":true}'));
  });

  it('is suspended during the last look at what a Job has copied', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    jobs.change({ end: 'Complete' });
    await changed(stage);
    stage.spec('copy', { suspend: true });
    await stage.pass(0);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'conclude' }, { type: 'stop' }]);
    stage.worker('copy').end('Interrupted');
    await seconds(stage, 1);
    assert.equal(stage.phase('copy'), 'Suspended');
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
  });

  it('replaces a Job whose pods failed too often while its marks progressed, and fails without progress', async () => {
    const { stage, jobs } = await following();
    await using _ = stage;
    const mark = { watermarkMs: startMs + 1000, reachedMs: startMs + 1000 };
    stage.worker('copy').report({});
    stage.worker('copy').report(mark);
    jobs.change({ end: 'Failed', failures: [failure] });
    await changed(stage);
    stage.worker('copy').end('Interrupted', undefined, mark);
    await seconds(stage, 1);
    assert.equal(stage.condition('copy', 'Degraded'), 'True JobIncomplete');
    await seconds(stage, 5);
    jobs.jobs = [];
    await changed(stage);
    stage.worker('copy').report(mark, started);
    stage.worker('copy').tell(divided);
    await seconds(stage, 1);
    jobs.change({ end: 'Failed', failures: [failure], createdMs: stage.clock.now() });
    await changed(stage);
    stage.worker('copy').end('Interrupted', undefined, mark);
    await seconds(stage, 1);
    assert.equal(stage.condition('copy', 'Succeeded'), 'False StretchesFailed');
  });

  it('does not take pods for stalled whose counts are unknown, while their marks progress', async () => {
    const { stage } = await following({ progressDeadlineSeconds: 60 });
    await using _ = stage;
    const report = (reachedMs: number) => stage.worker('copy').report({ earlier: 'unknown', reachedMs });
    for (let turn = 1; turn < 20; turn++) {
      report(startMs + turn * 1000);
      await seconds(stage, 10);
      assert.equal(stage.phase('copy'), 'Running');
    }
    for (let turn = 1; turn < 8; turn++) {
      report(startMs + 20_000);
      await seconds(stage, 10);
    }
    assert.equal(stage.phase('copy'), 'Stalled');
  });
});

describe('the controller, with an open end and a Job', () => {
  it('follows the range of the Job after a restart, and divides it to the same end', async () => {
    const open = { timeRange: { start: '2025-01-01T00:00:00Z' } };
    const { stage, jobs } = await following(open);
    stage.worker('copy').end('Interrupted');
    await stage[Symbol.asyncDispose]();
    jobs.change({ frozenEndMs: endMs });
    const next = new Stage({ jobs });
    await using _ = next;
    next.put(migrationOf({ spec: inJob(open) }));
    await next.lead();
    assert.equal(next.worker('copy').job.plan.endMs, endMs);
    jobs.jobs = [];
    next.worker('copy').report({}, started);
    next.worker('copy').tell(divided);
    await seconds(next, 1);
    assert.equal(jobs.divided?.frozenEndMs, endMs);
  });
});
