import assert from 'node:assert/strict';
import { KubeApiError } from '../../src/operator/kube/kube-errors.ts';
import { running, Stage, started } from './support/controller-stage.ts';
import type { FakeWorker } from './support/fake-worker.ts';
import { endMs, migrationOf, startMs } from './support/migrations.ts';

const done = { watermarkMs: endMs, samplesRead: 10, samplesWritten: 10, windows: 3 };
const rejected = { code: 'samples-rejected', message: 'too old', side: 'destination' } as const;

/** A controller whose only migration has ended so soon after its last status that the next one has to wait. */
async function endedAfterStart(end: (worker: FakeWorker) => void): Promise<Stage> {
  const stage = new Stage();
  stage.put(migrationOf());
  await stage.lead();
  stage.worker('copy').report({}, started);
  stage.worker('copy').report(done);
  await stage.pass(100);
  end(stage.worker('copy'));
  await stage.pass(100);
  assert.equal(stage.phase('copy'), 'Running');
  return stage;
}

describe('the controller, with concurrent changes and failures at critical moments', () => {
  for (const hours of [1, -1]) {
    it(`reports neither a stall nor a wrong rate, and retries on time, when the wall clock jumps by ${hours} h`, async () => {
      await using stage = await running({ spec: { activeDeadlineSeconds: 1800 } });
      for (let second = 1; second <= 60; second++) {
        if (second === 30) stage.clock.setWallClock(stage.clock.now() + hours * 3_600_000);
        stage.worker('copy').report({ samplesWritten: second * 100, watermarkMs: startMs + second * 1_000 });
        await stage.pass(1_000);
        assert.equal(stage.phase('copy'), 'Running');
        const rate = stage.resource('copy').status?.progress?.samplesPerSecond ?? 0;
        if (second > 12) assert.ok(rate >= 90 && rate <= 110, `${rate} a second after ${second} s`);
      }
      assert.equal(stage.condition('copy', 'Progressing'), 'True Copying');
      assert.deepEqual(stage.worker('copy').received, [], 'the active deadline has not passed');
      stage.worker('copy').fail(new Error('boom'));
      stage.worker('copy').exit(1);
      await stage.pass(1_000);
      stage.clock.setWallClock(stage.clock.now() + hours * 3_600_000);
      await stage.pass(3_500);
      assert.equal(stage.workers.length, 1, 'not before its pause is over');
      await stage.pass(1_000);
      assert.equal(stage.workers.length, 2, 'as soon as its pause is over');
    });
  }

  it('keeps an edit that is seen before the response to its own write', async () => {
    await using stage = new Stage();
    stage.put(migrationOf({ spec: { suspend: true } }));
    let arrive = () => {};
    stage.responses = new Promise((resolve) => {
      arrive = resolve;
    });
    await stage.lead();
    assert.equal(stage.phase('copy'), 'Suspended');
    stage.spec('copy', { suspend: false });
    await stage.pass(0);
    stage.responses = undefined;
    arrive();
    await stage.pass(60_000);
    assert.equal(stage.workers.length, 1);
    assert.equal(stage.phase('copy'), 'Running');
  });

  it('keeps an edit that is seen before the response to the read after a conflict', async () => {
    await using stage = new Stage();
    stage.put(migrationOf({ spec: { suspend: true } }));
    stage.writeFailures.push(new KubeApiError({ status: 409, reason: 'Conflict', message: 'changed' }));
    let arrive = () => {};
    stage.responses = new Promise((resolve) => {
      arrive = resolve;
    });
    await stage.lead();
    stage.spec('copy', { suspend: false });
    await stage.pass(0);
    stage.responses = undefined;
    arrive();
    await stage.pass(60_000);
    assert.equal(stage.workers.length, 1);
    assert.equal(stage.phase('copy'), 'Running');
  });

  it('drains within the grace period, and reports it in the status', async () => {
    await using stage = await running();
    stage.put(migrationOf({ name: 'stuck' }));
    await stage.pass(1_000);
    const drained = stage.drain(15_000);
    stage.put(migrationOf({ name: 'later' }));
    await stage.pass(1_000);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }]);
    stage.worker('copy').report({ windows: 1, watermarkMs: startMs + 3_600_000, samplesWritten: 5 });
    stage.worker('copy').end('Interrupted');
    await stage.pass(15_000);
    assert.deepEqual(stage.worker('stuck').received, [{ type: 'stop' }, { type: 'abort' }]);
    await stage.pass(1_000);
    await drained;
    for (const name of ['copy', 'stuck']) {
      assert.equal(stage.condition(name, 'Progressing'), 'False OperatorStopped');
    }
    assert.equal(stage.resource('copy').status?.progress?.through, '2025-01-01T01:00:00Z');
    assert.equal(stage.workers.length, 2);
  });

  it('does not record a failure for a spec that was edited after it, when it stops', async () => {
    await using stage = await running();
    const drained = stage.drain(15_000);
    stage.worker('copy').end('Failed', rejected);
    stage.spec('copy', { rejectedSamples: 'Skip' });
    await stage.pass(1_000);
    await drained;
    assert.equal(stage.phase('copy'), 'Pending', 'the next operator tries it again');
    assert.equal(stage.condition('copy', 'Reconciling'), 'True InProgress');
  });

  it('writes the last status even when the object changes at the same time', async () => {
    await using stage = await running();
    const drained = stage.drain(15_000);
    stage.worker('copy').end('Interrupted');
    for (let times = 0; times < 2; times++) {
      stage.writeFailures.push(new KubeApiError({ status: 409, reason: 'Conflict', message: 'changed' }));
    }
    await stage.pass(1_000);
    await drained;
    assert.equal(stage.condition('copy', 'Progressing'), 'False OperatorStopped');
  });

  it('reports that the operator was stopped for a migration between two attempts too', async () => {
    await using stage = await running();
    stage.worker('copy').fail(new Error('boom'));
    stage.worker('copy').exit(1);
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Progressing'), 'True Retrying');
    await stage.drain(15_000);
    assert.equal(stage.phase('copy'), 'Pending');
    assert.equal(stage.condition('copy', 'Progressing'), 'False OperatorStopped');
  });

  for (const [end, error, phase] of [
    ['Succeeded', undefined, 'Succeeded'],
    ['Failed', rejected, 'Failed'],
  ] as const) {
    it(`writes the end of a migration that has ${end.toLowerCase()} less than a second after its last status, when it stops`, async () => {
      await using stage = await endedAfterStart((worker) => worker.end(end, error));
      const writes = stage.statusWrites;
      await stage.drain(15_000);
      assert.equal(stage.phase('copy'), phase);
      assert.equal(stage.resource('copy').status?.progress?.through, '2025-01-02T00:00:00Z');
      assert.equal(stage.statusWrites, writes + 1);
    });
  }

  it('does not leave a migration running that was edited before its failure was written, when it stops', async () => {
    await using stage = await endedAfterStart((worker) => worker.end('Failed', rejected));
    stage.life = { kind: 'draining' };
    stage.spec('copy', { rejectedSamples: 'Skip' });
    await stage.controller.drain(15_000);
    assert.equal(stage.phase('copy'), 'Pending', 'the next operator tries it again');
    assert.equal(stage.condition('copy', 'Progressing'), 'False OperatorStopped');
  });

  it('does not write an end again when it stops', async () => {
    await using stage = await endedAfterStart((worker) => worker.end('Succeeded'));
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Succeeded');
    const writes = stage.statusWrites;
    await stage.drain(15_000);
    assert.equal(stage.statusWrites, writes);
  });

  it('neither starts a worker nor reports a start when the drain begins between the check and the start', async () => {
    await using stage = new Stage();
    stage.put(migrationOf());
    let arrive = () => {};
    stage.secretResponses = new Promise((resolve) => {
      arrive = resolve;
    });
    await stage.lead();
    const drained = stage.drain(15_000);
    arrive();
    await stage.pass(1_000);
    await drained;
    assert.deepEqual([stage.workers.length, stage.phase('copy')], [0, undefined]);
  });

  for (const [what, change] of [
    ['suspended', (stage: Stage) => stage.spec('copy', { suspend: true })],
    ['deleted', (stage: Stage) => stage.terminate('copy')],
    ['deleted for good', (stage: Stage) => stage.remove('team/copy')],
  ] as const) {
    it(`does not start a migration that is ${what} between the check and the start`, async () => {
      await using stage = new Stage();
      stage.put(migrationOf());
      let arrive = () => {};
      stage.secretResponses = new Promise((resolve) => {
        arrive = resolve;
      });
      await stage.lead();
      change(stage);
      arrive();
      await stage.pass(1_000);
      assert.equal(stage.workers.length, 0);
    });
  }

  it('reports the correct status of a migration whose deletion a finalizer blocks', async () => {
    await using stage = await running();
    for (let second = 1; second <= 20; second++) {
      stage.worker('copy').report({ samplesWritten: second * 1000, watermarkMs: startMs + second });
      await stage.pass(1_000);
    }
    assert.ok((stage.resource('copy').status?.progress?.samplesPerSecond ?? 0) > 0);
    stage.terminate('copy');
    await stage.pass(0);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'abort' }]);
    stage.worker('copy').end('Interrupted', undefined, { samplesWritten: 20_000, watermarkMs: startMs + 20 });
    await stage.pass(2_000);
    assert.equal(stage.phase('copy'), 'Terminating');
    assert.equal(stage.condition('copy', 'Progressing'), 'False Deleting');
    assert.equal(stage.condition('copy', 'Succeeded'), 'Unknown Deleting');
    const { progress } = stage.resource('copy').status ?? {};
    assert.deepEqual([progress?.samplesWritten, progress?.rate, progress?.remaining], [20_000, undefined, undefined]);
    const writes = stage.statusWrites;
    await stage.pass(3_600_000);
    assert.deepEqual([stage.workers.length, stage.statusWrites], [1, writes]);
  });

  it('stops a migration immediately when it is deleted while it finishes its last windows for a suspension', async () => {
    await using stage = await running();
    stage.spec('copy', { suspend: true });
    await stage.pass(0);
    stage.terminate('copy');
    await stage.pass(0);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }, { type: 'abort' }]);
  });

  it('keeps the final status of a migration that is deleted afterwards', async () => {
    await using stage = await running();
    stage.worker('copy').end('Succeeded', undefined, done);
    await stage.pass(1_000);
    stage.terminate('copy');
    await stage.pass(60_000);
    assert.equal(stage.phase('copy'), 'Succeeded');
    assert.equal(stage.condition('copy', 'Succeeded'), 'True Completed');
  });

  it('treats a thread that cannot be started as a crashed attempt', async () => {
    await using stage = new Stage();
    // The error of Node when the pod has reached its process limit.
    const limit = () => Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' });
    stage.spawnFailures.push(limit(), limit());
    stage.put(migrationOf());
    await stage.lead();
    await stage.pass(1_000);
    assert.equal(stage.workers.length, 0);
    assert.equal(stage.condition('copy', 'Degraded'), 'True WorkerCrashed');
    assert.equal(stage.condition('copy', 'Progressing'), 'True Retrying');
    assert.match(stage.resource('copy').status?.conditions?.[2]?.message ?? '', /EAGAIN.*ERR_WORKER_INIT_FAILED/);
    assert.deepEqual(stage.events, ['copy AttemptFailed']);
    await stage.pass(13_000);
    assert.equal(stage.workers.length, 0, 'the second pause is longer');
    await stage.pass(3_000);
    assert.equal(stage.workers.length, 1);
    stage.worker('copy').report({ windows: 1, watermarkMs: startMs + 1 }, started);
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Degraded'), 'False AsExpected');
  });
});
