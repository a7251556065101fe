// Destinations whose responses do not say what they have: they keep the good part of a refused request, drop behind a 2xx, or a proxy stands
// in between. Whole migrations; every count is held against what the store really has.

import assert from 'node:assert/strict';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, type FakeStore, startFakeStore, type StoreRequest } from '../../support/stores/fake-store.ts';
import type { Fault } from '../../support/stores/faults.ts';
import { m3 } from '../../support/stores/m3.ts';
import { encodeHistogram } from '../../support/stores/messages.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { promscale } from '../../support/stores/promscale.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { FastClock } from '../support/fake-clock.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, type Run, run, unaccounted } from '../support/plan.ts';
import { bitsOf, keyOf, type Series } from '../support/remote-messages.ts';

type Changes = NonNullable<Parameters<typeof planFor>[1]>;

const stepMs = 15_000;

function seriesOf(count: number, fromMs: number, toMs: number, name = 'metric'): Series[] {
  return Array.from({ length: count }, (_, i) => ({
    labels: [
      ['__name__', name],
      ['instance', `host-${i}`],
    ] as const,
    samples: Array.from({ length: (toMs - fromMs) / stepMs }, (_, k) => ({
      timeMs: fromMs + k * stepMs,
      bits: bitsOf(i * 1_000_000 + (fromMs - epochMs) / stepMs + k),
    })),
    histograms: [],
  }));
}

const data = seriesOf(6, epochMs, epochMs + hourMs);
const samples = 6 * 240;

async function sourceWith(series: readonly Series[] = data): Promise<FakeStore> {
  const source = await startFakeStore(prometheus());
  source.put(series);
  return source;
}

function migrate(
  sides: { source: FakeStore; destination: FakeStore },
  changes: Changes = {},
  clock: FastClock = new FastClock({ nowMs: epochMs + 30 * dayMs }),
): Promise<Run> {
  const { limits, ...others } = changes;
  const plan: MigrationPlan = planFor(sides, {
    window: { maxMs: hourMs / 4 },
    limits: { samplesPerWrite: 200, ...limits },
    ...others,
  });
  return run(plan, { clock });
}

/** How many of the samples that were to be copied the store does not have. */
function missingIn(destination: FakeStore, due: readonly Series[] = data): number {
  const times = new Map(
    destination
      .series()
      .map(({ labels, samples: own, histograms = [] }) => [
        keyOf(labels),
        new Set([...own, ...histograms].map(({ timeMs }) => timeMs)),
      ]),
  );
  let missing = 0;
  for (const { labels, samples: own, histograms = [] } of due) {
    const present = times.get(keyOf(labels));
    for (const { timeMs } of [...own, ...histograms]) if (present?.has(timeMs) !== true) missing++;
  }
  return missing;
}

function rejected({ progress }: Run): number {
  return Object.values(progress.samplesRejected).reduce((sum, count) => sum + count, 0);
}

function assertTrueCounts(result: Run, destination: FakeStore, due: readonly Series[] = data): void {
  const { progress, error } = result;
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  assert.equal(unaccounted(progress), 0);
  assert.equal(rejected(result), missingIn(destination, due), 'rejected is what is really missing');
  assert.equal(progress.samplesRejectedUnproven, 0);
  assert.deepEqual(destination.failures, []);
}

/** The same fault for every third write of samples. */
function everyThird(destination: FakeStore, fault: Fault, of: (request: StoreRequest) => boolean = isSamples): void {
  let writes = 0;
  destination.onRequest = (request) => (of(request) && ++writes % 3 === 1 ? fault : undefined);
}
const isSamples = ({ kind, isMark }: StoreRequest) => kind === 'write' && !isMark;
const isMark = (request: StoreRequest) => request.kind === 'write' && request.isMark;

