import assert from 'node:assert/strict';
import { FAULT_KINDS, WAYS } from '../../storm/fault-kinds.ts';
import { faultAt, planFaults } from '../../storm/fault-plan.ts';

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);
const DESTINATIONS = ['prometheus', 'victoria-metrics'] as const;

describe('the fault plan', () => {
  it('is the same for the same seed, and different for another', () => {
    const options = { seed: 7, way: 'write', destination: 'prometheus' } as const;
    assert.deepEqual(planFaults(options), planFaults(options));
    assert.notDeepEqual(planFaults(options), planFaults({ ...options, seed: 8 }));
  });

  it('ends, and leaves a successful request between two stretches', () => {
    for (const seed of SEEDS) {
      for (const way of WAYS) {
        const plan = planFaults({ seed, way, destination: 'prometheus' });
        assert.ok(plan.length >= 1);
        let before = -1;
        for (const { from, to } of plan) {
          assert.ok(from > before + 1 && to >= from, `seed ${seed}, ${way}`);
          before = to;
        }
        assert.equal(faultAt(plan, before + 1), undefined);
        assert.ok(before < 150, 'so that a small copy comes to its end');
      }
    }
  });

  it('has only faults that apply to their route, and no unavoidable duplicates', () => {
    for (const seed of SEEDS) {
      for (const way of WAYS) {
        for (const { kind } of planFaults({ seed, way, destination: 'victoria-metrics' })) {
          assert.ok(kind.ways.includes(way));
          assert.notEqual(kind.doublesIn, 'victoria-metrics');
        }
      }
    }
  });

  it('has only the selected kinds, and nothing when none of them apply', () => {
    const kinds = FAULT_KINDS.filter(({ name }) => name === 'stored-503');
    const plan = planFaults({ seed: 1, way: 'write', destination: 'prometheus', kinds });
    assert.ok(plan.length > 0 && plan.every(({ kind }) => kind.name === 'stored-503'));
    assert.deepEqual(planFaults({ seed: 1, way: 'source', destination: 'prometheus', kinds }), []);
  });

  it('has every kind within a few hundred seeds', () => {
    const planned = new Set<string>();
    for (const seed of SEEDS)
      for (const way of WAYS)
        for (const destination of DESTINATIONS)
          for (const { kind } of planFaults({ seed, way, destination })) planned.add(kind.name);
    assert.deepEqual([...planned].sort(), FAULT_KINDS.map(({ name }) => name).sort());
  });
});
