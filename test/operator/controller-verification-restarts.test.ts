// What the controller does with a verification that is interrupted, changed, or cannot be finished.

import assert from 'node:assert/strict';
import { running } from './support/controller-stage.ts';
import { endMs, startMs } from './support/migrations.ts';
import { hourMs } from './support/statuses.ts';
import { full, lost, restarted, through } from './support/verified-stage.ts';

describe('the controller, when a verification is interrupted or changed', () => {
  const found = { missing: 1, equal: 3, expected: { rejected: 2 }, seriesCompared: 7, samplesCompared: 6 } as const;
  const resumed = {
    throughMs: startMs + 6 * hourMs,
    counts: { ...found, extra: 0, different: 0, repeated: 0, repaired: 0 },
  };

  it('resumes it after a suspension, with what it had found', async () => {
    await using stage = await running({ spec: { verification: full } });
    stage.worker('copy').report(through(6, { ...found, first: [lost] }));
    stage.spec('copy', { suspend: true });
    await stage.pass(1_000);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }]);
    stage.worker('copy').end('Interrupted', undefined, through(6, { ...found, first: [lost] }));
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Suspended');
    assert.equal(stage.condition('copy', 'Verified'), 'Unknown NotFinished');
    assert.equal(stage.resource('copy').status?.verification?.missing, 1);
    stage.spec('copy', { suspend: false });
    await stage.pass(1_000);
    assert.deepEqual(stage.worker('copy').job.resumeVerification, resumed);
    // The engine resumes the counts; the differences that it finds are its own.
    const other = { ...lost, timestampMs: startMs + 7 * hourMs };
    stage.worker('copy').report(through(8, { resumedFromMs: resumed.throughMs, missing: 2, first: [other] }));
    await stage.pass(10_000);
    assert.deepEqual(
      stage.resource('copy').status?.verification?.first?.map(({ time }) => time),
      ['2025-01-01T00:00:00.017Z', '2025-01-01T07:00:00Z'],
    );
    assert.deepEqual(
      stage.events.filter((event) => event === 'copy VerificationStarted'),
      ['copy VerificationStarted'],
    );
  });

  it('resumes it after a restart, from the status', async () => {
    await using first = await running({ spec: { verification: full } });
    first.worker('copy').report(through(6, { ...found, first: [lost] }));
    await first.pass(10_000);
    await using second = await restarted(first);
    assert.equal(second.phase('copy'), 'Running');
    assert.deepEqual(second.worker('copy').job.resumeVerification, resumed);
    assert.equal(second.resource('copy').status?.progress?.display, '62.5%');
  });

  it('tells the next operator how far it was, when the operator stops', async () => {
    await using first = await running({ spec: { verification: full } });
    first.worker('copy').report(through(6, found));
    await first.pass(1_000);
    first.worker('copy').report(through(12, found));
    const drained = first.drain(10_000);
    await first.pass(0);
    first.worker('copy').end('Interrupted', undefined, through(12, found));
    await first.pass(1_000);
    await drained;
    assert.equal(first.phase('copy'), 'Pending');
    assert.equal(first.resource('copy').status?.verification?.through, '2025-01-01T12:00:00Z');
  });

  it('reports the stop of the operator also when the worker had crashed just before', async () => {
    await using stage = await running({ spec: { verification: full } });
    stage.worker('copy').report(through(6, found));
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Verifying');
    stage.worker('copy').fail(new Error('boom'));
    stage.worker('copy').exit(1);
    await stage.drain(10_000);
    assert.equal(stage.phase('copy'), 'Pending');
    assert.equal(stage.condition('copy', 'Progressing'), 'False OperatorStopped');
  });

  it('has a result only when its worker has ended, and needs no second comparison if the operator is killed just before', async () => {
    await using first = await running({ spec: { verification: full } });
    first.worker('copy').report(through(6, found));
    await first.pass(10_000);
    const all = { ...found, finished: true } as const;
    first.worker('copy').report({ ...through(24, all), phase: 'Succeeded' });
    await first.pass(10_000);
    assert.equal(first.phase('copy'), 'Verifying');
    assert.equal(first.condition('copy', 'Progressing'), 'True Verifying');
    assert.equal(first.condition('copy', 'Verified'), 'Unknown Running');
    await using second = await restarted(first);
    assert.deepEqual(second.worker('copy').job.resumeVerification, { ...resumed, throughMs: endMs });
  });

  it('begins again at the start of the range when its settings were changed', async () => {
    await using stage = await running({ spec: { verification: full } });
    stage.worker('copy').report(through(6, found));
    await stage.pass(1_000);
    stage.spec('copy', { verification: { ...full, onExtra: 'Ignore' } });
    await stage.pass(0);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }]);
    stage.worker('copy').end('Interrupted', undefined, through(6, found));
    await stage.pass(1_000);
    assert.equal(stage.workers.length, 2);
    assert.equal(stage.worker('copy').job.resumeVerification, undefined);
  });

  it('resumes it after a crash, and says when a side cannot be read', async () => {
    await using stage = await running({ spec: { verification: full } });
    stage.worker('copy').report(through(6, found));
    stage.worker('copy').fail(new Error('boom'));
    stage.worker('copy').exit(1);
    await stage.pass(6_000);
    assert.deepEqual(stage.worker('copy').job.resumeVerification, resumed);
    stage.worker('copy').report(through(6, { ...found, resumedFromMs: resumed.throughMs }));
    const error = { code: 'wrong-path', message: 'progress returned 404', side: 'progress' } as const;
    stage.worker('copy').end('Failed', error, through(6, found));
    await stage.pass(1_000);
    assert.equal(stage.condition('copy', 'Succeeded'), 'False ProgressRefused');
    assert.equal(stage.condition('copy', 'Verified'), 'Unknown NotReadable');
    stage.spec('copy', { progressDeadlineSeconds: 60 });
    await stage.pass(1_000);
    assert.deepEqual(stage.worker('copy').job.resumeVerification, resumed);
  });

  it('is not stalled as long as something is compared', async () => {
    await using stage = await running({ spec: { verification: full, progressDeadlineSeconds: 30 } });
    for (let hour = 1; hour < 10; hour++) {
      stage.worker('copy').report(through(hour));
      await stage.pass(20_000);
      assert.equal(stage.phase('copy'), 'Verifying');
    }
    await stage.pass(20_000);
    assert.equal(stage.phase('copy'), 'Stalled');
  });
});
