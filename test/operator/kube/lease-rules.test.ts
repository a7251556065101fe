import assert from 'node:assert/strict';
import type { Lease } from '../../../src/operator/kube/kube-objects.ts';
import {
  type Candidate,
  type Move,
  nextMove,
  RELEASED,
  released,
  signed,
} from '../../../src/operator/kube/lease-rules.ts';

const time = '2026-01-01T00:00:00.000000Z';
const term = { uid: 'u1', renewTimes: [time], leadsFromMs: 0 };

function lease(spec: Lease['spec'], metadata: Partial<Lease['metadata']> = {}): Lease {
  return { metadata: { name: 'prom-migrator', uid: 'u1', ...metadata }, spec: { leaseDurationSeconds: 20, ...spec } };
}

const own = lease({ holderIdentity: 'me', renewTime: time });
const other = lease({ holderIdentity: 'other', renewTime: time });
const givenBack = { annotations: { [RELEASED]: 'u1' } };

const cases: [situation: string, candidate: Partial<Candidate>, move: Move][] = [
  ['there is no lease', { lease: undefined }, 'claim'],
  ['there is no lease, after the elector had its own', { lease: undefined, term }, 'claim'],
  ['the lease is its own', { lease: own, term }, 'renew'],
  ['the lease is its own, with an additional label', { lease: lease(own.spec, { labels: { x: 'y' } }), term }, 'renew'],
  [
    'the lease is its own, and the response to the last renewal was lost',
    {
      lease: own,
      term: { ...term, renewTimes: ['earlier', time, 'later'] },
    },
    'renew',
  ],
  [
    'the elector created the lease, and the response was lost',
    { lease: own, term: { ...term, uid: undefined } },
    'renew',
  ],
  ['the lease has its identity and another uid', { lease: lease(own.spec, { uid: 'u2' }), term }, 'claim'],
  ['the lease has its identity in an older state', { lease: own, term: { ...term, renewTimes: ['later'] } }, 'claim'],
  ['the lease has its identity, and the elector has just started', { lease: own }, 'claim'],
  ['the lease was released', { lease: lease({ holderIdentity: '' }, givenBack) }, 'take'],
  ['the lease was emptied', { lease: lease({ holderIdentity: '' }) }, 'claim'],
  ['its own lease was emptied', { lease: lease({ holderIdentity: '' }), term }, 'claim'],
  ['the lease never had a holder', { lease: { metadata: { name: 'prom-migrator', uid: 'u1' } } }, 'claim'],
  [
    'the lease was created from the backup of a released one',
    { lease: lease({}, { ...givenBack, uid: 'u2' }) },
    'claim',
  ],
  ['another holder has the lease', { lease: other, observedAtMs: 100, nowMs: 20_100 }, 'wait'],
  ['another holder has not renewed the lease', { lease: other, observedAtMs: 100, nowMs: 20_101 }, 'take'],
  [
    'another holder has the lease without a duration',
    {
      lease: lease({ ...other.spec, leaseDurationSeconds: 0 }),
      observedAtMs: 0,
      nowMs: 15_001,
    },
    'take',
  ],
];

describe('the lease rules', () => {
  for (const [situation, candidate, move] of cases) {
    it(`return ${move} when ${situation}`, () => {
      const input = {
        identity: 'me',
        leaseDurationMs: 15_000,
        term: undefined,
        lease: undefined,
        observedAtMs: 0,
        nowMs: 0,
      };
      assert.equal(nextMove({ ...input, ...candidate }), move);
    });
  }

  it('remove only the release annotation when another holder acquires the lease', () => {
    const before = released(lease({ holderIdentity: 'me', leaseTransitions: 4 }, { annotations: { mine: 'x' } }), time);
    assert.deepEqual(before.metadata.annotations, { mine: 'x', [RELEASED]: 'u1' });
    assert.equal(before.spec?.holderIdentity, '');
    const taken = signed(before, 'take', { identity: 'next', leaseDurationMs: 14_500, time: 'now' });
    assert.deepEqual(taken.metadata.annotations, { mine: 'x' });
    assert.deepEqual(taken.spec, {
      holderIdentity: 'next',
      leaseDurationSeconds: 15,
      acquireTime: 'now',
      renewTime: 'now',
      leaseTransitions: 5,
    });
  });
});