const replaced: Record<string, Fault> = {
  'a 503': { status: 503, body: 'upstream connect error', commits: true },
  'a 500': { status: 500, body: 'internal error', commits: true },
  'a 408': { status: 408, body: '', commits: true },
  'a 429 of a proxy': { status: 429, body: 'too many requests', commits: true },
  'a page': { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>restarting</html>', commits: true },
  'a redirect': { status: 302, headers: { location: 'http://127.0.0.1:1/login' }, commits: true },
  'a 404': { status: 404, body: 'not found', commits: true },
  'a cut connection': { disconnects: 'after commit' },
};

describe('an acknowledgement that a proxy replaces after the store has committed', () => {
  const stores: Record<string, [behaviour: () => Behaviour, changes: Changes]> = {
    VictoriaMetrics: [() => victoriametrics(), { protocol: 'PromQL', destination: { ordering: 'Any' } }],
    Prometheus: [() => prometheus(), { protocol: 'RemoteRead' }],
    'Prometheus by PromQL': [() => prometheus(), { protocol: 'PromQL' }],
    Cortex: [() => cortex(), { protocol: 'RemoteRead' }],
  };
  for (const [name, [behaviour, changes]] of Object.entries(stores)) {
    for (const [title, fault] of Object.entries(replaced)) {
      it(`by ${title} doubles nothing and loses nothing: ${name}`, async () => {
        await using source = await sourceWith();
        await using destination = await startFakeStore(behaviour());
        // The first response has to be a good one: before it a page looks like a wrong setting.
        let writes = 0;
        destination.onRequest = (request) => (isSamples(request) && ++writes % 3 === 2 ? fault : undefined);
        const result = await migrate({ source, destination }, changes);
        assertTrueCounts(result, destination);
        assert.equal(rejected(result), 0);
        assert.deepEqual(destination.counts(), { floats: samples, histograms: 0, twice: 0 });
        assert.ok(result.progress.samplesAlreadyPresent > 0);
      });
    }
  }

  it('of a mark leaves the marks right', async () => {
    for (const [behaviour, changes] of Object.values(stores)) {
      await using source = await sourceWith();
      await using destination = await startFakeStore(behaviour());
      everyThird(destination, { status: 503, commits: true }, isMark);
      assertTrueCounts(await migrate({ source, destination }, changes), destination);
      const marks = destination.marks().filter(({ labels }) => labels['count'] === undefined);
      const values = new Map(marks.map(({ timeMs, value }) => [timeMs, value]));
      assert.equal(values.get(epochMs + hourMs - 1), samples);
      const second = await migrate({ source, destination }, changes);
      assert.equal(second.observer.all('already-finished').length, 1);
    }
  });
});

describe('a request that a proxy sends twice', () => {
  for (const [name, behaviour] of [
    ['Prometheus', () => prometheus()],
    ['Cortex', () => cortex()],
    ['Thanos', () => thanos()],
  ] as const) {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      it(`is not taken for refused: ${name} by ${protocol}`, async () => {
        await using source = await sourceWith();
        await using destination = await startFakeStore(behaviour());
        everyThird(destination, { repeats: true });
        const result = await migrate({ source, destination }, { protocol });
        assertTrueCounts(result, destination);
        assert.equal(rejected(result), 0);
      });
    }
  }
});

/** The store has samples of some series that are newer than a part of what is to be copied. */
function withNewer(destination: FakeStore): void {
  destination.put(seriesOf(2, epochMs + 20 * minuteMs, epochMs + 20 * minuteMs + stepMs));
}

