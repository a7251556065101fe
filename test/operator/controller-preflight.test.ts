// The controller with spec.preflight: a look in a worker before the one that copies.

import assert from 'node:assert/strict';
import { finding } from '../../src/migration/preflight/preflight-result.ts';
import { Stage } from './support/controller-stage.ts';
import type { FakeWorker } from './support/fake-worker.ts';
import { endMs, migrationOf } from './support/migrations.ts';

const blocks = finding('receiver-off', { side: 'destination', has: 'none', needs: 'one' });
const informs = finding('any-is-faster', { side: 'destination', has: 'any order', needs: 'nothing more' });
const done = { watermarkMs: endMs, samplesRead: 10, samplesWritten: 10, windows: 3 };
const unjudged = { side: 'source', code: 'connection-refused', message: 'no connection', hint: undefined } as const;

async function looking(preflight: 'Warn' | 'Enforce', options: { maxMigrations?: number } = {}): Promise<Stage> {
  const stage = new Stage(options);
  stage.put(migrationOf({ spec: { preflight } }));
  await stage.lead();
  assert.equal(stage.worker('copy').job.preflight, true);
  return stage;
}

async function found(
  stage: Stage,
  result: Partial<Parameters<typeof finding>[1]> & Partial<Found> = {},
): Promise<void> {
  const worker: FakeWorker = stage.worker('copy');
  worker.tell({ type: 'preflight', findings: [], unjudged: [], ...result });
  worker.end('Interrupted');
  await stage.pass(1_000);
}

interface Found {
  readonly findings: readonly ReturnType<typeof finding>[];
  readonly unjudged: readonly (typeof unjudged)[];
}

const kinds = (stage: Stage) => stage.workers.map(({ job }) => (job.preflight ? 'look' : 'copy'));

describe('a migration with preflight', () => {
  it('Warn copies after the look, and shows what was found', async () => {
    await using stage = await looking('Warn');
    assert.equal(stage.phase('copy'), 'Pending');
    assert.equal(stage.condition('copy', 'Progressing'), 'True Preflight');
    await found(stage, { findings: [blocks, informs] });
    assert.deepEqual(kinds(stage), ['look', 'copy']);
    assert.equal(stage.condition('copy', 'Accepted'), 'True PreflightFindings');
    assert.equal(stage.phase('copy'), 'Running');
    assert.deepEqual(stage.events, ['copy PreflightFinding', 'copy PreflightFinding']);
    stage.worker('copy').end('Succeeded', undefined, done);
    await stage.pass(1_000);
    assert.equal(stage.phase('copy'), 'Succeeded');
    assert.equal(stage.condition('copy', 'Accepted'), 'True PreflightFindings');
  });

  it('Warn copies although a side could not be looked at, or the look has crashed', async () => {
    await using stage = await looking('Warn');
    await found(stage, { unjudged: [unjudged] });
    assert.deepEqual(kinds(stage), ['look', 'copy']);
    assert.equal(stage.condition('copy', 'Accepted'), 'True PreflightIncomplete');
    await using other = await looking('Warn');
    other.worker('copy').fail(new Error('out of memory'));
    other.worker('copy').exit(1);
    await other.pass(1_000);
    assert.deepEqual(kinds(other), ['look', 'copy']);
    assert.equal(other.condition('copy', 'Degraded'), 'False AsExpected');
  });

  it('Enforce copies only when nothing blocks any more, which it finds out by itself', async () => {
    await using stage = await looking('Enforce');
    assert.equal(stage.condition('copy', 'Accepted'), 'Unknown PreflightRunning');
    await found(stage, { findings: [blocks] });
    assert.deepEqual(kinds(stage), ['look']);
    assert.equal(stage.condition('copy', 'Accepted'), 'False PreflightBlocked');
    assert.equal(stage.condition('copy', 'Progressing'), 'False NotAccepted');
    await stage.pass(5_000);
    assert.deepEqual(kinds(stage), ['look', 'look']);
    assert.equal(stage.condition('copy', 'Accepted'), 'False PreflightBlocked');
    await found(stage, { findings: [blocks] });
    assert.deepEqual(stage.events, ['copy PreflightFinding'], 'one event for each code');
    await stage.pass(10_000);
    await found(stage);
    assert.deepEqual(kinds(stage), ['look', 'look', 'look', 'copy']);
    assert.equal(stage.condition('copy', 'Accepted'), 'True Valid');
  });

  it('Enforce holds a migration whose look has crashed', async () => {
    await using stage = await looking('Enforce');
    stage.worker('copy').fail(new Error('out of memory'));
    stage.worker('copy').exit(1);
    await stage.pass(1_000);
    assert.deepEqual(kinds(stage), ['look']);
    assert.equal(stage.condition('copy', 'Accepted'), 'False PreflightNotJudged');
    assert.match(stage.resource('copy').status?.conditions?.[0]?.message ?? '', /out of memory/);
  });

  it('Enforce looks at once after a change of the spec, and not at all when it is Off', async () => {
    await using stage = await looking('Enforce');
    await found(stage, { findings: [blocks] });
    stage.spec('copy', { rejectedSamples: 'Skip' });
    await stage.pass(0);
    assert.deepEqual(kinds(stage), ['look', 'look']);
    await found(stage, { findings: [blocks] });
    stage.spec('copy', { preflight: 'Off' });
    await stage.pass(1_000);
    assert.deepEqual(kinds(stage), ['look', 'look', 'copy']);
    assert.equal(stage.condition('copy', 'Accepted'), 'True Valid');
  });

  it('leaves its slot to others while it is held', async () => {
    await using stage = await looking('Enforce', { maxMigrations: 1 });
    stage.put(migrationOf({ name: 'other' }));
    await stage.pass(0);
    assert.equal(stage.condition('other', 'Progressing'), 'False WaitingForWorker');
    await found(stage, { findings: [blocks] });
    assert.equal(stage.phase('other'), 'Running');
  });

  it('is not looked at while it is suspended, and a look ends when it is', async () => {
    await using stage = await looking('Enforce');
    stage.spec('copy', { suspend: true });
    await stage.pass(0);
    assert.deepEqual(stage.worker('copy').received, [{ type: 'stop' }]);
    stage.worker('copy').end('Interrupted');
    await stage.pass(600_000);
    assert.equal(stage.phase('copy'), 'Suspended');
    assert.deepEqual(kinds(stage), ['look']);
    stage.spec('copy', { suspend: false });
    await stage.pass(0);
    assert.deepEqual(kinds(stage), ['look', 'look']);
  });

  it('is not looked at again when its copy has begun', async () => {
    await using stage = await looking('Enforce');
    await found(stage);
    stage.worker('copy').report({ watermarkMs: endMs - 3_600_000, samplesWritten: 5, windows: 1 });
    await stage.pass(10_000);
    const { status } = stage.resource('copy');
    stage.worker('copy').fail(new Error('boom'));
    stage.worker('copy').exit(1);
    await stage.pass(10_000);
    assert.deepEqual(kinds(stage), ['look', 'copy', 'copy']);
    assert.ok(status);
    await using next = new Stage();
    next.put(migrationOf({ spec: { preflight: 'Enforce' }, status, statusManager: 'prom-migrator' }));
    await next.lead();
    assert.deepEqual(kinds(next), ['copy']);
  });
});
