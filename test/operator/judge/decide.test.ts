import assert from 'node:assert/strict';
import { type DecideInput, decide } from '../../../src/operator/judge/decide.ts';
import { endMs, migrationOf, monotonicMs, nowMs, startMs } from '../support/migrations.ts';
import {
  missing,
  completed,
  rejected,
  crashed,
  noTimeline,
  running,
  succeededStatus,
  failedStatus,
  input,
  short,
} from '../support/decide-inputs.ts';

const table: [what: string, input: Partial<DecideInput>, actions: string[], againInMs?: number][] = [
  ['validates a new migration', { check: undefined }, ['check']],
  ['starts an accepted migration with a slot', {}, ['start', 'status running'], 10_000],
  ['reads the Secrets again before a start', { checkIsFresh: false }, ['check']],
  ['waits without a slot', { slotFree: false }, ['status waiting'], 30_000],
  ['waits for a missing Secret without a worker', { check: missing }, ['status rejected'], 5_000],
  [
    'looks for the Secret before it has a slot',
    { check: { ...missing, retryAtMs: monotonicMs }, checkIsFresh: false, slotFree: false },
    ['check'],
  ],
  [
    'does not read the Secrets twice at the same time',
    { check: { ...missing, retryAtMs: monotonicMs }, checkIsFresh: true },
    ['status rejected'],
    0,
  ],
  ['backs off after a crash', { worker: { kind: 'idle', failures: crashed } }, ['status pausing'], 7_000],
  [
    'starts again after the back-off',
    { worker: { kind: 'idle', failures: { ...crashed, retryAtMs: monotonicMs } } },
    ['start', 'status running'],
    10_000,
  ],
  ['updates the status of a running migration', { worker: running() }, ['status running'], 10_000],
  [
    'drains a worker that cannot apply a spec change',
    { worker: running({ restartKey: 'other' }) },
    ['stop drain spec-changed', 'status running'],
    10_000,
  ],
  [
    'stops a worker only once',
    { worker: running({ restartKey: 'other', stopping: 'spec-changed' }) },
    ['status running'],
    10_000,
  ],
  [
    'passes new rates to the worker',
    { worker: running(), resource: migrationOf({ generation: 2, spec: { limits: { samplesPerSecond: 5 } } }) },
    ['rates', 'status running'],
    10_000,
  ],
  [
    'passes a new parallelism to the worker',
    {
      worker: running({ parallelism: 4 }),
      resource: migrationOf({ generation: 2 }),
    },
    ['parallelism', 'status running'],
    10_000,
  ],
  [
    'drains the worker of a suspended migration',
    { worker: running(), resource: migrationOf({ spec: { suspend: true } }) },
    ['stop drain suspend', 'status running'],
    10_000,
  ],
  [
    'reports the suspension once the worker has stopped',
    { resource: migrationOf({ spec: { suspend: true } }) },
    ['status suspended'],
  ],
  [
    'reads nothing for a suspended migration',
    { resource: migrationOf({ spec: { suspend: true } }), check: undefined },
    ['status suspended'],
  ],
  [
    'stops the worker of a migration that is being deleted',
    { worker: running(), resource: migrationOf({ deletedAt: '2025-06-01T11:00:00Z' }) },
    ['stop abort deleted'],
  ],
  [
    'does not wait for windows in flight when a migration is deleted during its suspension',
    {
      worker: running({ stopping: 'suspend' }),
      resource: migrationOf({ deletedAt: '2025-06-01T11:00:00Z', spec: { suspend: true } }),
    },
    ['stop abort deleted'],
  ],
  [
    'does not start a migration that is being deleted, and reports it',
    { resource: migrationOf({ deletedAt: '2025-06-01T11:00:00Z' }) },
    ['status deleting'],
  ],
  [
    'keeps the status of a migration that had finished before its deletion',
    { resource: migrationOf({ deletedAt: '2025-06-01T11:00:00Z', status: succeededStatus }), check: undefined },
    [],
  ],
  [
    'writes the final status of a migration that is deleted meanwhile',
    {
      resource: migrationOf({ deletedAt: '2025-06-01T11:00:00Z' }),
      worker: { kind: 'ended', outcome: completed, generation: 1, atMs: nowMs, verified: undefined },
    },
    ['status ended'],
  ],
  ['ignores a successful migration', { resource: migrationOf({ status: succeededStatus }), check: undefined }, []],
  ['ignores a failed migration', { resource: migrationOf({ status: failedStatus }), check: undefined }, []],
  [
    'updates the generation of a finished migration that was edited',
    { resource: migrationOf({ status: succeededStatus, generation: 2 }), check: undefined },
    ['status unchanged'],
  ],
  [
    'retries a failed migration when its spec has changed',
    { resource: migrationOf({ status: failedStatus, generation: 2 }) },
    ['start', 'status running'],
    10_000,
  ],
  [
    'trusts its worker over the status',
    { resource: migrationOf({ status: succeededStatus }), worker: running() },
    ['status running'],
    10_000,
  ],
  [
    'writes the result of its worker',
    { worker: { kind: 'ended', outcome: completed, generation: 1, atMs: nowMs, verified: undefined } },
    ['status ended'],
  ],
  [
    'does not retry a migration that has failed in this generation',
    { worker: { kind: 'ended', outcome: rejected, generation: 1, atMs: nowMs, verified: undefined } },
    ['status ended'],
  ],
  [
    'retries a migration that has failed in an earlier generation',
    {
      worker: { kind: 'ended', outcome: rejected, generation: 1, atMs: nowMs, verified: undefined },
      resource: migrationOf({ generation: 2 }),
    },
    ['start', 'status running'],
    10_000,
  ],
  [
    'does not restart a migration that has succeeded in an earlier generation',
    {
      worker: { kind: 'ended', outcome: completed, generation: 1, atMs: nowMs, verified: undefined },
      resource: migrationOf({ generation: 2 }),
    },
    ['status ended'],
  ],
  [
    'waits for the TTL',
    { resource: migrationOf({ status: succeededStatus, spec: { ttlSecondsAfterFinished: 90 } }) },
    [],
    30_000,
  ],
  [
    'deletes after the TTL',
    { resource: migrationOf({ status: succeededStatus, spec: { ttlSecondsAfterFinished: 60 } }) },
    ['delete'],
  ],
  [
    'deletes a failed migration too, even a suspended one',
    { resource: migrationOf({ status: failedStatus, spec: { ttlSecondsAfterFinished: 0, suspend: true } }) },
    ['delete'],
  ],
  [
    'stops a worker at the active deadline',
    {
      worker: running(),
      resource: migrationOf({ spec: { activeDeadlineSeconds: 60 } }),
      timeline: { ...noTimeline, startedMs: monotonicMs - 60_000 },
    },
    ['stop abort deadline', 'status running'],
    10_000,
  ],
  [
    'fails the migration when the worker has exited',
    {
      resource: migrationOf({ spec: { activeDeadlineSeconds: 60 } }),
      timeline: { ...noTimeline, startedMs: monotonicMs - 60_000 },
    },
    ['end DeadlineExceeded'],
  ],
  [
    'reconciles again at the deadline',
    {
      worker: running(),
      resource: migrationOf({ spec: { activeDeadlineSeconds: 60 } }),
      timeline: { ...noTimeline, startedMs: monotonicMs - 58_000 },
    },
    ['status running'],
    2_000,
  ],
];