describe('a destination that keeps the good part of a refused request', () => {
  const stores: Record<string, () => Behaviour> = { Cortex: () => cortex(), Thanos: () => thanos() };
  for (const [name, behaviour] of Object.entries(stores)) {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      it(`(${name}) has the samples that are really missing counted as rejected: ${protocol}`, async () => {
        await using source = await sourceWith();
        await using destination = await startFakeStore(behaviour());
        withNewer(destination);
        const result = await migrate({ source, destination }, { protocol, rejectedSamples: 'Skip' });
        assertTrueCounts(result, destination);
        assert.ok(rejected(result) > 100);
        assert.deepEqual(Object.keys(result.progress.samplesRejected), ['out_of_order']);
        // Nothing that was good is sent again, but for the first few requests, from which it is learned.
        const sent = destination.requestsOf('write').reduce((sum, request) => sum + request.samples, 0);
        assert.ok(sent < samples + 500, `${sent} samples sent`);
        assert.ok(destination.requestsOf('write').length < 40, `${destination.requestsOf('write').length} requests`);
      });
    }
  }

  it('that cannot be read has an upper bound counted, and called so', async () => {
    await using source = await sourceWith();
    await using destination = await startFakeStore(cortex());
    withNewer(destination);
    const result = await migrate({ source, destination }, { protocol: 'None', rejectedSamples: 'Skip' });
    assert.equal(result.progress.phase, 'Succeeded');
    const missing = missingIn(destination);
    assert.ok(rejected(result) >= missing);
    assert.ok(rejected(result) - result.progress.samplesRejectedUnproven <= missing);
    assert.equal(unaccounted(result.progress), 0);
    assert.ok(result.observer.all('rejected').every(({ isBound }) => isBound === true));
  });

  it('with Fail ends the run with a count that is true, or a lower bound that says so', async () => {
    for (const few of [true, false]) {
      await using source = await sourceWith();
      await using destination = await startFakeStore(cortex());
      if (few) destination.put(seriesOf(1, epochMs + 45_000, epochMs + 60_000));
      else withNewer(destination);
      const { error, progress } = await migrate({ source, destination });
      assert.equal(error?.code, 'samples-rejected');
      const inWindow = data.map((one) => ({
        ...one,
        samples: one.samples.filter(({ timeMs }) => timeMs < epochMs + (few ? 5 : 15) * minuteMs),
      }));
      const missing = missingIn(destination, inWindow);
      if (few) assert.match(error?.message ?? '', new RegExp(`^${missing} of the 120 samples of the window`));
      else {
        const least = Number(
          /at least (\d+) samples/.exec(error?.message ?? '')?.[1] ?? /^(\d+) of/.exec(error?.message ?? '')?.[1],
        );
        assert.ok(least > 0 && least <= missing, `${error?.message}: ${missing} are missing`);
      }
      assert.equal(progress.samplesRejectedUnproven, 0);
    }
  });
});

describe('a destination that rolls a refused request back', () => {
  it('loses only what is refused, counted exactly', async () => {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      await using source = await sourceWith();
      await using destination = await startFakeStore(prometheus());
      withNewer(destination);
      const result = await migrate({ source, destination }, { protocol, rejectedSamples: 'Skip' });
      assertTrueCounts(result, destination);
      assert.ok(rejected(result) > 100);
    }
  });
});

describe('a destination that holds another value at a time', () => {
  it('has the sample counted as rejected, not as present', async () => {
    await using source = await sourceWith();
    await using destination = await startFakeStore(prometheus({ outOfOrderWindowMs: dayMs }));
    destination.put([{ ...data[0]!, samples: [{ timeMs: epochMs + 50 * minuteMs, bits: bitsOf(-1) }] }]);
    const result = await migrate({ source, destination }, { rejectedSamples: 'Skip' });
    assert.equal(result.error, undefined);
    assert.deepEqual(result.progress.samplesRejected, { duplicate_timestamp: 1 });
    assert.equal(destination.counts().floats, samples);
    assert.equal(unaccounted(result.progress), 0);
  });
});

describe('a window of which everything is refused', () => {
  it('is found out with a few requests, and counted as it is: M3 without cold writes', async () => {
    for (const rejectedSamples of ['Skip', 'Fail'] as const) {
      await using source = await sourceWith();
      const clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
      await using destination = await startFakeStore(m3({ coldWrites: false }), { now: () => clock.now() });
      const result = await migrate({ source, destination }, { rejectedSamples, protocol: 'PromQL' }, clock);
      const writes = destination.requestsOf('write').length;
      assert.ok(writes < (rejectedSamples === 'Skip' ? 60 : 15), `${writes} requests`);
      if (rejectedSamples === 'Skip') assertTrueCounts(result, destination);
      else
        assert.match(
          result.error?.message ?? '',
          /^(?:at least )?\d+ (?:of the \d+ )?samples of the window .*too far in past/,
        );
    }
  });

  it('in part is counted as it is: M3 without cold writes', async () => {
    await using source = await sourceWith();
    // The last ten minutes are taken.
    const clock = new FastClock({ nowMs: epochMs + hourMs, speed: 1 });
    await using destination = await startFakeStore(m3({ coldWrites: false }), { now: () => clock.now() });
    const result = await migrate({ source, destination }, { rejectedSamples: 'Skip' }, clock);
    assert.equal(result.error, undefined);
    assert.equal(rejected(result), missingIn(destination));
    assert.ok(rejected(result) < samples);
  });
});

