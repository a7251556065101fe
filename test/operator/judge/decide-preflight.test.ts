// Decisions about a migration whose sides are looked at before its copy.

import assert from 'node:assert/strict';
import { type DecideInput, decide } from '../../../src/operator/judge/decide.ts';
import type { PreflightState } from '../../../src/operator/judge/preflight-record.ts';
import { crashed, input, missing, running, short } from '../support/decide-inputs.ts';
import { migrationOf, monotonicMs } from '../support/migrations.ts';

const obstacle = { reason: 'PreflightBlocked', message: 'no receiver' } as const;
const due: PreflightState = { kind: 'due', held: undefined };
const dueAgain: PreflightState = { kind: 'due', held: obstacle };
const held: PreflightState = { kind: 'held', retryAtMs: monotonicMs + 80_000, ...obstacle };
const looks = running({ looks: true });
const job = migrationOf({ spec: { execution: { mode: 'Job' } } });

const table: [what: string, input: Partial<DecideInput>, actions: string[], againInMs?: number][] = [
  ['looks before the copy', { preflight: due }, ['look', 'status preflight'], 10_000],
  ['reads the Secrets before a look', { preflight: due, checkIsFresh: false }, ['check']],
  ['looks only at what is accepted', { preflight: due, check: missing }, ['status rejected'], 5_000],
  ['looks only with a slot', { preflight: due, slotFree: false }, ['status waiting'], 30_000],
  [
    'lets the migration of a Job wait for its look',
    { preflight: due, slotFree: false, resource: job },
    ['status preflight'],
    5_000,
  ],
  [
    'does not look while it is suspended',
    { preflight: due, resource: migrationOf({ spec: { suspend: true } }) },
    ['status suspended'],
  ],
  [
    'does not look while it pauses',
    { preflight: due, worker: { kind: 'idle', failures: crashed } },
    ['status pausing'],
    7_000,
  ],
  [
    'waits for the pods of an earlier Job first',
    { preflight: due, podsEnding: true },
    ['status waitingForPods'],
    10_000,
  ],
  ['holds what is blocked until the next look', { preflight: held }, ['status rejected'], 80_000],
  ['does not show another look at what is blocked', { preflight: dueAgain }, ['look', 'status rejected'], 10_000],
  [
    'keeps the reason while another look waits for a slot',
    { preflight: dueAgain, slotFree: false },
    ['status rejected'],
    30_000,
  ],
  ['shows a look', { preflight: due, worker: looks }, ['status preflight'], 10_000],
  ['shows a look whose result has just arrived', { preflight: held, worker: looks }, ['status rejected'], 10_000],
  [
    'stops a look at an edited spec',
    { preflight: due, worker: running({ looks: true, restartKey: 'other' }) },
    ['stop drain spec-changed', 'status preflight'],
    10_000,
  ],
  [
    'stops a look when the migration is suspended',
    { preflight: due, worker: looks, resource: migrationOf({ spec: { suspend: true } }) },
    ['stop drain suspend', 'status preflight'],
    10_000,
  ],
  [
    'passes no limits to a look',
    { preflight: due, worker: looks, resource: migrationOf({ spec: { limits: { samplesPerSecond: 5 } } }) },
    ['status preflight'],
    10_000,
  ],
];

describe('the decision before a copy', () => {
  for (const [what, given, actions, againInMs] of table) {
    it(what, () => {
      const decision = decide(input(given));
      assert.deepEqual(short(decision.actions), actions);
      assert.equal(decision.againInMs, againInMs);
    });
  }
});
