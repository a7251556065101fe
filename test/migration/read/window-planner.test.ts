// The planner against a simulated source: nothing is sent, so that thousands of ranges can be read.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasName } from '../../../src/migration/series/name-partition.ts';
import type { ReadFailure } from '../../../src/migration/read/read-failure.ts';
import type { Slice } from '../../../src/migration/read/slice.ts';
import { type Caps, type Metric, SimulatedStore } from './support/simulated-store.ts';
import { assertComplete, cross, DAY, HOUR, limits, metric, MINUTE, plannerOf, SECOND } from './support/crossing.ts';

const probes = ['', 'a', 'm', 'metric_5', 'zz', '~', '\u{ffff}', '\u{1f600}'];

const unavailable: ReadFailure = { kind: 'transient', responded: true };
const damaged: ReadFailure = { kind: 'damaged', problem: 'a wrong checksum', oversized: false };
const badChunk: ReadFailure = { kind: 'undecodable', problem: 'a bad chunk', plain: false };

describe('the window planner', () => {
  const stretch = fc
    .tuple(fc.integer({ min: 0, max: 20 * DAY }), fc.integer({ min: 1, max: 20 * MINUTE }))
    .map(([fromMs, lengthMs]) => [fromMs, fromMs + lengthMs] as const);
  const metricShape = fc.record({
    series: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2000 })),
    stepMs: fc.constantFrom(5 * SECOND, 15 * SECOND, MINUTE),
    staggered: fc.boolean(),
    labelBytes: fc.constantFrom(50, 200, 3000),
    stretches: fc.array(stretch, { minLength: 1, maxLength: 2 }),
  });
  const passing: ReadFailure[] = [
    unavailable,
    { kind: 'transient', responded: false },
    damaged,
    badChunk,
    { kind: 'unsupported', streams: true },
  ];
  const world = fc.record({
    shapes: fc.array(metricShape, { minLength: 1, maxLength: 5 }),
    series: fc.option(fc.integer({ min: 50, max: 2000 })),
    samples: fc.option(fc.integer({ min: 200, max: 50_000 })),
    bytes: fc.option(fc.integer({ min: 60_000, max: 1_000_000 })),
    memory: fc.integer({ min: 60_000, max: 5_000_000 }),
    lengthMs: fc.integer({ min: 1, max: 21 * DAY }),
    faults: fc.array(fc.option(fc.constantFrom(...passing), { freq: 3 }), { maxLength: 60 }),
    plain: fc.boolean(),
  });

  it('reads every millisecond of every name once, in windows within the maximum length, and ends', () => {
    fc.assert(
      fc.property(world, ({ shapes, series, samples, bytes, memory, lengthMs, faults, plain }) => {
        const metrics = shapes.map((shape, i) => ({ name: `metric_${i}`, ...shape }));
        const store = new SimulatedStore(metrics);
        store.plain = plain;
        // The samples of one metric in one millisecond cannot be split: every limit allows that many.
        const least = store.largestInstant;
        store.caps = {
          ...(series !== null && { series: least.series + series }),
          ...(samples !== null && { samples: least.samples + samples }),
          ...(bytes !== null && { bytes: least.bytes + bytes }),
        };
        store.memoryBytes = least.bytes + memory;
        const range = [0, lengthMs] as const;
        const rest = [...faults];
        const planner = plannerOf({
          budgetBytes: store.memoryBytes,
          limits: { ...limits, targetBytes: store.memoryBytes * 0.45 },
        });
        // Learning the limits and crossing gaps takes about forty requests; the rest is a small multiple of the minimum.
        const mostRequests = 15 * (40 + store.requestsByMetric(range, limits.maxMs)) + 2 * faults.length;
        const fault = ({ samplesOnly }: Slice) => {
          const failure = rest.shift() ?? undefined;
          return failure?.kind === 'unsupported' && samplesOnly ? undefined : failure;
        };
        const { deliveries } = cross(planner, store, range, fault, mostRequests);
        assertComplete(deliveries, [...probes, ...metrics.map(({ name }) => name)], range);
      }),
      { numRuns: 200 },
    );
  });

  describe('a source with so many series that labels are most of its bytes', () => {
    // 500,000 series with a sample every six minutes.
    const wide = Array.from({ length: 200 }, (_, i) => {
      const shape = { series: 2500, stepMs: 6 * MINUTE, labelBytes: 250 };
      return metric(`metric_${String(i).padStart(3, '0')}`, shape);
    });
    const windows = 12;
    const minimum = windows * 500_000 * 250;
    const range = [0, windows * 2 * HOUR] as const;

    function startReading(budgetBytes: number, keptBytesPerSeries: number) {
      const store = new SimulatedStore(wide);
      store.memoryBytes = budgetBytes;
      store.keptBytesPerSeries = keptBytesPerSeries;
      const wideLimits = { ...limits, maxMs: 2 * HOUR, targetSamples: 10_000_000, targetBytes: budgetBytes * 0.45 };
      return { store, planner: plannerOf({ budgetBytes, limits: wideLimits }) };
    }

    for (const kept of [0, 30, 650]) {
      it(`reads its labels hardly more than once a block, whatever the memory, with ${kept} bytes kept per series`, () => {
        for (let budgetBytes = 20_000_000; budgetBytes < 400_000_000; budgetBytes *= 1.7) {
          const { store, planner } = startReading(budgetBytes, kept);
          cross(planner, store, range);
          const ratio = store.labelBytesRead / minimum;
          assert.ok(ratio <= 2, `${ratio} times, with ${budgetBytes} bytes`);
        }
      });

      it(`recovers after an outage that has made windows short, with ${kept} bytes kept per series`, () => {
        for (let budgetBytes = 20_000_000; budgetBytes < 400_000_000; budgetBytes *= 1.7) {
          const { store, planner } = startReading(budgetBytes, kept);
          let faults = 12;
          cross(planner, store, range, () => (faults-- > 0 ? unavailable : undefined));
          const before = store.labelBytesRead;
          cross(planner, store, [range[1], 2 * range[1]]);
          const ratio = (store.labelBytesRead - before) / minimum;
          assert.ok(ratio <= 2, `${ratio} times, with ${budgetBytes} bytes`);
        }
      });
    }
  });

  describe('a stride over an empty stretch', () => {
    const startMs = 20 * DAY;
    const cases: [string, Partial<Metric>, { caps?: Caps; memoryBytes?: number }][] = [
      ['ordinary data', {}, {}],
      // B1: split by name at the length of the stride, a window of days would be written.
      [
        'one metric whose labels do not fit',
        { series: 21_000, labelBytes: 900, staggered: true },
        { memoryBytes: 15e6 },
      ],
      ['one metric that does not fit into memory', { series: 5000, stepMs: SECOND }, { memoryBytes: 15e6 }],
      ['more series than the source returns at once', { series: 1000, staggered: true }, { caps: { series: 300 } }],
      ['more samples than the source returns at once', { series: 1000 }, { caps: { samples: 3000 } }],
      ['more bytes than the source returns at once', { series: 1000, staggered: true }, { caps: { bytes: 50_000 } }],
    ];
    for (const [what, changes, { caps = {}, memoryBytes }] of cases) {
      it(`that reaches ${what} is shortened before anything is delivered`, () => {
        const stretches = [[startMs, startMs + HOUR]] as const;
        const store = new SimulatedStore([metric('wide', { stepMs: 15 * MINUTE, ...changes, stretches })]);
        store.caps = caps;
        if (memoryBytes !== undefined) store.memoryBytes = memoryBytes;
        const range = [0, startMs + 2 * HOUR] as const;
        const { deliveries, requests } = cross(plannerOf(), store, range);
        assertComplete(deliveries, ['wide', ...probes], range);
        assert.ok(Math.max(...deliveries.map(({ slice }) => slice.toMs - slice.fromMs)) > DAY, 'there were strides');
        assert.ok(requests < 600, `${requests} requests`);
      });
    }
  });

  describe('a limit of the source', () => {
    const metrics = Array.from({ length: 40 }, (_, i) => metric(`job_${i % 4}_metric_${i}`, { series: 100 }));

    it('on series that a shorter window does not avoid is met by names, at the longest window, once for the run', () => {
      const store = new SimulatedStore(metrics);
      store.caps = { series: 1000 };
      const planner = plannerOf();
      const first = cross(planner, store, [0, 4 * MINUTE]);
      assertComplete(first.deliveries, [...probes, ...metrics.map(({ name }) => name)], [0, 4 * MINUTE]);
      assert.equal(first.windows, 1);
      assert.deepEqual(first.splits.slice(0, 3), ['time', 'time', 'name']);
      assert.ok(first.splits.slice(2).every((by) => by === 'name'));
      assert.ok(first.requests < 90, `${first.requests} requests`);
      const rest = cross(planner, store, [4 * MINUTE, DAY]);
      assertComplete(rest.deliveries, probes, [4 * MINUTE, DAY]);
      assert.equal(rest.refusals, 0, 'it is remembered');
      assert.ok(rest.requests / rest.windows < 8, `${rest.requests / rest.windows} requests a window`);
      assert.ok(rest.windows <= 24 * 2 + 5, `${rest.windows} windows`);
    });

    it('on series of one name that are scraped one after another is met by shorter time ranges, for that name only', () => {
      const store = new SimulatedStore([...metrics.slice(0, 5), metric('wide', { series: 2000, staggered: true })]);
      store.caps = { series: 1000 };
      const planner = plannerOf();
      const first = cross(planner, store, [0, 4 * MINUTE]);
      assertComplete(first.deliveries, ['wide', ...probes], [0, 4 * MINUTE]);
      const rest = cross(planner, store, [4 * MINUTE, HOUR]);
      assertComplete(rest.deliveries, ['wide', ...probes], [4 * MINUTE, HOUR]);
      assert.equal(first.windows, 1);
      const pieces = rest.deliveries.filter(({ slice }) => hasName(slice.names, 'wide')).length;
      assert.ok(pieces >= 56 * 8 && pieces < 56 * 8 * 2.5, `${pieces} pieces of at most 7.5 s in 56 minutes`);
      assert.ok(rest.deliveries.length - pieces < 30, 'the other names are not read in pieces');
      assert.ok(rest.refusals < 20, `${rest.refusals} refusals`);
    });

    it('on samples is met by shorter windows alone', () => {
      const store = new SimulatedStore(metrics);
      store.caps = { samples: 5000 };
      const { deliveries, splits, requests } = cross(plannerOf(), store, [0, 30 * MINUTE]);
      assertComplete(deliveries, probes, [0, 30 * MINUTE]);
      assert.ok(splits.length > 0 && splits.every((by) => by === 'time'));
      assert.ok(requests < 250, `${requests} requests for 120 scrapes that are too much together`);
    });

    it('on samples that a single second exceeds is met by splitting that second by name', () => {
      const store = new SimulatedStore(metrics.map((one) => ({ ...one, stepMs: SECOND })));
      store.caps = { samples: 1500 };
      const { deliveries, splits } = cross(plannerOf(), store, [0, 3 * SECOND]);
      assertComplete(deliveries, probes, [0, 3 * SECOND]);
      assert.ok(deliveries.every(({ slice }) => slice.window.toMs - slice.window.fromMs === SECOND));
      assert.ok(splits.includes('name'));
    });

    it('on series that only long windows exceed keeps windows short, and reads all names', () => {
      // Constantly new series: 100 every quarter of an hour.
      const quarters = Array.from({ length: 4 * 24 }, (_, i) =>
        metric(`churn_${i}`, { series: 100, stretches: [[i * 15 * MINUTE, (i + 1) * 15 * MINUTE]] }),
      );
      const store = new SimulatedStore(quarters);
      store.caps = { series: 250 };
      const { deliveries, splits, windows } = cross(plannerOf(), store, [0, DAY]);
      assertComplete(deliveries, probes, [0, DAY]);
      assert.ok(splits.every((by) => by === 'time'));
      assert.ok(windows < 200, `${windows} windows`);
    });

    it('is remembered across a gap without series', () => {
      const store = new SimulatedStore(
        metrics.map((one) => ({ ...one, stretches: [[0, HOUR] as const, [3 * HOUR, 4 * HOUR] as const] })),
      );
      store.caps = { series: 1000 };
      const planner = plannerOf();
      cross(planner, store, [0, HOUR]);
      const rest = cross(planner, store, [HOUR, 4 * HOUR]);
      assertComplete(rest.deliveries, probes, [HOUR, 4 * HOUR]);
      assert.ok(rest.refusals <= 3, `${rest.refusals} refusals`);
    });
  });
});