describe("a destination's HA tracker that follows another replica", () => {
  const replica = data.map((one) => ({
    ...one,
    labels: [['__name__', 'metric'], ['__replica__', 'r2'], ['cluster', 'c'], ...one.labels.slice(1)] as const,
  }));

  it('has what it drops behind its 202 counted as rejected', async () => {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      await using source = await sourceWith(replica);
      await using destination = await startFakeStore(cortex({ electedReplica: 'r1' }));
      const result = await migrate({ source, destination }, { rejectedSamples: 'Skip', protocol });
      assertTrueCounts(result, destination, replica);
      assert.deepEqual(result.progress.samplesRejected, { ha_tracker: samples });
      assert.match(result.observer.all('rejected')[0]?.answer ?? '', /replicas did not match/);
    }
  });

  it('ends the migration with the setting to change', async () => {
    await using source = await sourceWith(replica);
    await using destination = await startFakeStore(cortex({ electedReplica: 'r1' }));
    const { error } = await migrate({ source, destination });
    assert.equal(error?.code, 'samples-rejected');
    assert.match(error?.message ?? '', /replicas did not match/);
    assert.match(error?.hint ?? '', /spec\.relabelings/);
  });

  it('that cannot be read back gives a bound', async () => {
    await using source = await sourceWith(replica);
    await using destination = await startFakeStore(cortex({ electedReplica: 'r1' }));
    const { progress } = await migrate({ source, destination }, { rejectedSamples: 'Skip', protocol: 'None' });
    assert.deepEqual(progress.samplesRejected, { ha_tracker: samples });
    assert.equal(progress.samplesRejectedUnproven, samples);
  });

  it('is not suspected behind a 202 that stores everything', async () => {
    for (const protocol of ['RemoteRead', 'None'] as const) {
      await using source = await sourceWith();
      await using destination = await startFakeStore(prometheus());
      everyThird(destination, { status: 202, commits: true });
      const result = await migrate({ source, destination }, { protocol });
      assertTrueCounts(result, destination);
      assert.equal(rejected(result), 0);
      assert.equal(result.observer.warnings().includes('accepted-not-read-back'), protocol === 'None');
    }
  });
});

