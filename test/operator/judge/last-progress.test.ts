// When a migration last made progress: a window of millions of samples takes long where a destination limits the rate.

import assert from 'node:assert/strict';
import { MigrationTrack } from '../../../src/operator/judge/migration-track.ts';
import { migrationOf, momentAt, nowMs, progressOf, startMs } from '../support/migrations.ts';
import { started } from '../support/statuses.ts';

describe('the last progress', () => {
  const momentIn = (seconds: number) => momentAt(nowMs + seconds * 1000);
  const track = new MigrationTrack(migrationOf(), momentIn(0));
  const report = (seconds: number, changes: Parameters<typeof progressOf>[0]) =>
    track.report(progressOf({ watermarkMs: startMs, ...changes }), seconds === 0 ? [started] : [], momentIn(seconds));

  it('is that of the last sample that was written, in whichever window', () => {
    track.attemptStarted(migrationOf().spec, momentIn(0));
    assert.equal(report(0, { windows: 0, samplesWritten: 0 }), false);
    assert.equal(track.lastProgressMs, undefined);
    assert.equal(report(60, { windows: 0, samplesWritten: 1000 }), false);
    assert.equal(track.lastProgressMs, momentIn(60).monotonicMs);
    assert.equal(track.lastProgressTimeMs, undefined, 'no window was finished');
    report(120, { windows: 0, samplesWritten: 1000 });
    assert.equal(track.lastProgressMs, momentIn(60).monotonicMs);
    assert.equal(report(180, { windows: 1, samplesWritten: 1000 }), true);
    assert.equal(track.lastProgressMs, momentIn(180).monotonicMs);
    assert.equal(track.lastProgressTimeMs, momentIn(180).wallMs);
  });

  it('counts the samples of an attempt from zero', () => {
    track.attemptEnded();
    track.attemptStarted(migrationOf().spec, momentIn(200));
    report(210, { windows: 0, samplesWritten: 1 });
    assert.equal(track.lastProgressMs, momentIn(210).monotonicMs);
  });
});
