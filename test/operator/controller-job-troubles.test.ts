// The controller with migrations in mode Job whose Jobs, pods or rights are in trouble.

import assert from 'node:assert/strict';
import { Stage, started } from './support/controller-stage.ts';
import { FakeJobs } from './support/fake-jobs.ts';
import { endMs, migrationOf, startMs } from './support/migrations.ts';

const DESTINATION = {
  url: 'http://destination/write',
  ordering: 'Any',
  progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
};
const inJob = (spec: object = {}) => ({
  destination: DESTINATION,
  execution: { mode: 'Job', parallelism: 2 },
  ...spec,
});
const divided = { type: 'divided', frozenEndMs: undefined, stretches: [{ shard: '0', startMs, endMs }] } as const;
const failure = {
  startMs,
  reason: { code: 'unreachable', side: 'source', message: 'no route' },
  exit: '',
};

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
