// Migrations in mode Job: the operator divides them, creates an Indexed Job, and follows its pods by the marks in the destination.
import assert from 'node:assert/strict';
import { tell } from '../real/support/expectations.ts';
import { JobStage } from './support/job-stage.ts';
import { standOf } from './support/migration-objects.ts';

describe('a migration in mode Job', function () {
  this.timeout(300_000);
  let stage: JobStage;

  before(async function () {
    this.timeout(900_000);
    stage = await JobStage.start('jobs');
  });

  after(() => stage?.[Symbol.asyncDispose]());

  async function untilSucceeded(name: string, hours: number): Promise<void> {
    await stage.eventually(
      `${name} has succeeded`,
      async () => {
        const { phase } = (await stage.migrations.get(name)).status ?? {};
        assert.notEqual(phase, 'Failed', await stage.report());
        return phase === 'Succeeded';
      },
      180_000,
    );
    assert.equal(stage.store.storedSamples(name), stage.store.expectedSamples(stage.range(hours)));
    assert.equal(stage.store.repeated.get(name) ?? 0, 0, 'nothing is written twice');
  }

  it('is copied by pods, one for each stretch', async () => {
    const startMs = Date.now();
    await stage.migrations.create('plain', stage.spec('plain', 6));
    await untilSucceeded('plain', 6);
    tell(`three stretches in pods: ${((Date.now() - startMs) / 1000).toFixed(1)} s`);
    const { status } = await stage.migrations.get('plain');
    assert.deepEqual(status?.stretches, { total: 3, finished: 3, running: 0 });
    assert.equal(status?.progress?.samplesWritten, stage.store.expectedSamples(stage.range(6)));
    assert.equal(standOf(status, 'Succeeded'), 'True Completed');
    const [job, other] = await stage.jobs('plain');
    assert.equal(other, undefined, 'one Job');
    assert.equal(job?.spec?.completions, 3);
    await stage.eventually(
      'the Job is complete',
      async () => (await stage.jobs('plain'))[0]?.status?.completedIndexes === '0-2',
    );
  });
});
