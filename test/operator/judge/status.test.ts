import assert from 'node:assert/strict';
import type { MigrationProgress } from '../../../src/migration/report/observer.ts';
import { NO_COUNTS } from '../../../src/migration/report/counts.ts';
import type { Failures } from '../../../src/operator/judge/attempt.ts';
import { MigrationTrack } from '../../../src/operator/judge/migration-track.ts';
import { endMs, migrationOf, momentAt, monotonicMs, nowMs, progressOf, startMs } from '../support/migrations.ts';
import { halfWay, hourMs, running, type Scene, short, started, statusOf } from '../support/statuses.ts';

const crashed: Failures = { count: 3, retryAtMs: monotonicMs, reason: 'WorkerCrashed', message: 'boom' };

const heldBy = { side: 'destination', samplesPerSecond: 24_600.4 } as const;

describe('the status', () => {
  const table: [what: string, scene: Scene, phase: string, conditions: string[]][] = [
    [
      'of a waiting migration',
      { situation: { kind: 'waiting' } },
      'Pending',
      [
        'Accepted=True Valid',
        'Progressing=False WaitingForWorker',
        'Degraded=False AsExpected',
        'Succeeded=Unknown WaitingForWorker',
      ],
    ],
    [
      'of a migration with a missing Secret',
      {
        situation: { kind: 'rejected', reason: 'SecretNotFound', message: 'no key' },
        check: { ok: false, reason: 'SecretNotFound', message: 'no key', retryAtMs: 0 },
      },
      'Pending',
      [
        'Accepted=False SecretNotFound',
        'Progressing=False NotAccepted',
        'Degraded=False AsExpected',
        'Succeeded=Unknown SecretNotFound',
      ],
    ],
    [
      'of a starting migration',
      { situation: running },
      'Running',
      ['Accepted=True Valid', 'Progressing=True Starting', 'Degraded=False AsExpected', 'Succeeded=Unknown Starting'],
    ],
    [
      'of a copying migration',
      { situation: running, track: halfWay() },
      'Running',
      ['Accepted=True Valid', 'Progressing=True Copying', 'Degraded=False AsExpected', 'Succeeded=Unknown Copying'],
    ],
    [
      'of a migration without a resume point',
      { situation: running, track: halfWay(), check: { ok: true, id: 'a', noResumePoint: true } },
      'Running',
      [
        'Accepted=True NoResumePoint',
        'Progressing=True Copying',
        'Degraded=False AsExpected',
        'Succeeded=Unknown Copying',
      ],
    ],
    [
      'of a suspended migration',
      { situation: { kind: 'suspended' } },
      'Suspended',
      [
        'Accepted=True Valid',
        'Progressing=False Suspended',
        'Degraded=False AsExpected',
        'Succeeded=Unknown Suspended',
      ],
    ],
    [
      'of a stalled migration',
      { situation: { kind: 'running', stalledMs: 600_000 }, track: halfWay() },
      'Stalled',
      [
        'Accepted=True Valid',
        'Progressing=False NoProgress',
        'Degraded=False AsExpected',
        'Succeeded=Unknown NoProgress',
      ],
    ],
    [
      'of a migration with a crashed worker',
      { situation: { kind: 'pausing', failures: crashed, stalledMs: undefined } },
      'Running',
      [
        'Accepted=True Valid',
        'Progressing=True Retrying',
        'Degraded=True WorkerCrashed',
        'Succeeded=Unknown WorkerCrashed',
      ],
    ],
    [
      'of a migration whose operator stops',
      { situation: { kind: 'interrupted' }, track: halfWay() },
      'Pending',
      [
        'Accepted=True Valid',
        'Progressing=False OperatorStopped',
        'Degraded=False AsExpected',
        'Succeeded=Unknown OperatorStopped',
      ],
    ],
    [
      'of a migration with rejected samples',
      { situation: running, track: halfWay({ samplesRejected: { too_old: 3 } }) },
      'Running',
      ['Accepted=True Valid', 'Progressing=True Copying', 'Degraded=True SamplesSkipped', 'Succeeded=Unknown Copying'],
    ],
    [
      'of a completed migration',
      {
        situation: { kind: 'ended', outcome: { succeeded: true, reason: 'Completed', message: 'm' }, atMs: nowMs },
        track: halfWay(),
      },
      'Succeeded',
      ['Accepted=True Valid', 'Progressing=False Finished', 'Degraded=False AsExpected', 'Succeeded=True Completed'],
    ],
    [
      'of a failed migration',
      {
        situation: {
          kind: 'ended',
          outcome: { succeeded: false, reason: 'DestinationRefused', message: 'm' },
          atMs: nowMs,
        },
      },
      'Failed',
      [
        'Accepted=True Valid',
        'Progressing=False Finished',
        'Degraded=False AsExpected',
        'Succeeded=False DestinationRefused',
      ],
    ],
  ];
  for (const [what, scene, phase, conditions] of table) {
    it(what, () => {
      const status = statusOf(scene);
      assert.equal(status.phase, phase);
      assert.deepEqual(short(status), conditions);
      assert.equal(status.observedGeneration, 1);
      assert.equal(status.completionTime !== undefined, phase === 'Succeeded' || phase === 'Failed');
    });
  }

  it('reports the rejected samples as an upper bound when some of them may have been stored', () => {
    const progressOf = (progress: Partial<MigrationProgress>) =>
      statusOf({ situation: running, track: halfWay({ earlier: NO_COUNTS, ...progress }) }).progress;
    const bounded = progressOf({ samplesRejected: { out_of_order: 5 }, samplesRejectedUnproven: 2 });
    assert.equal(bounded?.samplesRejectedUnproven, 2);
    assert.equal('samplesRejectedUnproven' in (progressOf({ samplesRejected: { out_of_order: 5 } }) ?? {}), false);
  });

  it('shows the progress as numbers for programs and as text for people', () => {
    const status = statusOf({ situation: running, track: halfWay({ heldBy }) });
    assert.deepEqual(status.progress, {
      percent: 50,
      display: '50.0%',
      through: '2025-01-01T12:00:00Z',
      samples: '12.4M',
      samplesRead: 12_400_000,
      samplesWritten: 12_400_000,
      samplesFiltered: 0,
      samplesAlreadyPresent: 0,
      samplesConflicting: 0,
      windows: 6,
      bytesRead: 0,
      bytesWritten: 0,
      retries: 0,
      series: 0,
      samplesPerSecond: 413_333,
      rate: '413k/s',
      destinationLimit: 24_600,
      remaining: '30s',
    });
    assert.deepEqual(status.range, { start: '2025-01-01T00:00:00Z', end: '2025-01-02T00:00:00Z' });
    assert.equal(status.startTime, '2025-06-01T11:59:00Z');
    assert.equal(status.lastProgressTime, '2025-06-01T12:00:00Z');
    assert.equal(status.id, '0123456789abcdef');
    assert.equal(status.resumedFrom, undefined);
  });

  it('includes the acknowledged part of windows in flight in percentage and remaining time', () => {
    const track = halfWay({ watermarkMs: startMs + 2 * hourMs, reachedMs: startMs + 18 * hourMs });
    const { progress } = statusOf({ situation: running, track });
    assert.equal(progress?.percent, 75);
    assert.equal(progress?.display, '75.0%');
    assert.equal(progress?.remaining, '10s');
    assert.equal(progress?.through, '2025-01-01T02:00:00Z', 'through stays the watermark');
  });

  it('does not decrease the percentage when an attempt compares the windows in flight again', () => {
    const track = halfWay({ watermarkMs: startMs + 2 * hourMs, reachedMs: startMs + 18 * hourMs });
    track.attemptEnded();
    track.attemptStarted(migrationOf().spec, momentAt(nowMs));
    const fromMs = startMs + 2 * hourMs;
    track.report(progressOf({ resumedFromMs: fromMs, watermarkMs: fromMs }), [started], momentAt(nowMs));
    assert.equal(statusOf({ situation: running, track }).progress?.percent, 75);
    assert.equal(statusOf({ situation: running, track }).progress?.through, '2025-01-01T02:00:00Z');
  });

  it('shows no rate without progress', () => {
    const { progress } = statusOf({ situation: { kind: 'suspended' }, track: halfWay({ heldBy }) });
    assert.equal(progress?.samples, '12.4M');
    assert.deepEqual(
      [progress?.rate, progress?.remaining, progress?.samplesPerSecond, progress?.destinationLimit],
      [undefined, undefined, undefined, undefined],
    );
  });

  it('shows no range before the engine has found the start', () => {
    const track = new MigrationTrack(migrationOf(), momentAt(nowMs));
    track.attemptStarted(migrationOf().spec, momentAt(nowMs));
    track.report(progressOf({ phase: 'Starting', endMs: startMs }), [], momentAt(nowMs));
    const { range, progress } = statusOf({ situation: running, track });
    assert.deepEqual([range, progress], [undefined, undefined]);
  });

  it('keeps milliseconds of the range when there are any', () => {
    const track = new MigrationTrack(migrationOf(), momentAt(nowMs));
    track.attemptStarted(migrationOf().spec, momentAt(nowMs));
    track.report(progressOf({ endMs: endMs - 1, watermarkMs: startMs + 417 }), [started], momentAt(nowMs));
    const { range, progress } = statusOf({ situation: running, track });
    assert.equal(range?.end, '2025-01-01T23:59:59.999Z');
    assert.equal(progress?.through, '2025-01-01T00:00:00.417Z');
  });

  it('ignores an edited status: without a mark it counts from zero', () => {
    const lie = {
      progress: { samplesWritten: 999, through: '2025-01-01T23:00:00Z' },
      range: { start: '2025-01-01T00:00:00Z', end: '2025-01-02T00:00:00Z' },
    };
    const resource = migrationOf({ status: lie });
    const track = new MigrationTrack(resource, momentAt(nowMs));
    track.attemptStarted(migrationOf().spec, momentAt(nowMs));
    track.report(progressOf({ samplesWritten: 1, samplesRead: 1 }), [started], momentAt(nowMs));
    const { progress } = statusOf({ resource, situation: running, track });
    assert.equal(progress?.samplesWritten, 1);
    assert.equal(progress?.through, '2025-01-01T00:00:00Z');
  });

  it('survives the end of an attempt, and a crash of the operator', () => {
    const track = halfWay();
    track.attemptEnded();
    const status = statusOf({ situation: { kind: 'pausing', failures: crashed, stalledMs: undefined }, track });
    assert.equal(status.progress?.samplesWritten, 12_400_000);
    const resource = migrationOf({ status });
    const again = statusOf({
      resource,
      situation: { kind: 'waiting' },
      track: new MigrationTrack(resource, momentAt(nowMs)),
      atMs: nowMs + 1,
    });
    assert.equal(again.progress?.samplesWritten, 12_400_000);
    assert.equal(again.startTime, status.startTime);
  });

  it('updates only observedGeneration after the end', () => {
    const ended = statusOf({
      situation: { kind: 'ended', outcome: { succeeded: true, reason: 'Completed', message: 'm' }, atMs: nowMs },
      track: halfWay(),
    });
    const resource = migrationOf({ status: ended, generation: 7 });
    const noted = statusOf({ resource, situation: { kind: 'unchanged' }, atMs: nowMs + hourMs });
    assert.equal(noted.observedGeneration, 7);
    assert.deepEqual(
      noted.conditions,
      ended.conditions?.map((condition) => ({ ...condition, observedGeneration: 7 })),
    );
    assert.deepEqual({ ...noted, observedGeneration: 1, conditions: ended.conditions }, ended);
  });
});
