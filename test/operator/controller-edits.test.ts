// The controller when a user edits, suspends or deletes a migration.

import assert from 'node:assert/strict';
import { running } from './support/controller-stage.ts';
import { kstatusOf } from './support/kstatus.ts';
import { endMs, migrationOf } from './support/migrations.ts';

const done = { watermarkMs: endMs, samplesRead: 10, samplesWritten: 10, windows: 3 };
const toAny = {
  url: 'http://destination/write',
  ordering: 'Any',
  progress: { protocol: 'RemoteRead', url: 'http://destination/read' },
};

describe('the controller, when a migration is edited or deleted', () => {
  it('retries immediately when the spec is edited during a back-off', async () => {
    await using stage = await running();
    stage.worker('copy').fail(new Error('boom'));
    stage.worker('copy').exit(1);
    await stage.pass(0);
    stage.spec('copy', { progressDeadlineSeconds: 60 });
    await stage.pass(0);
    assert.equal(stage.workers.length, 2);
  });

  it('suspends after the window in flight, and resumes', async () => {
    await using stage = await running();
    stage.spec('copy', { suspend: true });
    await stage.pass(0);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }]);
    assert.equal(stage.phase('copy'), 'Running');
    stage.worker('copy').end('Interrupted');
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Suspended');
    await stage.pass(3_600_000);
    assert.equal(stage.workers.length, 1);
    stage.spec('copy', { suspend: false });
    await stage.pass(0);
    assert.equal(stage.workers.length, 2);
    assert.equal(stage.phase('copy'), 'Running');
    assert.deepEqual(stage.events, ['copy Started', 'copy Suspended']);
  });

  it('stops the worker of a deleted migration immediately, and writes nothing more', async () => {
    await using stage = await running();
    const writes = stage.statusWrites;
    stage.remove('team/copy');
    await stage.pass(0);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'abort' }]);
    stage.worker('copy').report({ samplesWritten: 3 });
    await stage.pass(1_000);
    assert.equal(stage.worker('copy').terminated, true);
    assert.equal(stage.statusWrites, writes);
    assert.deepEqual([...new Set(stage.forgotten)], ['team/copy']);
  });

  it('starts a new object of the same name only after the old worker has exited', async () => {
    await using stage = await running();
    stage.remove('team/copy');
    stage.put(migrationOf({ uid: 'another', spec: { rejectedSamples: 'Skip' } }));
    await stage.pass(0);
    assert.equal(stage.workers.length, 1);
    await stage.pass(2_500);
    assert.equal(stage.workers.length, 2);
    assert.equal(stage.worker('copy').job.plan.rejectedSamples, 'Skip');
    assert.equal(stage.phase('copy'), 'Running');
  });

  it('passes edited rates to the running worker', async () => {
    await using stage = await running();
    const { limits } = stage.resource('copy').spec;
    stage.spec('copy', { limits: { ...limits, samplesPerSecond: 7 } });
    await stage.pass(10_000);
    const rates = { samplesPerSecond: 7, bytesPerSecond: undefined };
    assert.deepEqual(stage.worker('copy').received, [{ type: 'rates', rates }]);
    assert.equal(stage.resource('copy').status?.observedGeneration, 2);
  });

  it('passes an edited parallelism to the running worker', async () => {
    const spec = { execution: { parallelism: 2 }, destination: { ...toAny } };
    await using stage = await running({ spec });
    const { execution } = stage.resource('copy').spec;
    stage.spec('copy', { execution: { ...execution, parallelism: 5 } });
    await stage.pass(10_000);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'parallelism', parallelism: 5 }]);
    assert.equal(stage.resource('copy').status?.observedGeneration, 2);
  });

  it('restarts the worker after the window in flight for limits that a running worker cannot change', async () => {
    await using stage = await running();
    const { limits } = stage.resource('copy').spec;
    stage.spec('copy', { limits: { ...limits, memory: '512Mi' } });
    await stage.pass(0);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }]);
    stage.worker('copy').end('Interrupted');
    await stage.pass(0);
    assert.equal(stage.workers.length, 2);
    assert.equal(stage.worker('copy').job.plan.limits.memoryBytes, 512 * 2 ** 20);
  });

  it('corrects a status edited by others, and does not rely on it', async () => {
    await using stage = await running();
    stage.edit('copy', (resource) => ({
      ...resource,
      status: { ...resource.status, phase: 'Succeeded', completionTime: '2025-06-01T12:00:00Z', conditions: [] },
    }));
    await stage.pass(10_000);
    assert.equal(stage.phase('copy'), 'Running');
    assert.deepEqual(stage.worker('copy').received, []);
  });

  it('deletes a migration after its ttlSecondsAfterFinished', async () => {
    await using stage = await running({ spec: { ttlSecondsAfterFinished: 60 } });
    stage.worker('copy').end('Succeeded', undefined, done);
    await stage.pass(58_000);
    assert.deepEqual(stage.deleted, []);
    await stage.pass(3_000);
    assert.deepEqual(stage.deleted, ['copy']);
    assert.deepEqual(stage.forgotten, ['team/copy']);
  });

  it('retries a failed migration when its spec is edited', async () => {
    await using stage = await running();
    stage.worker('copy').end('Failed', { code: 'samples-rejected', message: 'too old', side: 'destination' });
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Succeeded'), 'False SamplesRejected');
    assert.equal(kstatusOf(stage.resource('copy')), 'Failed');
    stage.spec('copy', { rejectedSamples: 'Skip' });
    assert.equal(kstatusOf(stage.resource('copy')), 'InProgress', 'even before the operator has seen the edit');
    await stage.pass(1_000);
    assert.equal(kstatusOf(stage.resource('copy')), 'InProgress');
    assert.equal(stage.phase('copy'), 'Running');
    assert.equal(stage.condition('copy', 'Succeeded'), 'Unknown Starting');
    assert.equal(stage.resource('copy').status?.completionTime, undefined);
  });
});
