// Runs that resume in a store that adds labels, hides ranges before newer data, or sends damaged responses to the reads of a resume.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, type FakeStore, startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { FastClock } from '../support/fake-clock.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, type Run, run, unaccounted } from '../support/plan.ts';
import { bitsOf, type Series } from '../support/remote-messages.ts';
import { differences } from './support/store-cases.ts';
import { KERNEL_BYTES } from '../../../src/wire/kernel/kernel.ts';

const nowMs = epochMs + 30 * dayMs;

function seriesFrom(fromMs: number, toMs: number): Series[] {
  return Array.from({ length: 6 }, (_, i) => ({
    labels: [
      ['__name__', `metric_${i % 2}`],
      ['instance', `host-${i}`],
    ] as const,
    samples: Array.from({ length: (toMs - fromMs) / 30_000 }, (_, k) => ({
      timeMs: fromMs + k * 30_000,
      bits: bitsOf(i * 1000 + k / 2),
    })),
    histograms: [],
  }));
}

async function openStore(behaviour: Behaviour, contents: readonly Series[] = []): Promise<[FakeStore, FastClock]> {
  const clock = new FastClock({ nowMs });
  const store = await startFakeStore(behaviour, { now: () => clock.now() });
  store.put(contents);
  return [store, clock];
}

function assertSucceeded({ progress, error }: Run): void {
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  assert.equal(unaccounted(progress), 0);
  assert.deepEqual(progress.samplesRejected, {});
}

/** The contents of the store in [epochMs, epochMs + hourMs). */
function copied(store: FakeStore): Series[] {
  return store
    .series()
    .map((series) => ({ ...series, samples: series.samples.filter(({ timeMs }) => timeMs < epochMs + hourMs) }));
}

/** Resolves when the requests in flight at an abort have arrived. */
async function quiet(store: FakeStore): Promise<void> {
  for (let seen = -1; seen < store.requests.length; ) {
    seen = store.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await store.settled();
  }
}

function samplesOf(series: readonly Pick<Series, 'samples'>[]): number {
  return series.reduce((sum, { samples }) => sum + samples.length, 0);
}

describe('a run into Thanos with newer data', () => {
  const history = seriesFrom(epochMs, epochMs + hourMs);
  const live = seriesFrom(nowMs - hourMs, nowMs);

  for (const protocol of ['PromQL', 'RemoteRead'] as const) {
    for (const rejectedSamples of ['Fail', 'Skip'] as const) {
      // The second write is in the first window, before the first mark; the thirteenth is after it.
      for (const writes of [2, 13]) {
        const title = `resumes by ${protocol} after an abort at write ${writes} with ${rejectedSamples}, and sends what is missing`;
        it(title, async () => {
          await using source = await startFakeStore(prometheus());
          source.put(history);
          const [store, clock] = await openStore(thanos({ outOfOrderWindowMs: 60 * dayMs }), live);
          await using destination = store;
          const plan = planFor(
            { source, destination },
            { protocol, rejectedSamples, limits: { samplesPerWrite: 30 }, window: { maxMs: hourMs / 4 } },
          );
          const abort = new AbortController();
          destination.onCarriedOut = () => {
            if (destination.requestsOf('write').length === writes) abort.abort();
          };
          const first = await run(plan, { clock, abort: abort.signal });
          assert.equal(first.progress.phase, 'Interrupted');
          await quiet(destination);
          const marked = destination.marks().at(-1)?.value ?? 0;
          const stored = samplesOf(copied(destination));
          const second = await run(plan, { clock });
          assertSucceeded(second);
          assert.equal(second.progress.samplesAlreadyPresent, stored - marked);
          assert.equal(second.progress.samplesWritten, 6 * 120 - stored);
          assert.deepEqual(differences(copied(destination), history), []);
          assert.equal(destination.counts().twice, 0);
          const writesOfBoth = destination.requestsOf('write');
          assert.ok(writesOfBoth.every(({ status }) => status === undefined || status < 300));
        });
      }
    }
  }
});

