// The controller without the rights on Jobs, beside a Job that it cannot stop.

import assert from 'node:assert/strict';
import { Stage } from './support/controller-stage.ts';
import { failedStatus } from './support/decide-inputs.ts';
import { FakeJobs } from './support/fake-jobs.ts';
import { inJob, jobName, message, seconds } from './support/following-stage.ts';
import { type MigrationOptions, migrationOf } from './support/migrations.ts';

const name = 'copy-0123456789';
const there = { kind: 'there', name, pods: 2, isSuspended: false } as const;
const asExpected = {
  type: 'Degraded',
  status: 'False' as const,
  lastTransitionTime: '2025-06-01T11:59:00Z',
  reason: 'AsExpected',
  message: '',
};
const failed = { ...failedStatus, conditions: [...(failedStatus.conditions ?? []), asExpected] };

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
