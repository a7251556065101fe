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
  ['there is none', { lease: undefined }, 'claim'],
  ['there is none, after it had its own', { lease: undefined, term }, 'claim'],
  ['it is its own', { lease: own, term }, 'renew'],
  ['it is its own, with a label more', { lease: lease(own.spec, { labels: { x: 'y' } }), term }, 'renew'],
  [
    'it is its own, and the response to the last renewal was lost',
    {
      lease: own,
      term: { ...term, renewTimes: ['earlier', time, 'later'] },
    },
    'renew',
  ],
  ['it is one that it created, and the response was lost', { lease: own, term: { ...term, uid: undefined } }, 'renew'],
  ['it bears its name with another uid', { lease: lease(own.spec, { uid: 'u2' }), term }, 'claim'],
  ['it bears its name in an older state', { lease: own, term: { ...term, renewTimes: ['later'] } }, 'claim'],
  ['it bears its name, and it remembers nothing', { lease: own }, 'claim'],
  ['it was given back', { lease: lease({ holderIdentity: '' }, givenBack) }, 'take'],
  ['it was emptied', { lease: lease({ holderIdentity: '' }) }, 'claim'],
  ['its own was emptied', { lease: lease({ holderIdentity: '' }), term }, 'claim'],
  ['it never had a holder', { lease: { metadata: { name: 'prom-migrator', uid: 'u1' } } }, 'claim'],
  ['it was created from the backup of one given back', { lease: lease({}, { ...givenBack, uid: 'u2' }) }, 'claim'],
  ['another holds it', { lease: other, observedAtMs: 100, nowMs: 20_100 }, 'wait'],
  ['another held it and has not renewed it', { lease: other, observedAtMs: 100, nowMs: 20_101 }, 'take'],
  [
    'another holds it with no duration of its own',
    {
      lease: lease({ ...other.spec, leaseDurationSeconds: 0 }),
      observedAtMs: 0,
      nowMs: 15_001,
    },
    'take',
  ],
];

describe('the rules of the lease', () => {
  for (const [situation, candidate, move] of cases) {
    it(`say ${move} when ${situation}`, () => {
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

  it('take the sign of a release away from whoever takes the lease, and nothing else', () => {
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
