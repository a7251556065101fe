import assert from 'node:assert/strict';
import { until } from '../operator/support/manual-clock.ts';
import { conditionsOf, objectOf } from './support/objects.ts';
import { COLLECTION, startStage } from './support/pmig-run.ts';

const { migration: running } = objectOf('running');
const { migration: failed } = objectOf('failed');
const { migration: succeeded } = objectOf('succeeded');

describe('kubectl pmig suspend and resume', () => {
  it('set the field, and nothing if it is set already', async () => {
    await using stage = await startStage();
    stage.server.put(COLLECTION, running);
    const patches = () => stage.server.requests.filter(({ method }) => method === 'PATCH');
    assert.equal(await stage.run({ action: 'suspend' }), 'done');
    assert.deepEqual(patches()[0]?.body, { spec: { suspend: true } });
    assert.equal(await stage.run({ action: 'suspend' }), 'done');
    assert.match(
      stage.stdout.text,
      /spec\.suspend is true: the operator.*\nteam\/copy: spec\.suspend is already true\n$/,
    );
    assert.equal(patches().length, 1);
    assert.equal(await stage.run({ action: 'resume' }), 'done');
    assert.deepEqual(patches()[1]?.body, { spec: { suspend: false } });
  });

  it('leave a migration alone that has ended', async () => {
    await using stage = await startStage();
    stage.server.put(COLLECTION, failed);
    assert.equal(await stage.run({ action: 'suspend' }), 'done');
    assert.equal(stage.stdout.text, 'team/copy: has ended (Failed), so there is nothing to suspend\n');
    assert.equal(await stage.run({ action: 'suspend', waitMs: 1_000 }), 'ended');
    stage.server.put(COLLECTION, succeeded);
    assert.equal(await stage.run({ action: 'resume', waitMs: 1_000 }), 'done');
    assert.ok(stage.server.requests.every(({ method }) => method === 'GET'));
  });

  for (const { end, outcome } of [
    { end: failed, outcome: 'ended' },
    { end: succeeded, outcome: 'done' },
  ]) {
    it(`end with ${outcome} if the migration is ${end.status?.phase} while they wait`, async () => {
      await using stage = await startStage();
      const stored = stage.server.put(COLLECTION, running);
      const done = stage.run({ action: 'suspend', waitMs: 60_000 });
      await until('it watches', () => stage.server.openWatches === 1);
      const status = { ...end.status, observedGeneration: 2 };
      stage.server.put(COLLECTION, { ...stored, spec: { ...stored.spec, suspend: true }, status });
      assert.equal(await done, outcome);
      assert.match(stage.stdout.text, new RegExp(`\nteam/copy: has ended: ${end.status?.phase}\n$`));
    });
  }

  it('wait until the operator has followed', async () => {
    await using stage = await startStage();
    const stored = stage.server.put(COLLECTION, running);
    const done = stage.run({ action: 'suspend', waitMs: 60_000 });
    await until('it watches', () => stage.server.openWatches === 1);
    const spec = { ...stored.spec, suspend: true };
    // Of an earlier generation.
    stage.server.put(COLLECTION, { ...stored, spec, status: { phase: 'Suspended', observedGeneration: 1 } });
    stage.server.put(COLLECTION, { ...stored, spec, status: { phase: 'Running', observedGeneration: 2 } });
    stage.server.put(COLLECTION, { ...stored, spec, status: { phase: 'Suspended', observedGeneration: 2 } });
    assert.equal(await done, 'done');
    assert.match(stage.stdout.text, /\nteam\/copy: Suspended\n$/);
  });

  it('give up after the time given', async () => {
    await using stage = await startStage();
    stage.server.put(COLLECTION, running);
    const done = stage.run({ action: 'suspend', waitMs: 60_000 });
    await until('it watches', () => stage.server.openWatches === 1);
    await stage.clock.advance(60_000);
    assert.equal(await done, 'late');
    assert.match(stage.stderr.text, /team\/copy is still Running\n {2}do: kubectl pmig status copy -n team/);
  });

  it('resumes only when the operator works on it again', async () => {
    await using stage = await startStage();
    const waiting = objectOf('suspended').migration;
    const stored = stage.server.put(COLLECTION, { ...waiting, status: { ...waiting.status, observedGeneration: 3 } });
    const done = stage.run({ action: 'resume', waitMs: 60_000 });
    await until('it watches', () => stage.server.openWatches === 1);
    const spec = { ...stored.spec, suspend: false };
    const status = (progressing: 'True' | 'False') => ({
      ...{ phase: progressing === 'True' ? 'Running' : 'Pending', observedGeneration: 3 },
      conditions: conditionsOf(['Progressing', progressing, 'Copying']),
    });
    stage.server.put(COLLECTION, { ...stored, spec, status: status('False') });
    stage.server.put(COLLECTION, { ...stored, spec, status: status('True') });
    assert.equal(await done, 'done');
    assert.match(stage.stdout.text, /\nteam\/copy: Running\n$/);
  });
});