describe('native histograms', () => {
  const histograms: Series[] = seriesOf(2, epochMs, epochMs + hourMs, 'latency').map(({ labels, samples: times }) => ({
    labels,
    samples: [],
    histograms: times.map(({ timeMs }) => ({
      timeMs,
      message: encodeHistogram({ countInt: 1, sum: 1, zeroCountInt: 1, timestamp: timeMs }),
    })),
  }));
  const mixed = [...data, ...histograms];
  const droppers: Record<string, [behaviour: () => Behaviour, protocol: 'RemoteRead' | 'PromQL']> = {
    Cortex: [() => cortex(), 'RemoteRead'],
    'Cortex by PromQL': [() => cortex(), 'PromQL'],
    Promscale: [() => promscale(), 'RemoteRead'],
  };
  for (const [name, [behaviour, protocol]] of Object.entries(droppers)) {
    for (const ordering of ['InOrder', 'Any'] as const) {
      for (const series of [mixed, histograms]) {
        it(`that are dropped behind a 2xx count as rejected: ${name}, ${ordering}, ${series.length} series`, async () => {
          await using source = await sourceWith(series);
          await using destination = await startFakeStore(behaviour());
          const changes: Changes = { protocol, destination: { ordering }, rejectedSamples: 'Skip' };
          const result = await migrate({ source, destination }, changes);
          assertTrueCounts(result, destination, series);
          assert.deepEqual(result.progress.samplesRejected, { histograms_dropped: 480 });
          const marks = destination.marks().filter(({ labels }) => labels['count'] === undefined);
          assert.equal(marks.at(-1)?.value, series === mixed ? samples : 0, 'no mark counts them');
        });
      }
    }
  }

  it('that are dropped end the migration with the setting to change, before the window is marked', async () => {
    await using source = await sourceWith(mixed);
    await using destination = await startFakeStore(cortex());
    const { error } = await migrate({ source, destination });
    assert.equal(error?.code, 'samples-rejected');
    assert.match(error?.hint ?? '', /enable_native_histograms/);
    assert.deepEqual(destination.marks(), []);
  });

  it('that are stored count as written', async () => {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      await using source = await sourceWith(mixed);
      await using destination = await startFakeStore(cortex({ nativeHistograms: true }));
      const result = await migrate({ source, destination }, { protocol });
      assertTrueCounts(result, destination, mixed);
      assert.equal(rejected(result), 0);
    }
  });

  it('that cannot be read back are written, with a warning', async () => {
    for (const protocol of ['RemoteRead', 'None'] as const) {
      await using source = await sourceWith(mixed);
      await using destination = await startFakeStore(cortex({ nativeHistograms: true }));
      destination.onRequest = ({ query }) =>
        query?.matchers.some(({ value }) => value === 'latency') ? { status: 403, body: 'no histograms' } : undefined;
      const result = await migrate({ source, destination }, { protocol });
      assert.equal(result.error, undefined);
      assert.equal(result.progress.samplesWritten, samples + 480);
      assert.ok(result.observer.warnings().includes('histograms-not-checked'));
    }
  });
});

describe('a rate limit whose burst is smaller than a request', () => {
  for (const ingestionBurst of [150, 7, 1]) {
    it(`of ${ingestionBurst} samples makes the requests smaller, for the whole run`, async () => {
      const few = seriesOf(6, epochMs, epochMs + 15 * minuteMs);
      await using source = await sourceWith(few);
      await using destination = await startFakeStore(cortex({ ingestionBurst }));
      const result = await migrate({ source, destination }, { endMs: epochMs + 15 * minuteMs });
      assertTrueCounts(result, destination, few);
      assert.equal(rejected(result), 0);
      const refused = destination.requestsOf('write').filter(({ status }) => status === 429);
      assert.ok(refused.length < 60, `${refused.length} refused`);
      const waits = result.observer.all('retry').map(({ delayMs }) => delayMs);
      assert.ok(
        waits.every((delayMs) => delayMs >= 1000),
        'Retry-After is obeyed',
      );
    });
  }

  it('is not suspected where waiting helps', async () => {
    await using source = await sourceWith();
    await using destination = await startFakeStore(cortex());
    let writes = 0;
    // Three refusals, whatever the size, before each request is taken.
    destination.onRequest = (request) => {
      if (request.kind !== 'write') return undefined;
      return ++writes % 4 === 0 ? undefined : { status: 429, body: 'ingestion rate limit (25000) exceeded' };
    };
    const result = await migrate({ source, destination }, { limits: { inFlightWrites: 1 } });
    assertTrueCounts(result, destination);
    const sizes = destination.requestsOf('write').map((request) => request.samples);
    assert.ok(Math.max(...sizes.slice(-8)) >= 100, `${sizes}`);
  });
});

describe('Promscale without a tenant', () => {
  it('refuses the migration, not its samples', async () => {
    await using source = await sourceWith();
    await using destination = await startFakeStore(promscale({ multitenancy: true }));
    const { error, progress } = await migrate({ source, destination }, { rejectedSamples: 'Skip' });
    assert.equal(error?.code, 'unauthorized');
    assert.match(error?.hint ?? '', /tenant/);
    assert.deepEqual(progress.samplesRejected, {});
  });
});
