import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ALL_NAMES, hasName, type NamePartition } from '../../../src/migration/series/name-partition.ts';
import { cutIntoShares } from '../../../src/migration/series/name-shares.ts';

/** A sample in which each name is as often as it says. */
const sample = (weights: Record<string, number>) =>
  Object.entries(weights).flatMap(([name, weight]) => Array.from({ length: weight }, () => name));

const shown = (partition: NamePartition, sampled: readonly string[], maxShare: number) =>
  cutIntoShares(partition, sampled, maxShare).map(
    ({ names: { from, to }, share, isOneName }) => `${from}–${to ?? ''} ${share.toFixed(2)}${isOneName ? ' one' : ''}`,
  );

describe('cutting names into shares', () => {
  const even = { a: 10, b: 10, c: 10, d: 10, e: 10, f: 10 };

  it('makes parts of equal size, in any order of the sample', () => {
    assert.deepEqual(shown(ALL_NAMES, sample(even), 0.5), ['–d 0.50', 'd– 0.50']);
    assert.deepEqual(shown(ALL_NAMES, sample(even).reverse(), 0.4), ['–c 0.33', 'c–e 0.33', 'e– 0.33']);
  });

  it('follows the sizes, not the number of names', () => {
    assert.deepEqual(shown(ALL_NAMES, sample({ a: 1, b: 1, c: 1, d: 3 }), 0.6), ['–d 0.50', 'd– 0.50 one']);
  });

  it('reads a name that is larger than a part separately', () => {
    const weights = { a: 5, b: 5, huge: 50, x: 5, y: 5 };
    assert.deepEqual(shown(ALL_NAMES, sample(weights), 0.3), ['–h 0.14', 'h–x 0.71 one', 'x– 0.14']);
  });

  it('does not cut what has one name, or none that can be used', () => {
    assert.deepEqual(shown(ALL_NAMES, sample({ a: 5 }), 0.1), ['– 1.00 one']);
    assert.deepEqual(shown(ALL_NAMES, [], 0.1), ['– 1.00']);
    assert.deepEqual(shown({ from: 'b', to: 'c' }, sample(even), 0.1), ['b–c 1.00 one']);
    assert.deepEqual(shown(ALL_NAMES, ['x'.repeat(300), '\ud800'], 0.1), ['– 1.00']);
  });

  it('covers every name once, and exceeds the largest share with single names only', () => {
    const name = fc.oneof(fc.constantFrom('a', 'b', 'go_gc', 'node_cpu', 'up'), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 60 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (names, max) => {
        const shares = cutIntoShares(ALL_NAMES, names, max);
        for (const probe of [...names, '', 'm', '~']) {
          assert.equal(shares.filter(({ names: part }) => hasName(part, probe)).length, 1, JSON.stringify(probe));
        }
        assert.ok(Math.abs(shares.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
        const large = shares.filter(({ share }) => share > max + 1e-9);
        assert.ok(large.every(({ isOneName }) => isOneName) || shares.length === 1);
      }),
    );
  });
});
