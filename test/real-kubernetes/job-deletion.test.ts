// What others delete while the pods of a migration in mode Job run: its Job, or the migration itself, which is created again. Pods outlive both
// for a while, and nothing else may write meanwhile.
import assert from 'node:assert/strict';
import { JobStage } from './support/job-stage.ts';

const HOURS = 6;

describe('a migration in mode Job, when others delete', function () {
  this.timeout(300_000);
  let stage: JobStage;

  before(async function () {
    this.timeout(900_000);
    stage = await JobStage.start('deletions');
  });

  after(() => stage?.[Symbol.asyncDispose]());

  /** Its pods have written something, and go on for a while. */
  async function startSlowly(name: string): Promise<void> {
    stage.store.faults.set(name, ({ kind }) => (kind === 'write' ? { delayMs: 1_500 } : undefined));
    await stage.migrations.create(name, stage.spec(name, HOURS));
    await stage.eventually('its pods write', () => stage.store.writesOf(name).some(({ samples }) => samples > 0));
  }

  async function untilSucceeded(name: string): Promise<void> {
    stage.store.faults.delete(name);
    await stage.eventually(
      `${name} has succeeded`,
      async () => (await stage.migrations.get(name)).status?.phase === 'Succeeded',
      180_000,
    );
    assert.equal(stage.store.storedSamples(name), stage.store.expectedSamples(stage.range(HOURS)));
    assert.equal(stage.store.repeated.get(name) ?? 0, 0, 'nothing is written twice');
  }

  it('the Job, it divides what is left, and continues with another one', async () => {
    await startSlowly('jobless');
    const [job] = await stage.jobs('jobless');
    const path = `/apis/batch/v1/namespaces/${stage.migrations.namespace}/jobs/${job?.metadata?.name}`;
    await stage.cluster.request('DELETE', path, { propagationPolicy: 'Background' });
    await stage.migrations.until('jobless', 'reports it', ({ recentErrors }) =>
      (recentErrors ?? []).some(({ message }) => /the Job has ended or was deleted/.test(message)),
    );
    await untilSucceeded('jobless');
    const uids = (await stage.jobs('jobless')).map(({ metadata }) => metadata?.uid);
    assert.equal(uids.length, 1);
    assert.notEqual(uids[0], job?.metadata?.uid);
  });

  it('the migration, a new one of its name waits for the pods, and resumes', async () => {
    await startSlowly('again');
    await stage.migrations.delete('again');
    await stage.migrations.create('again', stage.spec('again', HOURS));
    await untilSucceeded('again');
  });
});
