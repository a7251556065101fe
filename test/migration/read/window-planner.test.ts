// The planner against a source that is simulated: nothing is sent, so that thousands of ranges can be crossed.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasName } from '../../../src/migration/read/name-partition.ts';
import type { TimeRange } from '../../../src/migration/read/open-window.ts';
import type { ReadFailure } from '../../../src/migration/read/read-failure.ts';
import { type PlannerOptions, type Slice, WindowPlanner } from '../../../src/migration/read/window-planner.ts';
import { type Caps, type Metric, SimulatedStore } from './support/simulated-store.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const limits = { minMs: SECOND, maxMs: 30 * MINUTE, targetSamples: 1_000_000, targetBytes: 14_000_000 };

function plannerOf(changes: Partial<PlannerOptions> = {}): WindowPlanner {
  return new WindowPlanner({
    limits,
    budgetBytes: 32_000_000,
    readMode: 'Auto',
    uncertainUntilMs: Number.NEGATIVE_INFINITY,
    ...changes,
  });
}

function metric(name: string, changes: Partial<Metric> = {}): Metric {
  return {
    name,
    series: 10,
    stepMs: 15 * SECOND,
    staggered: false,
    labelBytes: 200,
    stretches: [[0, 400 * DAY]],
    ...changes,
  };
}

interface Delivery {
  readonly slice: Slice;
  readonly samples: number;
}

interface Crossing {
  readonly deliveries: Delivery[];
  readonly requests: number;
  readonly refusals: number;
  readonly windows: number;
  readonly splits: ('time' | 'name')[];
}

/** Reads [fromMs, toMs) as source-reader.ts does. `fault` is what a request meets before the store looks at it. */
function cross(
  planner: WindowPlanner,
  store: SimulatedStore,
  [fromMs, toMs]: readonly [number, number],
  fault: (slice: Slice) => ReadFailure | undefined = () => undefined,
  maxRequests = 20_000,
): Crossing {
  const deliveries: Delivery[] = [];
  const splits: ('time' | 'name')[] = [];
  let requests = 0;
  let refusals = 0;
  let windows = 0;
  planner.begin(fromMs, toMs);
  for (let slice = planner.next(); slice !== undefined; slice = planner.next()) {
    assert.ok(++requests <= maxRequests, `${maxRequests} requests and not at the end, but at ${slice.fromMs}`);
    const response = fault(slice) ?? store.read(slice);
    if ('kind' in response) {
      refusals++;
      const reaction = planner.failed(response);
      assert.equal(reaction.kind, 'retry', `${response.kind} ends it at ${JSON.stringify(slice)}`);
      if (reaction.kind === 'retry' && reaction.split !== undefined) splits.push(reaction.split.by);
      continue;
    }
    const verdict = planner.answered(response);
    if (verdict.kind === 'discard') continue;
    deliveries.push({ slice, samples: response.samples });
    assert.ok(verdict.remaining >= 0 && verdict.remaining < 1);
    if (verdict.remaining === 0) windows++;
  }
  return { deliveries, requests, refusals, windows, splits };
}

/** Each name's slices follow each other without a gap, and no window with samples is too long. */
function assertComplete(deliveries: readonly Delivery[], names: readonly string[], range: readonly [number, number]) {
  const reached = new Map(names.map((name) => [name, range[0]]));
  for (const { slice, samples } of deliveries) {
    const windowMs = slice.window.toMs - slice.window.fromMs;
    assert.ok(samples === 0 || windowMs <= limits.maxMs, `a window of ${windowMs / MINUTE} minutes has samples`);
    assert.ok(slice.fromMs >= slice.window.fromMs && slice.toMs <= slice.window.toMs);
    for (const name of names) {
      if (!hasName(slice.names, name)) continue;
      assert.equal(slice.fromMs, reached.get(name), `${JSON.stringify(name)} is read twice or has a gap`);
      reached.set(name, slice.toMs);
    }
  }
  for (const [name, atMs] of reached) assert.equal(atMs, range[1], `${JSON.stringify(name)} is not read to the end`);
}

const probes = ['', 'a', 'm', 'metric_5', 'zz', '~', '\u{ffff}', '\u{1f600}'];

