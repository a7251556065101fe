// What the controller does with a migration that is verified: after its copy, later, with differences.

import assert from 'node:assert/strict';
import { running, Stage } from './support/controller-stage.ts';
import { migrationOf, startMs } from './support/migrations.ts';
import { hourMs } from './support/statuses.ts';
import {
  copied,
  differing,
  endWith,
  finished,
  full,
  matching,
  off,
  restarted,
  through,
} from './support/verified-stage.ts';

describe('the controller, when a migration is verified', () => {
  it('shows the copy and the comparison as halves, and ends with both', async () => {
    await using stage = await running({ spec: { verification: full } });
    assert.equal(stage.condition('copy', 'Verified'), 'Unknown NotFinished');
    stage.worker('copy').report({ watermarkMs: startMs + 12 * hourMs, work: 'CopyAndVerify' });
    await stage.pass(10_000);
    assert.equal(stage.resource('copy').status?.progress?.display, '25.0%');
    stage.worker('copy').report(through(6));
    await stage.pass(10_000);
    const { status } = stage.resource('copy');
    assert.equal(status?.phase, 'Verifying');
    assert.equal(status?.progress?.display, '62.5%');
    assert.equal(status?.verification?.through, '2025-01-01T06:00:00Z');
    assert.equal(stage.condition('copy', 'Progressing'), 'True Verifying');
    assert.equal(stage.condition('copy', 'Succeeded'), 'Unknown Verifying');
    assert.equal(stage.condition('copy', 'Verified'), 'Unknown Running');
    endWith(stage, matching());
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Succeeded');
    assert.equal(stage.condition('copy', 'Succeeded'), 'True Completed');
    assert.equal(stage.condition('copy', 'Verified'), 'True Matching');
    assert.equal(stage.resource('copy').status?.progress?.display, '100.0%');
    assert.deepEqual(stage.events, ['copy Started', 'copy VerificationStarted', 'copy Verified', 'copy Succeeded']);
  });

  it('says so of a migration that is not', async () => {
    await using stage = await finished();
    assert.equal(stage.condition('copy', 'Verified'), 'Unknown NotRequested');
    assert.equal(stage.resource('copy').status?.verification, undefined);
    assert.deepEqual(stage.events, ['copy Started', 'copy Succeeded']);
  });

  it('ends with differences as onDifference says: Report', async () => {
    await using stage = await running({ spec: { verification: { ...full, onDifference: 'Report' } } });
    endWith(stage, differing());
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Succeeded'), 'True CompletedWithDifferences');
    assert.equal(stage.condition('copy', 'Verified'), 'False DifferencesFound');
    const verification = stage.resource('copy').status?.verification;
    assert.equal(verification?.missing, 1);
    assert.deepEqual(verification?.first, [
      { labels: 'up{job="node"}', time: '2025-01-01T00:00:00.017Z', kind: 'missing', source: '1' },
    ]);
    assert.ok(stage.events.includes('copy DifferencesFound'));
  });

  it('ends with differences as onDifference says: Fail, until the spec is changed', async () => {
    await using stage = await running({ spec: { verification: full } });
    const error = { code: 'differences-found', message: '1 missing', side: 'destination' } as const;
    stage.worker('copy').report({ ...differing(), phase: 'Failed' });
    stage.worker('copy').end('Failed', error, differing());
    await stage.pass(3_600_000);
    assert.equal(stage.workers.length, 1, 'it is not retried');
    assert.equal(stage.phase('copy'), 'Failed');
    assert.equal(stage.condition('copy', 'Succeeded'), 'False DifferencesFound');
    assert.equal(stage.condition('copy', 'Verified'), 'False DifferencesFound');
    assert.deepEqual(stage.events.slice(-2), ['copy DifferencesFound', 'copy Failed']);
    stage.spec('copy', { verification: { ...full, onDifference: 'Repair' } });
    await stage.pass(1_000);
    assert.equal(stage.workers.length, 2);
    assert.equal(stage.worker('copy').job.resumeVerification, undefined, 'from the start of the range');
  });

  it('never fails because of extra samples', async () => {
    await using stage = await running({ spec: { verification: full } });
    endWith(stage, through(24, { finished: true, extra: 5 }));
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Succeeded'), 'True Completed');
    assert.equal(stage.condition('copy', 'Verified'), 'True Matching');
    const { message } = stage.resource('copy').status?.conditions?.find(({ type }) => type === 'Verified') ?? {};
    assert.equal(message, '24 samples compared: 5 only there');
  });

  it('tries again when a worker says that it has succeeded, but has compared nothing', async () => {
    await using stage = await running({ spec: { verification: full } });
    endWith(stage, copied);
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Succeeded'), 'Unknown WorkerCrashed');
    await stage.pass(5_000);
    assert.equal(stage.workers.length, 2);
  });

  it('needs no report of a start: a worker may find that everything is copied', async () => {
    await using stage = new Stage();
    stage.put(migrationOf({ spec: { verification: full } }));
    await stage.lead();
    stage.worker('copy').report(through(6));
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Verifying');
    assert.equal(stage.resource('copy').status?.progress?.through, '2025-01-02T00:00:00Z');
    assert.equal(stage.resource('copy').status?.progress?.samplesWritten, 10);
  });
});

