// How the planner reads a source that sends plain samples: long windows, in portions of the names.
import assert from 'node:assert/strict';
import { hasName } from '../../../src/migration/series/name-partition.ts';
import type { ReadFailure } from '../../../src/migration/read/read-failure.ts';
import type { Slice } from '../../../src/migration/read/slice.ts';
import type { PlannerOptions } from '../../../src/migration/read/planner-options.ts';
import {
  assertComplete,
  type Crossing,
  cross,
  DAY,
  type Delivery,
  HOUR,
  metric,
  MINUTE,
  plannerOf,
  SECOND,
} from './support/crossing.ts';
import { type Metric, SimulatedStore } from './support/simulated-store.ts';

const maxMs = 2 * HOUR;
const budgetBytes = 32_000_000;
const targetBytes = 14_000_000;
const limits = { minMs: SECOND, maxMs, targetSamples: 10_000_000, targetBytes };
const probes = ['', 'a', 'm', '~', '\u{1f600}'];
/** A bit more than four times the target in two hours, unevenly distributed over the names. */
const metrics = Array.from({ length: 60 }, (_, i) => metric(`m_${i % 7}_${i}`, { series: 20 + ((i * 37) % 200) }));
const nameOf = ({ name }: Metric) => name;

function sourceOf(held: readonly Metric[]): SimulatedStore {
  const store = new SimulatedStore([...held].sort((a, b) => (a.name < b.name ? -1 : 1)));
  store.plain = true;
  store.memoryBytes = budgetBytes;
  return store;
}

function planner(changes: Partial<PlannerOptions> = {}) {
  return plannerOf({ limits, budgetBytes, form: 'Samples', ...changes });
}

const plainOf = ({ window, ...rest }: Slice) => ({ ...rest, from: window.fromMs, to: window.toMs });
const lengthMs = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => toMs - fromMs;
const windowMs = ({ slice }: Delivery) => lengthMs(slice.window);
const isWhole = ({ slice }: Delivery) => slice.names.from === '' && slice.names.to === undefined;
const bytesOf = (store: SimulatedStore, { slice }: Delivery) => {
  const response = store.read(slice);
  return 'bytes' in response ? response.bytes : Number.POSITIVE_INFINITY;
};

/** How often a source decodes a chunk of half an hour: once for each slice that has a part of it. */
function chunksRead({ deliveries }: Crossing, name: string): number {
  const slices = deliveries.filter(({ slice, samples }) => samples > 0 && hasName(slice.names, name));
  return slices.reduce((sum, { slice }) => {
    const [first, last] = [slice.fromMs, slice.toMs - 1].map((ms) => Math.floor(ms / (30 * MINUTE)));
    return sum + last! - first! + 1;
  }, 0);
}