const unavailable: ReadFailure = { kind: 'transient', responded: true };
const damaged: ReadFailure = { kind: 'damaged', problem: 'a wrong checksum', oversized: false };
const badChunk: ReadFailure = { kind: 'undecodable', problem: 'a bad chunk', plain: false };
const rangeOf = ({ fromMs, toMs }: TimeRange) => ({ fromMs, toMs });
const good = { series: 10, samples: 200, bytes: 2400, labelBytes: 2000, streamed: true };

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
  });

  it('reads every millisecond of every name once, in windows that are not too long, and ends', () => {
    fc.assert(
      fc.property(world, ({ shapes, series, samples, bytes, memory, lengthMs, faults }) => {
        const metrics = shapes.map((shape, i) => ({ name: `metric_${i}`, ...shape }));
        const store = new SimulatedStore(metrics);
        // What one metric has in one millisecond can't be split: every limit allows that much.
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
        // Finding out and crossing gaps costs about forty requests; the rest is a few times what is read.
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

  describe('a stride over an empty stretch', () => {
    const startMs = 20 * DAY;
    const cases: [string, Partial<Metric>, { caps?: Caps; memoryBytes?: number }][] = [
      ['ordinary data', {}, {}],
      // B1: cut by name at the stride's length, a window of days would be written.
      [
        'one metric whose labels do not fit',
        { series: 21_000, labelBytes: 900, staggered: true },
        { memoryBytes: 15e6 },
      ],
      ['one metric that is too much for memory', { series: 5000, stepMs: SECOND }, { memoryBytes: 15e6 }],
      ['more series than the source gives at once', { series: 1000, staggered: true }, { caps: { series: 300 } }],
      ['more samples than the source gives at once', { series: 1000 }, { caps: { samples: 3000 } }],
      ['more bytes than the source gives at once', { series: 1000, staggered: true }, { caps: { bytes: 50_000 } }],
    ];
    for (const [what, changes, { caps = {}, memoryBytes }] of cases) {
      it(`that runs into ${what} is shortened before anything is delivered`, () => {
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

    it('on series that a shorter window does not change is met by names, at the longest window, once for the run', () => {
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

    it('on series of one name that are scraped one after the other is met by pieces of time, for that name alone', () => {
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

    it('on samples is met by time alone', () => {
      const store = new SimulatedStore(metrics);
      store.caps = { samples: 5000 };
      const { deliveries, splits, requests } = cross(plannerOf(), store, [0, 30 * MINUTE]);
      assertComplete(deliveries, probes, [0, 30 * MINUTE]);
      assert.ok(splits.length > 0 && splits.every((by) => by === 'time'));
      assert.ok(requests < 250, `${requests} requests for 120 scrapes that are too much together`);
    });

    it('on samples that one second is over is met by name at that second', () => {
      const store = new SimulatedStore(metrics.map((one) => ({ ...one, stepMs: SECOND })));
      store.caps = { samples: 1500 };
      const { deliveries, splits } = cross(plannerOf(), store, [0, 3 * SECOND]);
      assertComplete(deliveries, probes, [0, 3 * SECOND]);
      assert.ok(deliveries.every(({ slice }) => slice.window.toMs - slice.window.fromMs === SECOND));
      assert.ok(splits.includes('name'));
    });

    it('on series that only long windows reach keeps them short, and asks for all names', () => {
      // New series all the time: 100 a quarter of an hour.
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

    it('that is gone is not held against a source without series: a gap does not forget the portions', () => {
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

  describe('a failure that passes', () => {
    it('is retried with longer and longer waits, and counts from 1 again at the next slice', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      const waits: (number | undefined)[] = [];
      for (let i = 0; i < 4; i++) {
        assert.equal(planner.next()?.attempt, i + 1);
        const reaction = planner.failed({ kind: 'transient', responded: false });
        waits.push(reaction.kind === 'retry' ? reaction.pauseAttempt : undefined);
      }
      assert.deepEqual(waits, [1, 2, 3, 4]);
      assert.equal(planner.next()?.attempt, 5);
      assert.deepEqual(planner.answered(good), { kind: 'deliver', remaining: 0 });
      assert.equal(planner.next()?.attempt, 1);
    });

    it('splits a window, but in a long outage no more', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      let splits = 0;
      for (let i = 0; i < 500; i++) {
        planner.next();
        const reaction = planner.failed(unavailable);
        assert.ok(reaction.kind === 'retry' && reaction.pauseAttempt !== undefined);
        if (reaction.split !== undefined) splits++;
      }
      assert.ok(splits > 9 && splits <= 40, `${splits} splits`);
    });

    it('leaves no portions behind', () => {
      const store = new SimulatedStore([metric('m')]);
      const planner = plannerOf();
      let failures = 60;
      cross(planner, store, [0, HOUR], () => (failures-- > 0 ? unavailable : undefined));
      cross(planner, store, [HOUR, DAY]);
      const { deliveries } = cross(planner, store, [DAY, 2 * DAY]);
      assert.ok(deliveries.every(({ slice }) => slice.names.from === '' && slice.names.to === undefined));
    });
  });

  describe('a damaged stream', () => {
    it('is asked for again as often as it takes, and never as SAMPLES', () => {
      const store = new SimulatedStore([metric('m')]);
      const planner = plannerOf();
      cross(planner, store, [0, HOUR]);
      let failures = 200;
      const { deliveries } = cross(planner, store, [HOUR, 2 * HOUR], ({ samplesOnly }) => {
        assert.equal(samplesOnly, false);
        return failures-- > 0 ? damaged : undefined;
      });
      assertComplete(deliveries, ['m'], [HOUR, 2 * HOUR]);
    });

    it('ten times in a row ends it when there was never a good response', () => {
      const planner = plannerOf();
      planner.begin(0, HOUR);
      const reactions = Array.from({ length: 10 }, () => {
        planner.next();
        return planner.failed(damaged).kind;
      });
      assert.deepEqual(reactions, [...Array.from({ length: 9 }, () => 'retry'), 'fail']);
    });
  });

  describe('a stream that arrives whole and makes no sense', () => {
    it('in the same way three times is read as SAMPLES, for that slice only, and that is told', () => {
      const planner = plannerOf();
      planner.begin(0, HOUR);
      planner.next();
      planner.answered(good);
      const reactions = Array.from({ length: 3 }, () => {
        assert.equal(planner.next()?.samplesOnly, false);
        const reaction = planner.failed(badChunk);
        return reaction.kind === 'retry' && [reaction.toSamples === true, reaction.pauseAttempt !== undefined];
      });
      assert.deepEqual(reactions, [
        [false, true],
        [false, true],
        [true, false],
      ]);
      const slice = planner.next();
      assert.equal(slice?.samplesOnly, true);
      assert.equal(slice.insteadOfStream, true);
      planner.answered({ ...good, streamed: false });
      assert.equal(planner.next()?.samplesOnly, false);
    });

    it('stays SAMPLES when that is too much and has to be split', () => {
      const planner = plannerOf();
      planner.begin(0, 4 * SECOND);
      planner.next();
      planner.failed({ kind: 'unknown-encoding' });
      // One name in one second: what is left is to cut the second.
      planner.next();
      planner.failed({ kind: 'too-large', limit: 'labels', seenNames: ['m'] });
      assert.equal(planner.next()?.samplesOnly, true);
    });

    it('when the writer finds it: the window is read again to its end, as a stream twice, then as SAMPLES', () => {
      const planner = plannerOf();
      const modes: boolean[] = [];
      planner.begin(0, DAY);
      const { fromMs, toMs } = planner.next()!.window;
      const window = { fromMs, toMs };
      for (let i = 0; i < 3; i++) {
        const slice = planner.next()!;
        assert.deepEqual(rangeOf(slice.window), window, 'the same window, although windows have grown');
        assert.equal(slice.uncertain, i > 0);
        planner.answered(good);
        modes.push(planner.undecodable(window, 'a bad chunk').toSamples);
        planner.begin(window.fromMs, DAY);
      }
      assert.deepEqual(modes, [false, false, true]);
      const slice = planner.next()!;
      assert.deepEqual([slice.samplesOnly, slice.insteadOfStream, slice.uncertain], [true, true, true]);
      assert.deepEqual(rangeOf(slice.window), window);
      planner.answered(good);
      const next = planner.next()!;
      assert.deepEqual([next.samplesOnly, next.uncertain], [false, false]);
    });

    it('in another way each time is asked for again as a stream', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      const window = planner.next()!.window;
      for (let i = 0; i < 6; i++) {
        planner.next();
        planner.answered(good);
        assert.deepEqual(planner.undecodable(window, `problem ${i}`), { times: 1, toSamples: false });
        planner.begin(window.fromMs, DAY);
      }
    });
  });

  describe('a source without a usable stream', () => {
    it('is read as SAMPLES from then on; that is no loss where it has no stream at all', () => {
      for (const streams of [false, true]) {
        const planner = plannerOf();
        planner.begin(0, DAY);
        planner.next();
        const reaction = planner.failed({ kind: 'unsupported', streams });
        assert.ok(reaction.kind === 'retry' && reaction.toSamples);
        for (let i = 0; i < 3; i++) {
          const slice = planner.next();
          assert.deepEqual([slice?.samplesOnly, slice?.insteadOfStream], [true, streams]);
          planner.answered({ ...good, streamed: false });
        }
      }
    });

    it('is not told from one whose proxy had a bad moment', () => {
      const planner = plannerOf();
      planner.begin(0, DAY);
      planner.next();
      planner.answered(good);
      planner.next();
      planner.failed({ kind: 'unsupported', streams: true });
      assert.equal(planner.next()?.samplesOnly, false);
    });
  });

  it('asks for SAMPLES when that is what the user wants, and does not call it a fallback', () => {
    const planner = plannerOf({ readMode: 'Samples' });
    planner.begin(0, DAY);
    const slice = planner.next();
    assert.deepEqual([slice?.samplesOnly, slice?.insteadOfStream], [true, false]);
  });

  it('marks as uncertain what an earlier run may have written', () => {
    const store = new SimulatedStore([metric('m')]);
    const { deliveries } = cross(plannerOf({ uncertainUntilMs: 10 * MINUTE }), store, [0, HOUR]);
    assert.ok(deliveries.length > 2);
    for (const { slice } of deliveries) assert.equal(slice.uncertain, slice.fromMs < 10 * MINUTE);
  });
});
