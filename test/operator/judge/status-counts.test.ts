import assert from 'node:assert/strict';
import { NO_COUNTS } from '../../../src/migration/report/counts.ts';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import { MigrationTrack } from '../../../src/operator/judge/migration-track.ts';
import { endMs, migrationOf, momentAt, nowMs, progressOf, startMs } from '../support/migrations.ts';
import { halfWay, hourMs, running, started, statusOf } from '../support/statuses.ts';

describe('the counts in the status', () => {
  const fromMs = startMs + 10 * hourMs;
  const resumed: MigrationEvent[] = [started, { type: 'resumed', fromMs, samplesBefore: 12_000_000 }];
  const atMark = {
    ...NO_COUNTS,
    samplesRead: 12_000_100,
    samplesWritten: 12_000_000,
    samplesFiltered: 100,
    windows: 5,
  };

  it('include all starts, like the mark in the destination', () => {
    const earlier = statusOf({ situation: running, track: halfWay({ samplesFiltered: 900, samplesRead: 12_400_900 }) });
    const resource = migrationOf({ status: earlier });
    const track = new MigrationTrack(resource, momentAt(nowMs));
    track.attemptStarted(migrationOf().spec, momentAt(nowMs));
    const counts = { samplesAlreadyPresent: 50, samplesWritten: 950, samplesRead: 1_000, windows: 1 };
    track.report(
      progressOf({ resumedFromMs: fromMs, watermarkMs: fromMs, earlier: atMark, ...counts }),
      resumed,
      momentAt(nowMs),
    );
    const status = statusOf({ resource, situation: running, track });
    assert.equal(status.progress?.samplesWritten, 12_000_950);
    assert.equal(status.progress?.samplesAlreadyPresent, 50);
    assert.equal(status.progress?.samplesFiltered, 100);
    assert.equal(status.progress?.samplesRead, 12_001_100);
    assert.equal(status.progress?.windows, 6);
    assert.equal(status.resumedFrom, '2025-01-01T10:00:00Z');
    assert.equal(status.startTime, earlier.startTime);
  });

  it('are read from the destination for a finished migration whose last status was never written', () => {
    const track = new MigrationTrack(migrationOf(), momentAt(nowMs));
    track.attemptStarted(migrationOf().spec, momentAt(nowMs));
    track.report(
      progressOf({ phase: 'Succeeded', watermarkMs: endMs, resumedFromMs: endMs, earlier: atMark }),
      [{ type: 'already-finished', throughMs: endMs - 1 }],
      momentAt(nowMs),
    );
    track.attemptEnded();
    const outcome = { succeeded: true, reason: 'Completed', message: 'm' } as const;
    const { progress } = statusOf({ situation: { kind: 'ended', outcome, atMs: nowMs }, track });
    assert.equal(progress?.samplesRead, 12_000_100);
    assert.equal(progress?.samplesWritten, 12_000_000);
    assert.equal(progress?.samples, '12.0M');
    assert.equal(progress?.percent, 100);
  });

  it('are absent when the mark of an older version has none', () => {
    const earlier = statusOf({ situation: running, track: halfWay() });
    const resource = migrationOf({ status: earlier });
    const track = new MigrationTrack(resource, momentAt(nowMs));
    track.attemptStarted(migrationOf().spec, momentAt(nowMs));
    const known = { resumedFromMs: fromMs, watermarkMs: fromMs, samplesRead: 5, samplesWritten: 5 };
    track.report(progressOf({ ...known, earlier: 'unknown' }), resumed, momentAt(nowMs));
    const { progress } = statusOf({ resource, situation: running, track });
    assert.equal(progress?.through, '2025-01-01T10:00:00Z');
    assert.deepEqual(
      [progress?.samplesRead, progress?.samplesWritten, progress?.samples],
      [undefined, undefined, undefined],
    );
    const later = new MigrationTrack(migrationOf({ status: { ...earlier, progress } }), momentAt(nowMs));
    assert.equal(later.counts, undefined, 'nor does the next operator take them for zero');
  });

  it('are added to those in the status when there are no marks', () => {
    const progress = { protocol: 'None' };
    const spec = { destination: { url: 'http://destination/write', progress } };
    const earlier = statusOf({ situation: running, track: halfWay() });
    const resource = migrationOf({ spec, status: earlier, statusManager: 'kubectl-edit' });
    const track = new MigrationTrack(resource, momentAt(nowMs));
    track.attemptStarted(migrationOf().spec, momentAt(nowMs));
    const counts = { samplesRead: 5, samplesWritten: 5, earlier: 'unknown' } as const;
    track.report(progressOf({ resumedFromMs: fromMs, watermarkMs: fromMs, ...counts }), [started], momentAt(nowMs));
    assert.equal(track.counts?.samplesWritten, 12_400_005);
  });

  it('ignore a status written by others', () => {
    const earlier = statusOf({ situation: running, track: halfWay() });
    const forged = { ...earlier, startTime: '2020-01-01T00:00:00Z' };
    const track = new MigrationTrack(migrationOf({ status: forged, statusManager: 'kubectl-edit' }), momentAt(nowMs));
    assert.deepEqual(
      [track.startTimeMs, track.startedMs, track.throughMs, track.counts],
      [undefined, undefined, undefined, NO_COUNTS],
    );
    const own = new MigrationTrack(migrationOf({ status: earlier, statusManager: 'prom-migrator' }), momentAt(nowMs));
    assert.equal(own.counts?.samplesWritten, 12_400_000);
  });
});