describe('the decision about a migration', () => {
  for (const [what, changes, actions, againInMs] of table) {
    it(what, () => {
      const decision = decide(input(changes));
      assert.deepEqual(short(decision.actions), actions);
      assert.equal(decision.againInMs, againInMs);
    });
  }

  const tried = { ...noTimeline, tryingSinceMs: monotonicMs - 700_000 };
  const stalls: [what: string, changes: Partial<DecideInput>, stalledMs: number | undefined][] = [
    ['stalls when no window is finished', { worker: running(), timeline: tried }, 700_000],
    [
      'does not stall while windows are finished',
      { worker: running(), timeline: { ...tried, lastProgressMs: monotonicMs - 599_000 } },
      undefined,
    ],
    [
      'counts the stall from the last window',
      { worker: running(), timeline: { ...tried, lastProgressMs: monotonicMs - 600_000 } },
      600_000,
    ],
    [
      'does not count the time before the first attempt',
      {
        worker: running(),
        timeline: { ...noTimeline, tryingSinceMs: monotonicMs - 5_000, lastProgressMs: monotonicMs - 1e9 },
      },
      undefined,
    ],
    ['stalls between two attempts too', { worker: { kind: 'idle', failures: crashed }, timeline: tried }, 700_000],
    [
      'respects progressDeadlineSeconds',
      { worker: running(), timeline: tried, resource: migrationOf({ spec: { progressDeadlineSeconds: 701 } }) },
      undefined,
    ],
  ];
  for (const [what, changes, stalledMs] of stalls) {
    it(what, () => {
      const { actions } = decide(input(changes));
      const status = actions.find((action) => action.type === 'status');
      assert.ok(status?.type === 'status' && 'stalledMs' in status.situation);
      assert.equal(status.situation.stalledMs, stalledMs);
    });
  }

  it('reads the destination again when another client has written the final status', () => {
    for (const status of [succeededStatus, failedStatus]) {
      const own = migrationOf({ status, statusManager: 'prom-migrator' });
      assert.deepEqual(decide(input({ resource: own })).actions, []);
      const forged = migrationOf({ status, statusManager: 'kubectl-edit' });
      assert.equal(decide(input({ resource: forged })).actions[0]?.type, 'start');
    }
  });

  describe('about the resume point', () => {
    const timeline = { ...noTimeline, throughMs: startMs + 3_600_000, endMs };
    const resumeOf = (changes: Partial<DecideInput>) => {
      const start = decide(input({ timeline, ...changes })).actions.find((action) => action.type === 'start');
      assert.ok(start?.type === 'start');
      return start.resume;
    };

    it('leaves it to the destination, regardless of the status', () => {
      assert.equal(resumeOf({}), undefined);
    });

    it('starts nothing that the status reports as complete, when the destination keeps no mark', () => {
      const destination = { url: 'http://destination/write', progress: { protocol: 'None' } };
      const complete = {
        resource: migrationOf({ spec: { destination } }),
        timeline: { ...timeline, throughMs: endMs },
      };
      assert.deepEqual(short(decide(input(complete)).actions), ['end Completed']);
      assert.deepEqual(short(decide(input({ timeline: complete.timeline })).actions), ['start', 'status running']);
    });

    it('takes it from the status when the destination keeps no mark', () => {
      const destination = { url: 'http://destination/write', progress: { protocol: 'None' } };
      assert.deepEqual(resumeOf({ resource: migrationOf({ spec: { destination } }) }), {
        fromMs: startMs + 3_600_000,
        endMs,
      });
      const unknown = { resource: migrationOf({ spec: { destination } }), timeline: noTimeline };
      assert.equal(resumeOf(unknown), undefined);
    });
  });
});