describe('a run into Thanos whose out-of-order head was compacted since the run before', () => {
  for (const protocol of ['PromQL', 'RemoteRead'] as const) {
    it(`resumes by ${protocol}, and sends what is missing`, async () => {
      const history = seriesFrom(epochMs, epochMs + hourMs);
      await using source = await startFakeStore(prometheus());
      source.put(history);
      const live = seriesFrom(nowMs - hourMs, nowMs);
      const [store, clock] = await openStore(thanos({ outOfOrderWindowMs: 60 * dayMs }), live);
      await using destination = store;
      const plan = planFor(
        { source, destination },
        { protocol, limits: { samplesPerWrite: 30 }, window: { maxMs: hourMs / 4 } },
      );
      const abort = new AbortController();
      destination.onCarriedOut = () => {
        if (destination.requestsOf('write').length === 13) abort.abort();
      };
      assert.equal((await run(plan, { clock, abort: abort.signal })).progress.phase, 'Interrupted');
      await quiet(destination);
      const stored = samplesOf(copied(destination));
      // Receive now announces the compacted blocks, and Query shows them in every range.
      destination.tenant('').contents.inOrderMinMs = epochMs;
      const second = await run(plan, { clock });
      assertSucceeded(second);
      assert.equal(second.progress.samplesWritten, 6 * 120 - stored);
      assert.deepEqual(differences(copied(destination), history), []);
      assert.equal(destination.counts().twice, 0);
    });
  }
});

describe('a run whose destination sends damaged responses to reads', () => {
  const history = seriesFrom(epochMs, epochMs + 20 * minuteMs);
  for (const [protocol, kind] of [
    ['RemoteRead', 'read'],
    ['PromQL', 'query'],
  ] as const) {
    it(`reads again by ${protocol}, reports it, and completes`, async () => {
      await using source = await startFakeStore(prometheus());
      source.put(history);
      const [store, clock] = await openStore(cortex());
      await using destination = store;
      let reads = 0;
      destination.onRequest = (request) =>
        request.kind === kind && reads++ % 2 === 0 ? { damage: (body) => body.subarray(0, -2) } : undefined;
      const plan = planFor({ source, destination }, { protocol, endMs: epochMs + 20 * minuteMs });
      const result = await run(plan, { clock });
      assertSucceeded(result);
      const retries = result.observer.all('retry');
      assert.ok(retries.length >= 2, `${retries.length} retries`);
      assert.ok(retries.every(({ side, code }) => side === 'progress' && code === 'bad-response'));
      assert.ok(result.progress.retries >= retries.length);
    });

    it(`ends with the side and a hint when no response by ${protocol} is valid`, async () => {
      await using source = await startFakeStore(prometheus());
      source.put(history);
      const [store, clock] = await openStore(cortex());
      await using destination = store;
      destination.onRequest = (request) =>
        request.kind === kind ? { damage: (body) => Buffer.concat([body, Buffer.from('}\x00\xff')]) } : undefined;
      const { error } = await run(planFor({ source, destination }, { protocol }), { clock });
      assert.deepEqual([error?.code, error?.side], ['bad-response', 'progress']);
      assert.match(error?.hint ?? '', /spec\.destination\.progress\.url/);
    });
  }
});

describe('a run that resumes among more series than can be read back at once', () => {
  const crowd: Series[] = Array.from({ length: 1100 }, (_, i) => ({
    labels: [
      ['__name__', 'kube_pod_labels'],
      ['note', 'x'.repeat(2000)],
      ['pod', `pod-${i.toString(36).padStart(3, '0')}`],
    ] as const,
    samples: [0, 1, 2].map((minute) => ({ timeMs: epochMs + minute * minuteMs, bits: bitsOf(i) })),
    histograms: [],
  })).sort((a, b) => (a.labels[2]![1] < b.labels[2]![1] ? -1 : 1));

  for (const protocol of ['RemoteRead', 'PromQL'] as const) {
    it(`sends the missing samples, by ${protocol}`, async () => {
      await using source = await startFakeStore(prometheus());
      source.put(crowd);
      const half = crowd.map(({ labels, samples }, i) => ({ labels, samples: samples.slice(0, i % 3) }));
      const [store, clock] = await openStore(prometheus(), half);
      await using destination = store;
      const plan = planFor(
        { source, destination },
        { protocol, endMs: epochMs + 5 * minuteMs, limits: { memoryBytes: 16 * 1024 * 1024 + KERNEL_BYTES } },
      );
      const result = await run(plan, { clock });
      assertSucceeded(result);
      assert.equal(result.progress.samplesAlreadyPresent, samplesOf(half));
      assert.deepEqual(differences(destination.series(), crowd), []);
      assert.equal(destination.counts().twice, 0);
    });
  }
});
