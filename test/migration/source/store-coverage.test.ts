// Whether the response of a Thanos component can be complete, by what its Info API says.
import assert from 'node:assert/strict';
import { StoreCoverage } from '../../../src/migration/source/store-coverage.ts';
import type { StoreInfo, StoreLabels } from '../../../src/wire/store-api/info-response.ts';

const A: StoreLabels = [['cluster', 'a']];
const B: StoreLabels = [['cluster', 'b']];
const NOTHING: StoreInfo = {
  component: 'query',
  range: { minMs: -(2 ** 63), maxMs: 2 ** 63 },
  labelSets: [],
  stored: [],
};
const queryOf = (fromMs: number, toMs: number, matchers = [{ kind: '=', name: '__name__', value: 'up' }] as const) => ({
  ...{ fromMs, toMs, matchers },
});
const storedIn = (...stored: StoreInfo['stored']): StoreInfo => ({
  component: 'query',
  range: { minMs: Math.min(...stored.map(({ minMs }) => minMs)), maxMs: Math.max(...stored.map(({ maxMs }) => maxMs)) },
  labelSets: stored.map(({ labels }) => labels),
  stored,
});

describe('the coverage of a Thanos component', () => {
  it('is nothing for a Query without stores, in the forms of all releases', () => {
    const coverage = new StoreCoverage();
    assert.equal(coverage.missing(NOTHING, queryOf(0, 10)), 'it has no stores');
    assert.equal(coverage.missing({ ...NOTHING, range: { minMs: 0, maxMs: 0 } }, queryOf(0, 10)), 'it has no stores');
    assert.equal(
      coverage.missing({ ...NOTHING, range: undefined }, queryOf(0, 10)),
      'it serves no StoreAPI at present',
    );
  });

  it('may be nothing for a component that has its own storage', () => {
    const coverage = new StoreCoverage();
    for (const component of ['receive', 'store', 'sidecar'])
      assert.equal(coverage.missing({ ...NOTHING, component }, queryOf(0, 10)), undefined);
    // A Store Gateway without blocks.
    const empty = { ...NOTHING, component: 'store', range: { minMs: 2 ** 63, maxMs: -(2 ** 63) } };
    coverage.learn(empty);
    assert.equal(coverage.missing(empty, queryOf(0, 10)), undefined);
  });

  it('lacks a store that it had, in the range of that store only', () => {
    const coverage = new StoreCoverage();
    coverage.learn(storedIn({ labels: A, minMs: 100, maxMs: 200 }, { labels: B, minMs: 150, maxMs: 400 }));
    const rest = storedIn({ labels: A, minMs: 100, maxMs: 200 });
    assert.match(coverage.missing(rest, queryOf(300, 350)) ?? '', /no longer covers 1970.* of \{cluster="b"\}/);
    assert.equal(coverage.missing(rest, queryOf(50, 150)), undefined);
    assert.equal(coverage.missing(rest, queryOf(500, 600)), undefined);
  });

  it('lacks a store with the labels of another one, such as a shard of a Store Gateway', () => {
    const coverage = new StoreCoverage();
    coverage.learn(
      storedIn(
        { labels: A, minMs: 0, maxMs: 100 },
        { labels: A, minMs: 100, maxMs: 200 },
        { labels: A, minMs: 200, maxMs: 300 },
      ),
    );
    const rest = storedIn({ labels: A, minMs: 0, maxMs: 100 }, { labels: A, minMs: 200, maxMs: 300 });
    assert.match(
      coverage.missing(rest, queryOf(90, 120)) ?? '',
      /1970-01-01T00:00:00.101Z to 1970-01-01T00:00:00.120Z/,
    );
    assert.equal(coverage.missing(rest, queryOf(0, 100)), undefined);
  });

  it('does not shrink when a store hands its data on to another one, or blocks are merged', () => {
    const coverage = new StoreCoverage();
    coverage.learn(storedIn({ labels: A, minMs: 0, maxMs: 100 }, { labels: A, minMs: 100, maxMs: 2 ** 63 }));
    const later = storedIn({ labels: A, minMs: 0, maxMs: 200 }, { labels: A, minMs: 150, maxMs: 2 ** 63 });
    assert.equal(coverage.missing(later, queryOf(0, 1000)), undefined);
  });

  it('is known by the label sets and the whole range in older releases', () => {
    const old = (labelSets: readonly StoreLabels[]): StoreInfo => ({
      ...{ component: 'query', range: { minMs: 0, maxMs: 1000 }, labelSets, stored: [] },
    });
    const coverage = new StoreCoverage();
    coverage.learn(old([A, B]));
    assert.equal(coverage.missing(old([A, B]), queryOf(0, 10)), undefined);
    assert.match(coverage.missing(old([B]), queryOf(0, 10)) ?? '', /\{cluster="a"\}/);
  });

  it('does not matter for stores whose external labels cannot match', () => {
    const coverage = new StoreCoverage();
    coverage.learn(storedIn({ labels: A, minMs: 0, maxMs: 100 }, { labels: B, minMs: 0, maxMs: 100 }));
    const rest = storedIn({ labels: A, minMs: 0, maxMs: 100 });
    const matching = (kind: '=' | '!=' | '=~', value: string) =>
      coverage.missing(rest, { ...queryOf(0, 10), matchers: [{ kind, name: 'cluster', value }] });
    assert.equal(matching('=', 'a'), undefined);
    assert.equal(matching('!=', 'b'), undefined);
    assert.match(matching('=', 'b') ?? '', /no longer covers/);
    assert.match(matching('!=', 'a') ?? '', /no longer covers/);
    assert.match(matching('=~', 'a') ?? '', /no longer covers/);
  });

  it('names what appears in a range that was read before, once', () => {
    const coverage = new StoreCoverage();
    assert.deepEqual(coverage.learn(storedIn({ labels: A, minMs: 0, maxMs: 1000 })), []);
    coverage.wasRead({ fromMs: 0, toMs: 500 });
    const both = storedIn({ labels: A, minMs: 0, maxMs: 1000 }, { labels: B, minMs: 400, maxMs: 1000 });
    assert.deepEqual(coverage.learn(both), ['{cluster="b"}']);
    assert.deepEqual(coverage.learn(both), []);
    // New data behind what was read.
    assert.deepEqual(coverage.learn(storedIn({ labels: [], minMs: 600, maxMs: 700 })), []);
  });
});
