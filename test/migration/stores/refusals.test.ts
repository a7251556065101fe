// Responses of stores that neither a retry nor a smaller request changes: the migration ends quickly, and reports what to do.

import assert from 'node:assert/strict';
import { secretValues } from '../../support/secrets.ts';
import { cortex } from '../../support/stores/cortex.ts';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { promscale } from '../../support/stores/promscale.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { endpoint, epochMs, planFor, run } from '../support/plan.ts';
import type { Series } from '../support/remote-messages.ts';
import { verifyRun } from '../support/verify-run.ts';
import {
  abortAfter,
  assertComplete,
  assertSucceeded,
  countOf,
  histogramSeries,
  prometheusWith,
} from './support/copies.ts';
import { changed, testSeries } from './support/store-cases.ts';

describe('a rejected request', () => {
  it('for native histograms by thanos-remote-read ends the migration quickly', async () => {
    await using source = await startFakeStore(thanos());
    source.put([...testSeries(), histogramSeries('latency')]);
    await using destination = await startFakeStore(prometheus());
    const { progress, error } = await run(planFor({ source, destination }), abortAfter(source, 100));
    assert.equal(progress.phase, 'Failed');
    assert.equal(error?.side, 'source');
    assert.match(`${error?.message} ${error?.hint}`, /histogram/);
    assert.ok(source.requests.length < 20, `${source.requests.length} requests`);
    assert.deepEqual(destination.marks(), []);
  });

  for (const rejectedSamples of ['Fail', 'Skip'] as const) {
    it(`by Promscale without a tenant does not count rejected samples, with ${rejectedSamples}`, async () => {
      await using source = await prometheusWith();
      await using destination = await startFakeStore(promscale({ multitenancy: true }));
      const { progress, error } = await run(
        planFor({ source, destination }, { rejectedSamples, destination: { ordering: 'Any' } }),
        abortAfter(destination, 100),
      );
      assert.equal(progress.phase, 'Failed');
      assert.equal(error?.side, 'destination');
      assert.match(error?.hint ?? '', /tenant/);
      assert.deepEqual(progress.samplesRejected, {});
      assert.ok(destination.requests.length < 40, `${destination.requests.length} requests`);
    });
  }

  it('by Cortex without a tenant ends the migration quickly', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(cortex({ multitenancy: true }));
    const { error } = await run(planFor({ source, destination }, { protocol: 'None' }));
    assert.equal(error?.code, 'unauthorized');
    assert.ok(destination.requests.length < 5, `${destination.requests.length} requests`);
  });

  it('for new series by Cortex ends the migration, with the limit', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(cortex({ maxSeriesPerUser: 4 }));
    const { error } = await run(planFor({ source, destination }));
    assert.equal(error?.code, 'series-limit');
  });

  it('for queries without a metric name by the chunks storage of Cortex reports the workaround', async () => {
    await using source = await startFakeStore(cortex({ storage: 'chunks' }));
    source.put(testSeries());
    await using destination = await startFakeStore(prometheus());
    const { error } = await run(planFor({ source, destination }));
    assert.deepEqual([error?.code, error?.side], ['metric-name-required', 'source']);
  });

  it('for queries without a metric name does not affect selectors that have one, on either side', async () => {
    await using source = await startFakeStore(cortex({ storage: 'chunks' }));
    source.put(testSeries());
    await using destination = await startFakeStore(cortex({ storage: 'chunks' }));
    const selectors = ['metric_0', 'metric_1'].map((value) => [{ kind: '=', name: '__name__', value } as const]);
    const due = changed(testSeries(), (bits) => (bits === 1n << 63n ? 0n : bits));
    const plan = planFor({ source, destination }, { selectors });
    assertComplete(await run(plan), destination, due);
    const { error, verification } = await verifyRun(plan);
    assert.equal(error, undefined);
    assert.deepEqual([verification.missing, verification.samplesCompared], [0, countOf(due)]);
  });

  it('for queries without a metric name does not affect more than a hundred selectors', async () => {
    const named: Series[] = Array.from({ length: 150 }, (_, i) => ({
      labels: [['__name__', `metric_${i}`]],
      samples: [{ timeMs: epochMs + 1000 * i, bits: 1n }],
      histograms: [],
    }));
    await using source = await startFakeStore(cortex({ storage: 'chunks' }));
    source.put(named);
    await using destination = await startFakeStore(prometheus());
    const selectors = named.map(({ labels }) => [{ kind: '=', name: '__name__', value: labels[0]![1] } as const]);
    assertComplete(await run(planFor({ source, destination }, { selectors })), destination, named);
  });
});

describe('a tenant', () => {
  it('of Cortex receives everything, and no other tenant does', async () => {
    const headers = secretValues({ 'x-scope-orgid': 'team-a' });
    await using source = await prometheusWith();
    await using destination = await startFakeStore(cortex({ multitenancy: true }));
    const plan = planFor({ source, destination }, { destination: { headers } });
    const progress = {
      protocol: 'RemoteRead' as const,
      endpoint: endpoint('progress', destination.readUrl, { headers }),
    };
    assertSucceeded(await run({ ...plan, progress }));
    assert.equal(destination.counts('team-a').floats, 720);
    assert.equal(destination.counts('').floats, 0);
  });

  it('of Promscale is a label that Promscale adds: a resumed migration still recognizes its samples', async () => {
    const headers = secretValues({ tenant: 'team-a' });
    await using source = await prometheusWith();
    await using destination = await startFakeStore(promscale({ multitenancy: true }));
    const plan = {
      ...planFor(
        { source, destination },
        { destination: { headers, ordering: 'Any' }, limits: { samplesPerWrite: 30 } },
      ),
      progress: { protocol: 'RemoteRead' as const, endpoint: endpoint('progress', destination.readUrl, { headers }) },
    };
    const abort = new AbortController();
    destination.onCarriedOut = () => {
      if (destination.requestsOf('write').length === 2) abort.abort();
    };
    await run(plan, { abort: abort.signal });
    await destination.settled();
    const result = await run(plan);
    assertSucceeded(result);
    assert.deepEqual(result.progress.samplesRejected, {});
    assert.ok(result.progress.samplesAlreadyPresent > 0, 'the samples of the first run were found');
    assert.equal(destination.counts().floats, 720);
  });
});
