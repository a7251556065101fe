import assert from 'node:assert/strict';
import { MigrationTrack } from '../../../src/operator/judge/migration-track.ts';
import { composeStatus } from '../../../src/operator/judge/status.ts';
import { stretchesIn, stretchFields } from '../../../src/operator/judge/status-stretches.ts';
import type { MigrationProgress } from '../../../src/migration/report/observer.ts';
import { migrationOf, momentAt, nowMs, progressOf, startMs } from '../support/migrations.ts';
import { halfWay, statusOf } from '../support/statuses.ts';

const failed = { startMs, code: 'samples-rejected', message: 'too old' };
const shown = { stretch: '2025-01-01T00:00:00Z', reason: 'samples-rejected', message: 'too old' };

describe('the stretches in the status', () => {
  it('name those that have failed, ten at most', () => {
    const of = (count: number) =>
      stretchFields(
        { total: 12, finished: 3, running: [], failed: Array.from({ length: count }, () => failed) },
        true,
        undefined,
      );
    assert.deepEqual(of(1), { total: 12, finished: 3, running: 0, failed: [shown] });
    assert.equal(of(11).failed?.length, 10);
    assert.equal(of(0).failed, undefined);
  });

  it('show none that run once nothing does', () => {
    const resource = migrationOf();
    const now = momentAt(nowMs);
    const track = new MigrationTrack(resource, now);
    track.attemptStarted(resource.spec, now);
    const running = [{ startMs, endMs: startMs + 1, completedRatio: 0 }];
    track.report(progressOf({ stretches: { total: 12, finished: 3, running, failed: [] } }), [], now);
    const status = (kind: 'running' | 'suspended') =>
      composeStatus({
        ...{ resource, track, now, check: undefined },
        situation: kind === 'running' ? { kind, stalledMs: undefined } : { kind },
      });
    assert.deepEqual(status('running').stretches, { total: 12, finished: 3, running: 1 });
    assert.deepEqual(status('suspended').stretches, { total: 12, finished: 3, running: 0 });
  });

  it('say in a condition why fewer of them run than are wanted, for as long as they do', () => {
    const limited = '3 stretches run at once instead of 8';
    const stretches = { total: 20, finished: 2, running: [], failed: [] };
    const message = (progress: Partial<MigrationProgress>) =>
      statusOf({ situation: { kind: 'running', stalledMs: undefined }, track: halfWay(progress) }).conditions?.find(
        ({ type }) => type === 'Progressing',
      )?.message;
    assert.equal(message({ stretches: { ...stretches, limited } }), `windows are being copied; ${limited}`);
    assert.equal(message({ stretches }), 'windows are being copied');
  });

  it('are taken over from an earlier operator, without those that ran', () => {
    assert.deepEqual(stretchesIn({ total: 12, finished: 3, running: 4, failed: [shown] }), {
      total: 12,
      finished: 3,
      running: [],
      failed: [failed],
    });
    assert.equal(stretchesIn(undefined), undefined);
  });
});
