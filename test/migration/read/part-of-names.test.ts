// How the planner reads a source that sends plain samples and may not be able to select a part of the names: the regular expressions for it are
// refused by some adapters, and ignored by others.
import assert from 'node:assert/strict';
import type { ReadFailure } from '../../../src/migration/read/read-failure.ts';
import type { Slice } from '../../../src/migration/read/slice.ts';
import { ALL_NAMES } from '../../../src/migration/series/name-partition.ts';
import { assertComplete, cross, DAY, type Delivery, HOUR, metric, plannerOf, SECOND } from './support/crossing.ts';
import { SimulatedStore } from './support/simulated-store.ts';

const maxMs = 2 * HOUR;
const budgetBytes = 32_000_000;
const probes = ['', 'a', 'm', '~', '\u{1f600}'];
/** A bit more than four times the target in two hours. */
const metrics = Array.from({ length: 60 }, (_, i) => metric(`m_${i % 7}_${i}`, { series: 20 + ((i * 37) % 200) }));
const names = [...probes, ...metrics.map(({ name }) => name)];
const isWhole = ({ slice }: Pick<Delivery, 'slice'>) => slice.names.from === '' && slice.names.to === undefined;

function source(): SimulatedStore {
  const store = new SimulatedStore([...metrics].sort((a, b) => (a.name < b.name ? -1 : 1)));
  store.plain = true;
  store.memoryBytes = budgetBytes;
  return store;
}

function planner() {
  const limits = { minMs: SECOND, maxMs, targetSamples: 10_000_000, targetBytes: 14_000_000 };
  return plannerOf({ limits, budgetBytes, form: 'Samples' });
}

describe('the window planner with a source that may not select a part of the names', () => {
  for (const [what, failure] of [
    ['with a 400', { kind: 'ambiguous' }],
    ['with a 500', { kind: 'transient', responded: true }],
    ['as unsupported', { kind: 'refused' }],
  ] as const) {
    it(`reads short windows of all names of a source that refuses ${what} what selects a part of them`, () => {
      const fault = (slice: Slice): ReadFailure | undefined => (isWhole({ slice }) ? undefined : failure);
      const read = cross(planner(), source(), [0, DAY], fault);
      assertComplete(read.deliveries, names, [0, DAY], maxMs);
      assert.ok(read.deliveries.every(isWhole));
      assert.ok(read.requests < 200, `${read.requests} requests`);
    });
  }

  it('reads short windows of all names of a source that ignores what selects a part of them, and delivers nothing twice', () => {
    const store = source();
    const ignoring = { read: (slice: Slice) => store.read({ ...slice, names: ALL_NAMES }) } as SimulatedStore;
    const read = cross(planner(), ignoring, [0, DAY]);
    assert.ok(read.deliveries.every(isWhole));
    const delivered = read.deliveries.reduce((sum, { samples }) => sum + samples, 0);
    const stored = metrics.reduce((sum, { series }) => sum + (series * DAY) / (15 * SECOND), 0);
    assert.equal(delivered, stored);
  });

  it('keeps its portions after the source has shown that it selects a part, whatever fails later', () => {
    let requests = 0;
    const fault = (): ReadFailure | undefined =>
      ++requests % 20 === 0 ? { kind: 'transient', responded: true } : undefined;
    const { deliveries } = cross(planner(), source(), [0, DAY], fault);
    assertComplete(deliveries, names, [0, DAY], maxMs);
    assert.ok(deliveries.slice(-20).every((delivery) => !isWhole(delivery)));
  });
});
