import assert from 'node:assert/strict';
import { findCondition } from '../../../src/operator/judge/conditions.ts';
import { decide } from '../../../src/operator/judge/decide.ts';
import { READY_TYPES } from '../../../src/operator/judge/ready-conditions.ts';
import type { Situation } from '../../../src/operator/judge/situation.ts';
import { PHASES } from '../../../src/operator/judge/status.ts';
import { someVerification } from '../../migration/support/verification.ts';
import { input, short } from '../support/decide-inputs.ts';
import { type KStatus, kstatusOf } from '../support/kstatus.ts';
import { migrationOf, monotonicMs, nowMs } from '../support/migrations.ts';
import { halfWay, hourMs, running, type Scene, statusOf } from '../support/statuses.ts';

const pausing = (stalledMs?: number): Situation => ({
  kind: 'pausing',
  failures: { count: 3, retryAtMs: monotonicMs, reason: 'WorkerCrashed', message: 'boom' },
  stalledMs,
});
const failed: Situation = {
  kind: 'ended',
  outcome: { succeeded: false, reason: 'DestinationRefused', message: '404' },
  atMs: nowMs,
};
const succeeded: Situation = {
  kind: 'ended',
  outcome: { succeeded: true, reason: 'Completed', message: 'all' },
  atMs: nowMs,
};
const deletedAt = '2025-06-01T12:00:00Z';
const working = ['Unknown InProgress', 'True InProgress', 'False NotFailed'];
const verifying = halfWay({ verification: someVerification() });

describe('the conditions Ready, Reconciling and Stalled', () => {
  const table: [what: string, scene: Scene, phase: string, conditions: string[], kstatus: KStatus][] = [
    [
      'that is not accepted',
      {
        situation: { kind: 'rejected', reason: 'SecretNotFound', message: 'no key' },
        check: { ok: false, reason: 'SecretNotFound', message: 'no key', retryAtMs: 0 },
      },
      'Pending',
      working,
      'InProgress',
    ],
    ['whose sides are looked at', { situation: { kind: 'preflight' } }, 'Pending', working, 'InProgress'],
    ['that waits for a worker', { situation: { kind: 'waiting' } }, 'Pending', working, 'InProgress'],
    ['that waits for pods', { situation: { kind: 'waitingForPods' } }, 'Pending', working, 'InProgress'],
    ['whose operator stops', { situation: { kind: 'interrupted' } }, 'Pending', working, 'InProgress'],
    ['that is copied', { situation: running, track: halfWay() }, 'Running', working, 'InProgress'],
    ['that is compared', { situation: running, track: verifying }, 'Verifying', working, 'InProgress'],
    ['between two attempts', { situation: pausing() }, 'Running', working, 'InProgress'],
    ['that is suspended', { situation: { kind: 'suspended' } }, 'Suspended', working, 'InProgress'],
    ['without progress', { situation: pausing(600_000), track: halfWay() }, 'Stalled', working, 'InProgress'],
    [
      'that has skipped samples',
      { situation: running, track: halfWay({ samplesRejected: { too_old: 3 } }) },
      'Running',
      working,
      'InProgress',
    ],
    [
      'that has succeeded',
      { situation: succeeded, track: halfWay() },
      'Succeeded',
      ['True Succeeded', 'False Finished', 'False NotFailed'],
      'Current',
    ],
    ['that has failed', { situation: failed }, 'Failed', ['False Failed', 'False Finished', 'True Failed'], 'Failed'],
    [
      'that was deleted before its end',
      { situation: { kind: 'deleting' }, resource: migrationOf({ deletedAt }) },
      'Terminating',
      working,
      'Terminating',
    ],
    [
      'that was deleted after its failure',
      { situation: failed, resource: migrationOf({ deletedAt }) },
      'Failed',
      ['False Failed', 'False Finished', 'True Failed'],
      'Terminating',
    ],
  ];
  for (const [what, scene, phase, conditions, kstatus] of table) {
    it(`of a migration ${what} make kstatus say ${kstatus}`, () => {
      const status = statusOf(scene);
      assert.equal(status.phase, phase);
      const own = READY_TYPES.map((type) => findCondition(status.conditions, type));
      assert.deepEqual(
        own.map((condition) => `${condition?.status} ${condition?.reason}`),
        conditions,
      );
      assert.deepEqual(
        own.map((condition) => condition?.observedGeneration),
        [1, 1, 1],
      );
      assert.equal(kstatusOf({ ...(scene.resource ?? migrationOf()), status }), kstatus);
    });
  }

  it('were checked for every phase', () => {
    assert.deepEqual(new Set(table.map(([, , phase]) => phase)), new Set(PHASES));
  });

  it('say why, with reason and message of the condition Succeeded', () => {
    const messages = (scene: Scene) =>
      READY_TYPES.map((type) => findCondition(statusOf(scene).conditions, type)?.message);
    assert.deepEqual(messages({ situation: failed }), [
      'DestinationRefused: 404',
      'see the condition Succeeded',
      'DestinationRefused: 404',
    ]);
    const [ready, reconciling] = messages({ situation: { kind: 'suspended' } });
    assert.deepEqual([ready, reconciling], Array(2).fill('Suspended: spec.suspend is true'));
  });

  it('keep their times while a migration works, whatever it does', () => {
    const before = statusOf({ situation: { kind: 'waiting' } });
    const after = statusOf({
      resource: migrationOf({ status: before }),
      situation: pausing(600_000),
      track: halfWay(),
      atMs: nowMs + hourMs,
    });
    for (const type of READY_TYPES) {
      const [one, other] = [findCondition(before.conditions, type), findCondition(after.conditions, type)];
      assert.deepEqual(
        [one?.lastTransitionTime, one?.reason, one?.status],
        [other?.lastTransitionTime, other?.reason, other?.status],
      );
    }
  });

  it('are added to an end that version 0.1.0 has written, which stays as it is', () => {
    for (const [situation, kstatus] of [
      [succeeded, 'Current'],
      [failed, 'Failed'],
    ] as const) {
      const full = statusOf({ situation });
      const old = {
        ...full,
        conditions: full.conditions?.filter(({ type }) => !/^(Ready|Recon|Stall)/.test(type)) ?? [],
      };
      const resource = migrationOf({ status: old });
      assert.equal(kstatusOf(resource), 'Current', 'even if it has failed');
      assert.deepEqual(short(decide(input({ resource })).actions), ['status unchanged']);
      const noted = statusOf({ resource, situation: { kind: 'unchanged' } });
      assert.deepEqual(noted, full);
      const done = migrationOf({ status: noted });
      assert.equal(kstatusOf(done), kstatus);
      assert.deepEqual(short(decide(input({ resource: done })).actions), [], 'once');
    }
  });

  it('are not needed before an operator has looked at a migration: the default of its status says enough', () => {
    const created = migrationOf();
    assert.deepEqual(created.status, { observedGeneration: -1 });
    assert.equal(kstatusOf(created), 'InProgress');
  });
});