describe('the window planner with a source that sends plain samples', () => {
  it('reads long windows in portions of the names, about as large as the memory allows', () => {
    const store = sourceOf(metrics);
    const read = cross(planner(), store, [0, DAY]);
    assertComplete(read.deliveries, [...probes, ...metrics.map(nameOf)], [0, DAY], maxMs);
    assert.equal(read.refusals, 0);
    const steady = read.deliveries.filter(({ slice }) => slice.fromMs >= 2 * HOUR);
    assert.ok(steady.every((delivery) => windowMs(delivery) === maxMs && lengthMs(delivery.slice) === maxMs));
    const sizes = steady.map((delivery) => bytesOf(store, delivery));
    assert.ok(Math.max(...sizes) <= targetBytes, `${Math.max(...sizes)} bytes`);
    const least = sizes.reduce((sum, bytes) => sum + bytes, 0) / targetBytes;
    assert.ok(steady.length < 1.8 * least, `${steady.length} requests, ${least} if all were full`);
    for (const { name } of metrics) assert.ok(chunksRead(read, name) <= 2 + DAY / (30 * MINUTE), name);
  });

  it('does not change the portions while the source does not change', () => {
    const { deliveries } = cross(planner(), sourceOf(metrics), [0, 2 * DAY]);
    const cutsAt = (fromMs: number) =>
      deliveries.filter(({ slice }) => slice.fromMs === fromMs).map(({ slice }) => slice.names);
    for (let atMs = 4 * HOUR; atMs < 2 * DAY; atMs += maxMs) assert.deepEqual(cutsAt(atMs), cutsAt(2 * HOUR));
  });

  it('reads all names at once if they fit into memory', () => {
    const { deliveries } = cross(planner(), sourceOf(metrics.slice(0, 10)), [0, DAY]);
    assert.ok(deliveries.every(isWhole));
    assert.equal(Math.max(...deliveries.map(windowMs)), maxMs);
  });

  it('keeps to the longest window that the destination takes', () => {
    const inOrder = planner({ limits: { ...limits, maxMs: HOUR } });
    const { deliveries } = cross(inOrder, sourceOf(metrics), [0, DAY]);
    assertComplete(deliveries, probes, [0, DAY], HOUR);
    assert.ok(deliveries.slice(10).every((delivery) => windowMs(delivery) === HOUR));
  });

  it('keeps to the target of samples, which bounds what a window contains in all its portions', () => {
    const targetSamples = 1_000_000;
    const store = sourceOf(metrics);
    store.memoryBytes = 8_000_000;
    const few = planner({ limits: { ...limits, targetSamples, targetBytes: 3_600_000 }, budgetBytes: 8_000_000 });
    const { deliveries, windows } = cross(few, store, [0, DAY]);
    const inWindow = Map.groupBy(deliveries, ({ slice }) => slice.window.fromMs);
    for (const portions of inWindow.values()) {
      const samples = portions.reduce((sum, one) => sum + one.samples, 0);
      assert.ok(samples <= targetSamples, `${samples} samples`);
    }
    assert.ok(deliveries.length > 3 * windows);
  });

  describe('of which one metric name', () => {
    const huge = metric('m_3_huge', { series: 6000 });

    it('has more than fits into memory reads that name in shorter pieces, and the others in long windows', () => {
      const store = sourceOf([...metrics, huge]);
      const read = cross(planner(), store, [0, DAY]);
      assertComplete(read.deliveries, [...probes, ...metrics.map(nameOf), huge.name], [0, DAY], maxMs);
      assert.equal(read.refusals, 0);
      const steady = read.deliveries.filter(({ slice }) => slice.fromMs >= 2 * HOUR);
      assert.ok(steady.every((delivery) => windowMs(delivery) === maxMs && bytesOf(store, delivery) <= targetBytes));
      const most = metrics.filter(({ name }) => chunksRead(read, name) <= 2 + DAY / (30 * MINUTE));
      assert.ok(most.length > 0.8 * metrics.length, `${most.length} names are read once`);
      const pieces = steady.filter(({ slice }) => hasName(slice.names, huge.name)).length;
      const least = (22 * 240 * 6000 * 16) / targetBytes;
      assert.ok(pieces < 2 * least, `${pieces} pieces, ${least} if all were full`);
    });

    it('has everything shortens the windows, and reads all names in each', () => {
      const store = sourceOf([huge]);
      const read = cross(planner(), store, [0, DAY]);
      assertComplete(read.deliveries, [...probes, huge.name], [0, DAY], maxMs);
      assert.ok(read.deliveries.every(isWhole));
      assert.equal(read.refusals, 0);
      const least = (24 * 240 * 6000 * 16) / targetBytes;
      assert.ok(read.requests < 2.2 * least, `${read.requests} requests, ${least} if all were full`);
    });

    it('has nearly everything is not cut off from names that are too small to matter', () => {
      const store = sourceOf([metric('a', { series: 1 }), huge, metric('z', { series: 1 })]);
      const read = cross(planner(), store, [0, DAY]);
      assertComplete(read.deliveries, [...probes, huge.name, 'z'], [0, DAY], maxMs);
      assert.ok(read.deliveries.every(isWhole));
    });
  });

  it('follows a source whose names change, with few refusals', () => {
    const halfDay = DAY / 2;
    const before = metrics.map((one) => ({ ...one, stretches: [[0, halfDay]] as const }));
    const after = metrics.map((one) => ({
      ...one,
      name: `x${one.name}`,
      series: 2 * one.series,
      stretches: [[halfDay, DAY]] as const,
    }));
    const store = sourceOf([...before, ...after]);
    const read = cross(planner(), store, [0, DAY]);
    assertComplete(read.deliveries, [...probes, ...before.map(nameOf), ...after.map(nameOf)], [0, DAY], maxMs);
    assert.ok(read.refusals <= 8, `${read.refusals} refusals`);
    const steady = read.deliveries.filter(({ slice }) => slice.fromMs >= halfDay + 2 * HOUR);
    assert.ok(steady.every((delivery) => windowMs(delivery) === maxMs && bytesOf(store, delivery) <= targetBytes));
    const requests = steady.filter(({ slice, samples }) => slice.fromMs >= DAY - 2 * HOUR && samples > 0).length;
    assert.ok(requests <= 14, `${requests} requests in the last window`);
  });

  it('keeps the portions across a gap and a quiet window', () => {
    const stretches = [
      [0, 4 * HOUR],
      [6 * HOUR, 8 * HOUR],
      [14 * HOUR, DAY],
    ] as const;
    const read = cross(planner(), sourceOf(metrics.map((one) => ({ ...one, stretches }))), [0, DAY]);
    assertComplete(read.deliveries, [...probes, ...metrics.map(nameOf)], [0, DAY], maxMs);
    assert.ok(read.refusals <= 1, `${read.refusals} refusals`);
  });

  describe('and has a limit', () => {
    for (const [what, caps] of [
      ['samples', { samples: 300_000 }],
      ['series', { series: 1000 }],
      ['bytes', { bytes: 4_000_000 }],
    ] as const) {
      it(`on ${what} reads smaller portions, and remembers it`, () => {
        const store = sourceOf(metrics);
        store.caps = caps;
        const one = planner();
        const first = cross(one, store, [0, 6 * HOUR]);
        assertComplete(first.deliveries, [...probes, ...metrics.map(nameOf)], [0, 6 * HOUR], maxMs);
        // Before anything was read, names are cut without knowing them.
        assert.ok(first.refusals <= 80, `${first.refusals} refusals at first`);
        const rest = cross(one, store, [6 * HOUR, 2 * DAY]);
        assertComplete(rest.deliveries, probes, [6 * HOUR, 2 * DAY], maxMs);
        assert.equal(rest.refusals, 0);
        assert.ok(rest.deliveries.every((delivery) => windowMs(delivery) === maxMs));
      });
    }

    it('on samples that one name exceeds in two hours reads that name in pieces', () => {
      const store = sourceOf([...metrics, metric('m_4', { series: 2000 })]);
      store.caps = { samples: 300_000 };
      const one = planner();
      const first = cross(one, store, [0, 6 * HOUR]);
      assertComplete(first.deliveries, [...probes, 'm_4', ...metrics.map(nameOf)], [0, 6 * HOUR], maxMs);
      assert.ok(first.refusals <= 30, `${first.refusals} refusals at first`);
      const rest = cross(one, store, [6 * HOUR, 2 * DAY]);
      assert.ok(rest.refusals <= 8, `${rest.refusals} refusals`);
    });
  });

  it('shortens windows for an outage, and returns to long ones', () => {
    const unavailable: ReadFailure = { kind: 'transient', responded: true };
    const one = planner();
    const store = sourceOf(metrics);
    cross(one, store, [0, 6 * HOUR]);
    let faults = 12;
    const outage = cross(one, store, [6 * HOUR, 2 * DAY], () => (faults-- > 0 ? unavailable : undefined));
    assertComplete(outage.deliveries, probes, [6 * HOUR, 2 * DAY], maxMs);
    assert.ok(outage.requests < 400, `${outage.requests} requests`);
    assert.equal(windowMs(outage.deliveries.at(-1)!), maxMs);
  });

  it('knows which slice comes next, so that it can be read ahead', () => {
    for (const held of [metrics, metrics.slice(0, 10)]) {
      const one = planner();
      const store = sourceOf(held);
      let [known, slices] = [0, 0];
      one.begin(0, DAY);
      for (let slice = one.next(); slice !== undefined; slices++) {
        const response = store.read(slice);
        assert.ok('bytes' in response);
        const expected = one.expectedAfter(response);
        one.responded(response);
        slice = one.next();
        if (expected === undefined) continue;
        known++;
        assert.deepEqual(plainOf(expected), slice && plainOf(slice));
      }
      assert.ok(known > 0.6 * slices, `${known} of ${slices}`);
    }
  });

  describe('is not assumed', () => {
    const isEver = (read: Crossing) => read.deliveries.some((delivery) => !isWhole(delivery));

    it('where a stream was requested and has arrived', () => {
      const store = sourceOf(metrics);
      store.plain = false;
      assert.equal(isEver(cross(planner({ form: 'Auto' }), store, [0, DAY])), false);
    });

    it('where a protocol has another form', () => {
      assert.equal(isEver(cross(planner({ form: 'Decoded' }), sourceOf(metrics), [0, DAY])), false);
    });

    it('where series of several names may be one', () => {
      assert.equal(isEver(cross(planner({ prefersNames: false }), sourceOf(metrics), [0, DAY])), false);
    });
  });

  it('is recognized by its responses, although a stream was requested', () => {
    const read = cross(planner({ form: 'Auto' }), sourceOf(metrics), [0, DAY]);
    assert.equal(windowMs(read.deliveries.at(-1)!), maxMs);
    assert.ok(!isWhole(read.deliveries.at(-1)!));
  });

  it('is read like a stream again when it streams', () => {
    const one = planner({ form: 'Auto' });
    const store = sourceOf(metrics);
    cross(one, store, [0, DAY]);
    store.plain = false;
    const read = cross(one, store, [DAY, 2 * DAY]);
    assert.ok(read.deliveries.filter(({ slice }) => slice.fromMs > DAY).every(isWhole));
  });

  it('marks windows that an earlier run may have written as uncertain, and reads them in portions as well', () => {
    const read = cross(planner({ uncertainUntilMs: 10 * HOUR }), sourceOf(metrics), [0, DAY]);
    for (const { slice } of read.deliveries) assert.equal(slice.uncertain, slice.fromMs < 10 * HOUR);
  });
});
