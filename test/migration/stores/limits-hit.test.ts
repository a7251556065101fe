// Limits of stores that a migration meets on its way: every one is met, and everything arrives.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { FastClock } from '../support/fake-clock.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, run } from '../support/plan.ts';
import type { Series } from '../support/remote-messages.ts';
import { abortAfter, assertComplete, countOf, prometheusWith } from './support/copies.ts';
import { changed, testSeries } from './support/store-cases.ts';

interface LimitCase {
  readonly name: string;
  readonly open: () => Behaviour;
  readonly protocol?: 'RemoteRead' | 'PromQL';
  readonly ordering?: 'InOrder' | 'Any';
  readonly kind: 'write' | 'read';
  /** Of the refusals. */
  readonly status: number;
  readonly keepsNegativeZero?: true;
}

const limits: readonly LimitCase[] = [
  { name: 'the burst of Cortex', open: () => cortex({ ingestionBurst: 20 }), kind: 'write', status: 429 },
  { name: 'the series of a query to Cortex', open: () => cortex({ maxFetchedSeries: 40 }), kind: 'read', status: 400 },
  { name: 'the bytes of a query to Cortex', open: () => cortex({ maxFetchedBytes: 2500 }), kind: 'read', status: 400 },
  {
    name: 'the bytes of a request to Thanos Receive',
    open: () => thanos({ maxRequestBytes: 200 }),
    protocol: 'PromQL',
    kind: 'write',
    status: 413,
    keepsNegativeZero: true,
  },
  {
    name: 'the series of a request to Thanos Receive',
    open: () => thanos({ maxRequestSeries: 1 }),
    protocol: 'PromQL',
    kind: 'write',
    status: 413,
    keepsNegativeZero: true,
  },
  {
    name: 'the samples of a request to Thanos Receive',
    open: () => thanos({ maxRequestSamples: 20 }),
    protocol: 'PromQL',
    kind: 'write',
    status: 413,
    keepsNegativeZero: true,
  },
  {
    name: 'the series of a query to M3',
    open: () => m3({ maxFetchedSeries: 40 }),
    ordering: 'Any',
    kind: 'read',
    status: 400,
  },
];

/** Ten names with six series each, so more series than progress marks have. */
const series: Series[] = Array.from({ length: 10 }, (_, i) =>
  testSeries(epochMs, epochMs + hourMs / 4).map(({ labels, samples }) => ({
    labels: labels.map(([name, value]) => [name, name === '__name__' ? `name_${i}` : value] as const),
    samples,
    histograms: [],
  })),
).flat();
const withPositiveZero = changed(series, (bits) => (bits === 1n << 63n ? 0n : bits));

for (const { name, open, protocol = 'RemoteRead', ordering = 'InOrder', kind, status, keepsNegativeZero } of limits) {
  describe(`a migration into a store that limits ${name}`, () => {
    it('has every sample exactly once, resumed after an abort', async () => {
      await using source = await prometheusWith(series);
      const clock = new FastClock({ nowMs: epochMs + 30 * dayMs });
      await using destination = await startFakeStore(open(), { now: () => clock.now() });
      const plan = planFor(
        { source, destination },
        { protocol, destination: { ordering }, limits: { samplesPerWrite: 40 }, window: { maxMs: 5 * minuteMs } },
      );
      const abort = new AbortController();
      destination.onCarriedOut = () => {
        if (destination.requestsOf('write').length === 15) abort.abort();
      };
      const first = await run(plan, { clock, abort: abort.signal });
      assert.equal(first.progress.phase, 'Interrupted', first.error?.message ?? '');
      await destination.settled();
      const result = await run(plan, { clock, ...abortAfter(destination, 2000) });
      assertComplete(result, destination, keepsNegativeZero === true ? series : withPositiveZero);
      const refused = destination.requestsOf(kind).filter((request) => request.status === status);
      assert.ok(refused.length > 0, 'the limit is met');
    });
  });
}

describe('a migration out of a store that limits', () => {
  for (const [name, open] of [
    ['the series of a query (Cortex)', () => cortex({ maxFetchedSeries: 40 })],
    ['the bytes of a query (Cortex)', () => cortex({ maxFetchedBytes: 2500 })],
    ['the series of a query (M3)', () => m3({ maxFetchedSeries: 40 })],
  ] as const) {
    it(`${name} copies everything`, async () => {
      await using source = await startFakeStore(open());
      source.put(series);
      await using destination = await startFakeStore(prometheus());
      const result = await run(planFor({ source, destination }), abortAfter(source, 500));
      assertComplete(result, destination, withPositiveZero);
      assert.equal(result.progress.samplesWritten, countOf(series));
      assert.ok(source.requestsOf('read').some(({ status }) => status === 400));
    });
  }
});
