// Destinations whose responses do not reflect what they have stored: they keep the valid part of a rejected request, drop samples with a
// 2xx, or are behind a proxy. Whole migrations; every count is compared with the contents of the store.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import type { Fault } from '../../support/stores/faults.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { promscale } from '../../support/stores/promscale.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { FastClock } from '../support/fake-clock.ts';
import { dayMs, epochMs, hourMs, minuteMs, unaccounted } from '../support/plan.ts';
import { bitsOf } from '../support/remote-messages.ts';
import {
  assertTrueCounts,
  type Changes,
  data,
  everyThird,
  isMark,
  isSamples,
  migrate,
  missingIn,
  rejected,
  samples,
  seriesOf,
  sourceWith,
  withNewer,
} from './support/true-counts.ts';

const replaced: Record<string, Fault> = {
  'a 503': { status: 503, body: 'upstream connect error', commits: true },
  'a 500': { status: 500, body: 'internal error', commits: true },
  'a 408': { status: 408, body: '', commits: true },
  'a 429 of a proxy': { status: 429, body: 'too many requests', commits: true },
  'an HTML page': {
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<html>restarting</html>',
    commits: true,
  },
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
      it(`by ${title} duplicates nothing and loses nothing: ${name}`, async () => {
        await using source = await sourceWith();
        await using destination = await startFakeStore(behaviour());
        // The first response has to be a good one: before it, an HTML page is treated as a configuration error.
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

  it('of a mark leaves the marks correct', async () => {
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
      it(`is not mistaken for a rejected one: ${name} by ${protocol}`, async () => {
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

describe('a destination that stores the valid part of a rejected request', () => {
  const stores: Record<string, () => Behaviour> = { Cortex: () => cortex(), Thanos: () => thanos() };
  for (const [name, behaviour] of Object.entries(stores)) {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      it(`(${name}) counts exactly the missing samples as rejected: ${protocol}`, async () => {
        await using source = await sourceWith();
        await using destination = await startFakeStore(behaviour());
        withNewer(destination);
        const result = await migrate({ source, destination }, { protocol, rejectedSamples: 'Skip' });
        assertTrueCounts(result, destination);
        assert.ok(rejected(result) > 100);
        assert.deepEqual(Object.keys(result.progress.samplesRejected), ['out_of_order']);
        // No valid samples are sent again, except in the first few requests, from which the behavior is learned.
        const sent = destination.requestsOf('write').reduce((sum, request) => sum + request.samples, 0);
        assert.ok(sent < samples + 500, `${sent} samples sent`);
        assert.ok(destination.requestsOf('write').length < 40, `${destination.requestsOf('write').length} requests`);
      });
    }
  }

  it('counts an upper bound, and reports it as such, when it cannot be read', async () => {
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

  it('ends the run with an exact count, or a lower bound reported as such, with Fail', async () => {
    for (const few of [true, false]) {
      await using source = await sourceWith();
      await using destination = await startFakeStore(cortex());
      if (few) destination.put(seriesOf(1, epochMs + 45_000, epochMs + 60_000));
      else withNewer(destination);
      const windowMs = (few ? 5 : 15) * minuteMs;
      const { error, progress } = await migrate({ source, destination }, { window: { maxMs: windowMs } });
      assert.equal(error?.code, 'samples-rejected');
      const inWindow = data.map((one) => ({
        ...one,
        samples: one.samples.filter(({ timeMs }) => timeMs < epochMs + windowMs),
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

describe('a destination that rolls back a rejected request', () => {
  it('loses only the rejected samples, counted exactly', async () => {
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

describe('a destination that has another value at the same timestamp', () => {
  it('counts the sample as rejected, not as present', async () => {
    const series = seriesOf(6, epochMs, epochMs + 2 * hourMs);
    await using source = await sourceWith(series);
    await using destination = await startFakeStore(prometheus({ outOfOrderWindowMs: dayMs }));
    // Behind the stretch in which timestamps are compared because an earlier run may have written them.
    destination.put([{ ...series[0]!, samples: [{ timeMs: epochMs + 90 * minuteMs, bits: bitsOf(-1) }] }]);
    const endMs = epochMs + 2 * hourMs;
    const result = await migrate({ source, destination }, { rejectedSamples: 'Skip', endMs });
    assert.equal(result.error, undefined);
    assert.deepEqual(result.progress.samplesRejected, { duplicate_timestamp: 1 });
    assert.equal(destination.counts().floats, 2 * samples);
    assert.equal(unaccounted(result.progress), 0);
  });
});

describe('a window whose every sample is rejected', () => {
  it('is detected with a few requests, and counted exactly: M3 without cold writes', async () => {
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

  it('in part is counted exactly: M3 without cold writes', async () => {
    await using source = await sourceWith();
    // The last ten minutes are accepted.
    const clock = new FastClock({ nowMs: epochMs + hourMs, speed: 1 });
    await using destination = await startFakeStore(m3({ coldWrites: false }), { now: () => clock.now() });
    const result = await migrate({ source, destination }, { rejectedSamples: 'Skip' }, clock);
    assert.equal(result.error, undefined);
    assert.equal(rejected(result), missingIn(destination));
    assert.ok(rejected(result) < samples);
  });
});

describe('a rate limit whose burst is smaller than a request', () => {
  const inFlightWrites = 4;
  const REFUSALS_AT_A_SIZE = 4;

  for (const ingestionBurst of [150, 7, 1]) {
    it(`of ${ingestionBurst} samples makes the requests smaller, for the whole run`, async () => {
      const few = seriesOf(6, epochMs, epochMs + 15 * minuteMs);
      await using source = await sourceWith(few);
      await using destination = await startFakeStore(cortex({ ingestionBurst }));
      const result = await migrate(
        { source, destination },
        {
          endMs: epochMs + 15 * minuteMs,
          limits: { inFlightWrites },
        },
      );
      assertTrueCounts(result, destination, few);
      assert.equal(rejected(result), 0);
      const refused = destination.requestsOf('write').filter(({ status }) => status === 429);
      // Each of the requests in flight may be refused a few times at each size before the size is suspected.
      const halvings = Math.ceil(Math.log2(few.reduce((sum, one) => sum + one.samples.length, 0) / ingestionBurst));
      assert.ok(refused.length <= REFUSALS_AT_A_SIZE * inFlightWrites * halvings, `${refused.length} refused`);
      const waits = result.observer.all('retry').map(({ delayMs }) => delayMs);
      assert.ok(
        waits.every((delayMs) => delayMs >= 1000),
        'Retry-After is obeyed',
      );
    });
  }

  it('is not suspected when waiting helps', async () => {
    await using source = await sourceWith();
    await using destination = await startFakeStore(cortex());
    let writes = 0;
    // Three rejections, whatever the size, before each request is accepted.
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
  it('rejects the migration, not its samples', async () => {
    await using source = await sourceWith();
    await using destination = await startFakeStore(promscale({ multitenancy: true }));
    const { error, progress } = await migrate({ source, destination }, { rejectedSamples: 'Skip' });
    assert.equal(error?.code, 'unauthorized');
    assert.match(error?.hint ?? '', /tenant/);
    assert.deepEqual(progress.samplesRejected, {});
  });
});
