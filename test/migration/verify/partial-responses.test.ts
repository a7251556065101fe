// A destination of several stores, one of which does not respond for a while: its samples are not missing, they were not read.

import assert from 'node:assert/strict';
import { type FakeStore, startFakeStore, type StoreRequest } from '../../support/stores/fake-store.ts';
import type { Fault } from '../../support/stores/faults.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { json } from '../../support/stores/responses.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { epochMs, planFor, RecordingObserver, run } from '../support/plan.ts';
import { bitsOf, type Series } from '../support/remote-messages.ts';
import { verifyRun } from '../support/verify-run.ts';

const series: Series[] = Array.from({ length: 4 }, (_, i) => ({
  labels: [
    ['__name__', 'metric'],
    ['instance', `host-${i}`],
  ] as const,
  samples: Array.from({ length: 120 }, (_, k) => ({ timeMs: epochMs + k * 30_000, bits: bitsOf(i + k / 2) })),
  histograms: [],
}));
const all = 4 * 120;

const warning = 'receive series from Addr: 10.0.0.1:10901: rpc error: code = Unavailable desc = connection refused';
const faults: readonly (readonly [title: string, fault: Fault])[] = [
  ['with a warning', json(200, { status: 'success', data: { resultType: 'matrix', result: [] }, warnings: [warning] })],
  [
    'with an error, as partial_response=false requires',
    json(422, {
      status: 'error',
      errorType: 'execution',
      error: `expanding series: proxy Series(): rpc error: code = Aborted desc = ${warning}`,
    }),
  ],
];

async function stores(): Promise<{ source: FakeStore; destination: FakeStore } & AsyncDisposable> {
  const source = await startFakeStore(prometheus());
  const destination = await startFakeStore(thanos());
  source.put(series);
  return {
    source,
    destination,
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await destination[Symbol.asyncDispose]();
    },
  };
}

/** Resolves when the requests in flight at an abort have arrived. */
async function quiet(store: FakeStore): Promise<void> {
  for (let seen = -1; seen < store.requests.length; ) {
    seen = store.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await store.settled();
  }
}

/** Four of twelve queries in a row. */
function failsAtTimes(fault: Fault): (request: StoreRequest) => Fault | undefined {
  let queries = 0;
  return ({ kind }) => (kind === 'query' && queries++ % 12 < 4 ? fault : undefined);
}

describe('a Thanos of which a part does not respond', () => {
  for (const [title, fault] of faults) {
    it(`is read again by a verification: it responds ${title}`, async () => {
      await using both = await stores();
      const plan = planFor(both, { protocol: 'PromQL' });
      both.destination.put(series);
      both.destination.onRequest = failsAtTimes(fault);
      const { error, verification, observer } = await verifyRun(plan);
      assert.equal(error, undefined);
      assert.deepEqual([verification.samplesCompared, verification.equal, verification.missing], [all, all, 0]);
      assert.ok(observer.all('retry').length >= 3);
      assert.ok(observer.all('retry').every(({ code }) => code === 'partial-response'));
    });

    it(`is read again by a run that resumes: it responds ${title}`, async () => {
      await using both = await stores();
      const { destination } = both;
      const plan = planFor(both, { protocol: 'PromQL', limits: { samplesPerWrite: 30 } });
      const abort = new AbortController();
      destination.onCarriedOut = () => {
        if (destination.requestsOf('write').length === 4) abort.abort();
      };
      await run(plan, { abort: abort.signal });
      await quiet(destination);
      const stored = destination.counts().floats;
      const marked = destination.marks().at(-1)?.value ?? 0;
      assert.ok(stored > marked && stored < all);
      destination.onRequest = failsAtTimes(fault);
      const { error, progress } = await run(plan);
      assert.equal(error, undefined);
      assert.equal(progress.samplesAlreadyPresent, stored - marked);
      assert.deepEqual(destination.counts(), { floats: all, histograms: 0, twice: 0 });
    });
  }

  it('is reported in its own words as long as it never responds completely', async () => {
    await using both = await stores();
    const abort = new AbortController();
    both.destination.onRequest = ({ kind }) => (kind === 'query' ? faults[0]![1] : undefined);
    const observer = new RecordingObserver();
    observer.onEvent = () => observer.all('retry').length >= 5 && abort.abort();
    const { progress } = await run(planFor(both, { protocol: 'PromQL' }), { observer, abort: abort.signal });
    assert.equal(progress.phase, 'Interrupted');
    const { side, code, message } = observer.all('retry').at(-1)!;
    assert.deepEqual([side, code], ['progress', 'partial-response']);
    assert.match(message, /only a part of its storage: receive series from Addr: 10\.0\.0\.1:10901/);
    assert.equal(both.destination.requestsOf('write').length, 0);
  });

  for (const [title, fault] of faults) {
    it(`ends a verification if it stays so for half an hour: it responds ${title}`, async () => {
      await using both = await stores();
      both.destination.put(series);
      // Not the search for marks.
      both.destination.onRequest = ({ promql = '' }) => (promql.includes('=~".+"') ? fault : undefined);
      const { error } = await verifyRun(planFor(both, { protocol: 'PromQL' }));
      assert.deepEqual([error?.code, error?.side], ['partial-response', 'progress']);
      assert.match(error?.message ?? '', /30 minutes.*10\.0\.0\.1:10901/);
      assert.match(error?.hint ?? '', /spec\.destination\.progress\.url/);
    });
  }

  it('ends a copy if it is the source and stays so for half an hour', async () => {
    await using source = await startFakeStore(thanos());
    await using destination = await startFakeStore(prometheus());
    source.put(series);
    source.onRequest = ({ kind }) => (kind === 'read' ? { status: 500, body: warning } : undefined);
    const { error } = await run(planFor({ source, destination }));
    assert.deepEqual([error?.code, error?.side], ['partial-response', 'source']);
    assert.match(error?.message ?? '', /30 minutes.*10\.0\.0\.1:10901/);
    assert.match(error?.hint ?? '', /spec\.source\.url/);
  });
});
