// Stores that keep the valid part of a rejected request, or reject every sample of it: exactly the missing samples count as rejected.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { FastClock } from '../support/fake-clock.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, type Run, run } from '../support/plan.ts';
import { abortAfter, assertSucceeded, countOf, prometheusWith } from './support/copies.ts';
import { testSeries } from './support/store-cases.ts';

const samples = countOf(testSeries());

/** Half of the series already have a sample in the middle of the hour: all their earlier samples are out of order. */
function putNewerHalf(destination: FakeStore): void {
  destination.put(
    testSeries()
      .slice(0, 3)
      .map(({ labels }) => ({ labels, samples: [{ timeMs: epochMs + 30 * minuteMs - 500, bits: 1n }] })),
  );
}

function rejectedOf({ progress }: Run): number {
  return Object.values(progress.samplesRejected).reduce((sum, count) => sum + count, 0);
}

/** The number of source samples that are not in the destination. */
function missing(destination: FakeStore): number {
  const there = new Set(
    destination.series().flatMap(({ labels, samples }) => samples.map(({ timeMs }) => `${labels.join()} ${timeMs}`)),
  );
  return testSeries()
    .flatMap(({ labels, samples }) => samples.map(({ timeMs }) => `${labels.join()} ${timeMs}`))
    .filter((sample) => !there.has(sample)).length;
}

const stores: readonly (readonly [string, () => Behaviour, 'RemoteRead' | 'PromQL'])[] = [
  ['Prometheus, which rolls back a whole request', () => prometheus(), 'RemoteRead'],
  ['Cortex', () => cortex(), 'RemoteRead'],
  ['Cortex read by PromQL', () => cortex(), 'PromQL'],
  ['Thanos read by PromQL', () => thanos(), 'PromQL'],
];

describe('samples out of order', () => {
  for (const [name, open, protocol] of stores) {
    it(`into ${name} are counted exactly`, async () => {
      await using source = await prometheusWith();
      await using destination = await startFakeStore(open());
      putNewerHalf(destination);
      const result = await run(planFor({ source, destination }, { protocol, rejectedSamples: 'Skip' }));
      assertSucceeded(result);
      const lost = missing(destination);
      assert.ok(lost > 170, `${lost} missing`);
      const { samplesRejectedUnproven, samplesWritten, samplesAlreadyPresent } = result.progress;
      if (samplesRejectedUnproven === 0) assert.equal(rejectedOf(result), lost);
      else assert.ok(rejectedOf(result) >= lost, 'a bound is an upper bound');
      // Samples that were stored with a rejected request are found by the read-back.
      assert.equal(samplesWritten + samplesAlreadyPresent, samples - rejectedOf(result));
    });
  }
});

describe('a batch whose every sample is rejected for the same reason', () => {
  const stores: readonly (readonly [string, () => Behaviour, 'InOrder' | 'Any'])[] = [
    ['M3 without cold writes', () => m3({ coldWrites: false }), 'Any'],
    ['Prometheus with newer data', () => prometheus(), 'InOrder'],
    ['Thanos Receive with newer data', () => thanos(), 'InOrder'],
  ];
  for (const [name, open, ordering] of stores) {
    it(`(${name}) is skipped with few requests and an exact count`, async () => {
      await using source = await prometheusWith();
      const clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
      await using destination = await startFakeStore(open(), { now: () => clock.now() });
      if (!name.startsWith('M3')) {
        const labels = [['__name__', 'newer']] as const;
        destination.put([{ labels, samples: [{ timeMs: epochMs + 10 * hourMs, bits: 1n }] }]);
      }
      const plan = planFor({ source, destination }, { destination: { ordering }, rejectedSamples: 'Skip' });
      const result = await run(plan, { clock, ...abortAfter(destination, 500) });
      assertSucceeded(result);
      assert.equal(result.progress.samplesWritten, 0);
      assert.deepEqual(result.progress.samplesRejected, { too_old: samples });
      const writes = destination.requests.filter(({ kind }) => kind === 'write').length;
      assert.ok(writes < 100, `${writes} writes`);
    });

    it(`(${name}) ends a migration with rejectedSamples: Fail, with an exact count`, async () => {
      await using source = await prometheusWith();
      const clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
      await using destination = await startFakeStore(open(), { now: () => clock.now() });
      if (!name.startsWith('M3')) {
        const labels = [['__name__', 'newer']] as const;
        destination.put([{ labels, samples: [{ timeMs: epochMs + 10 * hourMs, bits: 1n }] }]);
      }
      const result = await run(planFor({ source, destination }, { destination: { ordering } }), {
        clock,
        ...abortAfter(destination, 500),
      });
      assert.equal(result.error?.code, 'samples-rejected');
      const stated = /(\d+) of the (\d+) samples/.exec(result.error!.message);
      assert.ok(stated === null || stated[1] === stated[2], result.error!.message);
      assert.ok(destination.requests.length < 100, `${destination.requests.length} requests`);
    });
  }
});
