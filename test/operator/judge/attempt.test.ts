import assert from 'node:assert/strict';
import type { MigrationCode } from '../../../src/migration/report/migration-codes.ts';
import type { MigrationProgress, MigrationResult } from '../../../src/migration/report/observer.ts';
import { type Attempt, judgeEnd, pauseMs, type Verdict } from '../../../src/operator/judge/attempt.ts';
import type { WorkerEnd } from '../../../src/execute/worker-messages.ts';
import { nowMs, progressOf } from '../support/migrations.ts';

function ended(
  phase: MigrationProgress['phase'],
  error?: MigrationResult['error'],
  progress: Partial<MigrationProgress> = {},
): WorkerEnd {
  return {
    kind: 'result',
    result: {
      progress: progressOf({ samplesRead: 9, windows: 1, ...progress, phase }),
      ...(error !== undefined && { error }),
    },
  };
}

const failed = (code: MigrationCode, side?: 'source' | 'destination' | 'progress'): WorkerEnd =>
  ended('Failed', { code, message: 'what happened', ...(side !== undefined && { side }) });

function short(verdict: Verdict): string {
  if (verdict.kind === 'outcome') return `${verdict.outcome.succeeded} ${verdict.outcome.reason}`;
  return verdict.kind === 'again' ? `again ${verdict.failures.reason}` : `stopped ${verdict.cause}`;
}

describe('the end of an attempt', () => {
  const table: [what: string, end: WorkerEnd, verdict: string, changes?: Partial<Attempt>][] = [
    ['success', ended('Succeeded'), 'true Completed'],
    [
      'success with rejected samples, even from an earlier attempt',
      ended('Succeeded'),
      'true CompletedWithSkips',
      { samplesRejected: 4 },
    ],
    ['success without any samples', ended('Succeeded', undefined, { samplesRead: 0 }), 'true NothingFound'],
    [
      'success without further samples',
      ended('Succeeded', undefined, { samplesRead: 0, resumedFromMs: 1 }),
      'true Completed',
    ],
    ['success despite a stop', ended('Succeeded'), 'true Completed', { cause: 'suspend' }],
    ['a requested interruption', ended('Interrupted'), 'stopped suspend', { cause: 'suspend' }],
    ['an unexpected interruption', ended('Interrupted'), 'again WorkerCrashed'],
    ['rejected credentials', failed('unauthorized', 'source'), 'again CredentialsRefused'],
    ['forbidden', failed('forbidden', 'destination'), 'again CredentialsRefused'],
    ['an untrusted certificate', failed('tls-untrusted', 'source'), 'again CredentialsRefused'],
    ['a defect', failed('internal'), 'again WorkerCrashed'],
    ['a disabled receiver', failed('receiver-disabled', 'destination'), 'false DestinationRefused'],
    ['a wrong source path', failed('wrong-path', 'source'), 'false SourceRefused'],
    ['a wrong progress path', failed('wrong-path', 'progress'), 'false ProgressRefused'],
    ['differences', failed('differences-found', 'destination'), 'false DifferencesFound', { verifies: true }],
    ['a destination that cannot be decoded', failed('destination-undecodable'), 'false DestinationUnreadable'],
    ['rejected samples', failed('samples-rejected', 'destination'), 'false SamplesRejected'],
    ['a mark that is not stored', failed('mark-not-found', 'destination'), 'false ProgressNotKept'],
    ['a window that cannot get smaller', failed('window-too-large', 'source'), 'false LimitTooSmall'],
    ['too little memory', failed('memory-too-small'), 'false LimitTooSmall'],
    ['an empty range', failed('empty-range'), 'false EmptyRange'],
    ['a response that cannot be decoded', failed('bad-response-corrupt', 'source'), 'false SourceUnreadable'],
    ['labels that cannot be read', failed('bad-response-invalid-labels', 'source'), 'false SourceUnreadable'],
    ['a damaged response of the destination', failed('bad-response', 'destination'), 'false DestinationRefused'],
    ['a read-back that is too large', failed('read-back-too-large', 'progress'), 'false ProgressRefused'],
    ['a side that cannot be reached', failed('unreachable', 'source'), 'false SourceRefused'],
    ['a refusal of no side', failed('unreachable'), 'false InternalError'],
    ['samples without an account', failed('accounting'), 'again WorkerCrashed'],
    ['a crash', { kind: 'crashed', code: 'X', message: 'boom' }, 'again WorkerCrashed'],
    ['a crash during a stop', { kind: 'crashed', code: 'X', message: 'boom' }, 'stopped deleted', { cause: 'deleted' }],
    ['silence', { kind: 'hung', silentMs: 65_000 }, 'again WorkerHung'],
    ['a termination', { kind: 'terminated' }, 'stopped shutdown', { cause: 'shutdown' }],
  ];
  for (const [what, end, verdict, changes] of table) {
    it(`is classified: ${what}`, () => {
      const attempt: Attempt = {
        end,
        cause: undefined,
        earlier: undefined,
        verifies: false,
        samplesRejected: 0,
        ...changes,
      };
      assert.equal(short(judgeEnd(attempt, nowMs)), verdict);
    });
  }

  it('is followed by a longer delay each time', () => {
    const end: WorkerEnd = { kind: 'crashed', code: 'X', message: 'boom' };
    const first = judgeEnd({ end, cause: undefined, earlier: undefined, verifies: false, samplesRejected: 0 }, nowMs);
    assert.ok(first.kind === 'again');
    assert.deepEqual([first.failures.count, first.failures.retryAtMs - nowMs], [1, 5_000]);
    const second = judgeEnd(
      { end, cause: undefined, earlier: first.failures, verifies: false, samplesRejected: 0 },
      nowMs,
    );
    assert.ok(second.kind === 'again');
    assert.deepEqual([second.failures.count, second.failures.retryAtMs - nowMs], [2, 10_000]);
  });

  it('is retried after five minutes at most', () => {
    assert.deepEqual([1, 2, 3, 7, 1_000].map(pauseMs), [5_000, 10_000, 20_000, 300_000, 300_000]);
  });

  it('keeps its hint', () => {
    const error = {
      code: 'receiver-disabled',
      message: 'destination returned 404',
      hint: 'start it with …',
      side: 'destination',
    } as const;
    const verdict = judgeEnd(
      { end: ended('Failed', error), cause: undefined, earlier: undefined, verifies: false, samplesRejected: 0 },
      nowMs,
    );
    assert.ok(verdict.kind === 'outcome');
    assert.equal(verdict.outcome.message, 'destination returned 404 (start it with …)');
  });
});
