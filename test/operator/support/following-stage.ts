// A stage with a migration in mode Job, and what the tests look at.

import { Stage, started } from './controller-stage.ts';
import { FakeJobs } from './fake-jobs.ts';
import { endMs, migrationOf, startMs } from './migrations.ts';

const DESTINATION = {
  url: 'http://destination/write',
  ordering: 'Any',
  progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
};
const execution = { mode: 'Job', parallelism: 2 };
export const inJob = (spec: object = {}) => ({ destination: DESTINATION, execution, ...spec });
export const divided = {
  type: 'divided',
  frozenEndMs: undefined,
  stretches: [{ shard: '0', startMs, endMs }],
} as const;
export async function following(spec: object = {}, jobs = new FakeJobs()): Promise<{ stage: Stage; jobs: FakeJobs }> {
  const stage = new Stage({ jobs });
  stage.put(migrationOf({ spec: inJob(spec) }));
  await stage.lead();
  stage.worker('copy').report({}, started);
  stage.worker('copy').tell(divided);
  await stage.pass(1_000);
  return { stage, jobs };
}

/** A change of a Job, as its watch would report it. */
export async function changed(stage: Stage): Promise<void> {
  stage.controller.changed('team/copy');
  await stage.pass(0);
}

export async function seconds(stage: Stage, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    // A worker that says nothing counts as hung.
    stage.workers.at(-1)?.tell({ type: 'heartbeat' });
    await stage.pass(1_000);
  }
}

export function message(stage: Stage, type: string): string {
  return stage.resource('copy').status?.conditions?.find((one) => one.type === type)?.message ?? '';
}

export function jobName(stage: Stage): string | undefined {
  return stage.resource('copy').status?.stretches?.job;
}
