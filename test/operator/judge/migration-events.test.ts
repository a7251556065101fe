import assert from 'node:assert/strict';
import type { PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import {
  EVENT_REASONS,
  noticeOf,
  noticeOfVerification,
  noticesOfChange,
} from '../../../src/operator/judge/migration-events.ts';
import { someVerification } from '../../migration/support/verification.ts';
import { endMs, progressOf, startMs } from '../support/migrations.ts';

function statusWith(progressing: string, succeeded: 'True' | 'False' | 'Unknown' = 'Unknown'): PromMigrationStatus {
  const lastTransitionTime = '2025-06-01T12:00:00Z';
  return {
    conditions: [
      { type: 'Progressing', status: 'False', reason: progressing, message: 'why', lastTransitionTime },
      { type: 'Succeeded', status: succeeded, reason: 'Because', message: 'what', lastTransitionTime },
    ],
  };
}

function verifiedWith(status: 'True' | 'False' | 'Unknown', settle = '30s'): PromMigrationStatus {
  const lastTransitionTime = '2025-06-01T12:00:00Z';
  return {
    conditions: [{ type: 'Verified', status, reason: 'Because', message: 'counts', lastTransitionTime }],
    verification: { settings: { onDifference: 'Fail', onExtra: 'Report', settle } },
  };
}

describe('the events of a migration', () => {
  const changes: [
    what: string,
    before: PromMigrationStatus | undefined,
    after: PromMigrationStatus,
    notices: string[],
  ][] = [
    ['a suspension', statusWith('Copying'), statusWith('Suspended'), ['Normal Suspended: why']],
    ['no repeated suspension', statusWith('Suspended'), statusWith('Suspended'), []],
    ['a stall', statusWith('Copying'), statusWith('NoProgress'), ['Warning NoProgress: why']],
    ['no end of a stall', statusWith('NoProgress'), statusWith('Copying'), []],
    ['a success', statusWith('Copying'), statusWith('Finished', 'True'), ['Normal Succeeded: Because: what']],
    ['a failure', statusWith('NoProgress'), statusWith('Finished', 'False'), ['Warning Failed: Because: what']],
    [
      'an end that the operator sees first',
      undefined,
      statusWith('Finished', 'True'),
      ['Normal Succeeded: Because: what'],
    ],
    ['no end that was already reported', statusWith('Finished', 'True'), statusWith('Finished', 'True'), []],
    ['a match', verifiedWith('Unknown'), verifiedWith('True'), ['Normal Verified: counts']],
    ['differences', undefined, verifiedWith('False'), ['Warning DifferencesFound: counts']],
    ['no result that was already reported', verifiedWith('False'), verifiedWith('False'), []],
    [
      'the same result of another verification',
      verifiedWith('True'),
      verifiedWith('True', '1m'),
      ['Normal Verified: counts'],
    ],
    ['no result that is withdrawn', verifiedWith('True'), verifiedWith('Unknown'), []],
  ];
  for (const [what, before, after, expected] of changes) {
    it(`report ${what}`, () => {
      const notices = noticesOfChange(before, after).map(({ type, reason, note }) => `${type} ${reason}: ${note}`);
      assert.deepEqual(notices, expected);
    });
  }

  it('report the beginning of a comparison, once', () => {
    const verification = someVerification({ startMs, endMs });
    const note = (before: typeof verification | undefined) =>
      noticeOfVerification(before, progressOf({ verification }))?.note;
    assert.equal(note(undefined), 'comparing source and destination from 2025-01-01T00:00:00Z to 2025-01-02T00:00:00Z');
    assert.equal(note(verification), undefined);
    assert.equal(noticeOfVerification(undefined, progressOf()), undefined);
  });

  const told: [event: MigrationEvent, note: string | undefined][] = [
    [
      { type: 'started', startMs, endMs, memoryBytes: 1 },
      'Started: copying from 2025-01-01T00:00:00Z to 2025-01-02T00:00:00Z',
    ],
    [
      { type: 'resumed', fromMs: startMs + 1, samplesBefore: 12_400_000 },
      'Resumed: resuming at 2025-01-01T00:00:00.001Z, 12.4M samples are already in the destination',
    ],
    [
      { type: 'window-split', fromMs: startMs, toMs: startMs + 60_000, reason: 'response-too-large', by: 'time' },
      'WindowSplit: the window of 1m at 2025-01-01T00:00:00Z is halved: response-too-large',
    ],
    [
      { type: 'rejected', reason: 'too_old', samples: 1, response: 'see http://u:hunter2@host/' },
      'SamplesRejected: the destination rejects samples (too_old): see http://host/',
    ],
    [{ type: 'warning', code: 'nothing-found', message: 'm' }, undefined],
  ];
  for (const [event, note] of told) {
    it(`${note === undefined ? 'do not report' : 'report'} ${event.type}`, () => {
      const notice = noticeOf(event, progressOf());
      assert.equal(notice && `${notice.reason}: ${notice.note}`, note);
      if (notice !== undefined) assert.ok(notice.reason in EVENT_REASONS);
    });
  }

  it('report either a start or a resume, not both', () => {
    const event: MigrationEvent = { type: 'started', startMs, endMs, memoryBytes: 1 };
    assert.equal(noticeOf(event, progressOf({ resumedFromMs: startMs })), undefined);
  });
});