describe('the controller, when a finished migration is to be verified', () => {
  it('runs it again, once', async () => {
    await using stage = await finished();
    stage.spec('copy', { verification: full });
    await stage.pass(1_000);
    assert.equal(stage.workers.length, 2);
    assert.equal(stage.phase('copy'), 'Running');
    assert.equal(stage.resource('copy').status?.completionTime, undefined);
    stage.worker('copy').report(through(6));
    await stage.pass(10_000);
    assert.equal(stage.phase('copy'), 'Verifying');
    endWith(stage, matching());
    await stage.pass(3_600_000);
    assert.equal(stage.phase('copy'), 'Succeeded');
    assert.equal(stage.condition('copy', 'Verified'), 'True Matching');
    assert.equal(stage.workers.length, 2);
    stage.spec('copy', { progressDeadlineSeconds: 60 });
    await stage.pass(1_000);
    assert.equal(stage.workers.length, 2, 'another edit changes nothing about the result');
    assert.equal(stage.condition('copy', 'Verified'), 'True Matching');
  });

  it('does so also after a restart, and leaves alone what was verified before it', async () => {
    await using first = await finished();
    first.spec('copy', { verification: full });
    await using second = await restarted(first);
    assert.equal(second.workers.length, 1);
    assert.equal(second.phase('copy'), 'Running');
    endWith(second, matching());
    await second.pass(1_000);
    assert.equal(second.condition('copy', 'Verified'), 'True Matching');
    await using third = await restarted(second);
    await third.pass(3_600_000);
    assert.equal(third.workers.length, 0);
    assert.equal(third.phase('copy'), 'Succeeded');
  });

  it('waits for a slot like any other', async () => {
    await using stage = new Stage({ maxMigrations: 1 });
    stage.put(migrationOf({ name: 'copy', createdAt: '2025-06-01T00:00:00Z' }));
    await stage.lead();
    stage.worker('copy').report({ ...copied, phase: 'Succeeded' });
    stage.worker('copy').end('Succeeded', undefined, copied);
    await stage.pass(1_000);
    stage.put(migrationOf({ name: 'other', createdAt: '2025-06-01T00:00:01Z' }));
    await stage.pass(1_000);
    stage.spec('copy', { verification: full });
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Progressing'), 'False WaitingForWorker');
    assert.equal(stage.condition('copy', 'Verified'), 'Unknown NotFinished');
    stage.worker('other').end('Succeeded', undefined, copied);
    await stage.pass(1_000);
    assert.equal(stage.workers.at(-1)?.job.plan.migration, 'team/copy');
  });

  it('gives it the whole active deadline, and the whole time to live', async () => {
    await using stage = await finished({ activeDeadlineSeconds: 60, ttlSecondsAfterFinished: 600 });
    await stage.pass(500_000);
    stage.spec('copy', { verification: full });
    await stage.pass(50_000);
    assert.equal(stage.phase('copy'), 'Running');
    endWith(stage, matching());
    await stage.pass(500_000);
    assert.deepEqual(stage.deleted, []);
    await stage.pass(101_000);
    assert.deepEqual(stage.deleted, ['copy']);
  });

  it('gives it the whole active deadline after a restart too', async () => {
    await using first = await finished({ activeDeadlineSeconds: 60 });
    await using second = new Stage();
    await second.pass(3_600_000);
    second.put(first.resource('copy'));
    second.spec('copy', { verification: full });
    await second.lead();
    await second.pass(50_000);
    assert.equal(second.phase('copy'), 'Running');
    await second.pass(15_000);
    second.worker('copy').end('Interrupted');
    await second.pass(1_000);
    assert.equal(second.condition('copy', 'Succeeded'), 'False DeadlineExceeded');
  });

  it('withdraws the result when it is not wanted any more, and compares again when it is', async () => {
    for (const restart of [false, true]) {
      await using first = await finished();
      first.spec('copy', { verification: full });
      await first.pass(1_000);
      endWith(first, matching());
      await first.pass(2_000);
      await using second = restart ? await restarted(first) : undefined;
      const stage = second ?? first;
      const workers = stage.workers.length;
      stage.spec('copy', { verification: off });
      await stage.pass(2_000);
      assert.equal(stage.phase('copy'), 'Succeeded');
      assert.equal(stage.condition('copy', 'Verified'), 'Unknown NotRequested');
      assert.equal(stage.resource('copy').status?.verification, undefined);
      assert.equal(stage.workers.length, workers);
      stage.spec('copy', { verification: full });
      await stage.pass(2_000);
      assert.equal(stage.workers.length, workers + 1);
      assert.equal(stage.worker('copy').job.resumeVerification, undefined);
    }
  });

  it('compares again when its settings change', async () => {
    await using stage = await running({ spec: { verification: { ...full, onDifference: 'Report' } } });
    endWith(stage, differing());
    await stage.pass(1_000);
    stage.spec('copy', { verification: { ...full, onDifference: 'Repair' } });
    await stage.pass(1_000);
    assert.equal(stage.workers.length, 2);
    assert.equal(stage.worker('copy').job.resumeVerification, undefined, 'from the start of the range');
    assert.equal(stage.condition('copy', 'Verified'), 'Unknown NotFinished');
    endWith(stage, through(24, { finished: true, repaired: 1 }));
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Succeeded'), 'True Completed');
    assert.equal(stage.condition('copy', 'Verified'), 'True Matching');
  });
});
