// Cortex rejects with 429 what exceeds its ingestion rate, and a request with more samples than its burst however long the client waits.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { startFakeStore, type StoreRequest } from '../../support/stores/fake-store.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { IdleClock } from '../support/idle-clock.ts';
import { dayMs, epochMs, minuteMs, planFor, RecordingObserver, run } from '../support/plan.ts';
import { bitsOf, type Series } from '../support/remote-messages.ts';
import { abortAfter, assertComplete, prometheusWith } from './support/copies.ts';
import { changed, testSeries } from './support/store-cases.ts';

const stored = changed(testSeries(), (bits) => (bits === 1n << 63n ? 0n : bits));

describe('a rate limit whose burst is smaller than a request', () => {
  it('makes requests smaller, and is remembered', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(cortex({ ingestionBurst: 40 }));
    const plan = planFor({ source, destination }, { limits: { samplesPerWrite: 200 } });
    // After a minute it tries larger requests again, which is another test.
    const clock = new IdleClock({ nowMs: epochMs + 30 * dayMs });
    const copy = run(plan, { clock, ...abortAfter(destination, 200) });
    const result = await clock.during(copy, [source, destination]);
    assertComplete(result, destination, stored);
    const refused = destination.requestsOf('write').filter(({ status }) => status === 429);
    assert.ok(refused.length > 0 && refused.length <= 20, `${refused.length} times 429`);
    const later = destination.requestsOf('write').slice(-10);
    assert.ok(
      later.every(({ samples }) => samples <= 40),
      'remembered',
    );
  });

  it('that is temporary does not reduce requests permanently', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(cortex());
    let writes = 0;
    destination.onRequest = ({ kind, isMark }) =>
      kind === 'write' && !isMark && ++writes === 3
        ? { status: 429, headers: { 'retry-after': '1' }, body: 'ingestion rate limit exceeded' }
        : undefined;
    const result = await run(planFor({ source, destination }, { limits: { samplesPerWrite: 60 } }));
    assertComplete(result, destination, stored);
    assert.equal(
      Math.max(
        ...destination
          .requestsOf('write')
          .slice(3)
          .map(({ samples }) => samples),
      ),
      60,
    );
  });
});

describe('a request limit in Thanos Receive', () => {
  for (const limit of [{ maxRequestBytes: 600 }, { maxRequestSamples: 40 }, { maxRequestSeries: 2 }]) {
    it(`${JSON.stringify(limit)} makes requests smaller`, async () => {
      await using source = await prometheusWith();
      await using destination = await startFakeStore(thanos(limit));
      const result = await run(
        planFor({ source, destination }, { protocol: 'PromQL', limits: { samplesPerWrite: 100 } }),
      );
      assertComplete(result, destination, testSeries());
      const refused = destination.requestsOf('write').filter(({ status }) => status === 413);
      assert.ok(refused.length > 0 && refused.length < 40, `${refused.length} times 413`);
    });
  }
});

describe('the ingestion rate of Cortex', () => {
  const rate = 500;
  const series: Series[] = Array.from({ length: 24 }, (_, i) => ({
    labels: [
      ['__name__', 'm'],
      ['instance', `host-${i}`],
    ] as const,
    samples: Array.from({ length: 3600 }, (_, k) => ({ timeMs: epochMs + k * 1000, bits: bitsOf(k) })),
    histograms: [],
  }));

  for (const [name, hasText] of [
    ['that its text states', true],
    ['behind a proxy that replaces the text', false],
  ] as const) {
    it(`${name} is used to at least 85 %, with few refusals, and shown`, async () => {
      await using source = await prometheusWith(series);
      const clock = new IdleClock({ nowMs: epochMs + 30 * dayMs });
      const behaviour = cortex({ ingestionRate: rate, ingestionBurst: 2 * rate, retryAfterSeconds: 5 });
      await using destination = await startFakeStore(behaviour, { now: () => clock.now() });
      const cameAtMs = new Map<StoreRequest, number>();
      destination.onRequest = (request) => {
        if (request.kind !== 'write' || request.isMark) return undefined;
        cameAtMs.set(request, clock.now());
        return hasText ? undefined : { damage: () => Buffer.from('too many requests') };
      };
      const observer = new RecordingObserver();
      const held: number[] = [];
      observer.onProgress = ({ heldBy }) => heldBy && held.push(heldBy.samplesPerSecond);
      const plan = planFor({ source, destination }, { limits: { samplesPerWrite: 200, inFlightWrites: 4 } });
      const result = await clock.during(run(plan, { clock, observer }), [source, destination]);
      assertComplete(result, destination, series);
      const writes = [...cameAtMs];
      const refused = writes.filter(([{ status }]) => status === 429);
      const firstMs = refused[0]?.[1] ?? 0;
      const lastMs = clock.now();
      const accepted = writes.filter(([{ status }, atMs]) => status === 200 && atMs > firstMs);
      const share = accepted.reduce((sum, [{ samples }]) => sum + samples, 0) / ((rate * (lastMs - firstMs)) / 1000);
      assert.ok(lastMs - firstMs > 1.5 * minuteMs, `${lastMs - firstMs} ms`);
      assert.ok(share >= 0.85, `${share} of the rate, ${refused.length} refusals`);
      assert.ok(refused.length < 40, `${refused.length} refusals`);
      const usual = held.sort((a, b) => a - b)[held.length >> 1] ?? 0;
      assert.ok(usual > rate * 0.85 && usual < rate * 1.15, `${usual} is shown`);
      assert.equal(result.progress.heldBy, undefined);
    });
  }
});
