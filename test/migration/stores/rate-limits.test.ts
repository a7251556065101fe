// Cortex rejects a request with more samples than its ingestion burst with 429, however long the client waits.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { planFor, run } from '../support/plan.ts';
import { abortAfter, assertComplete, prometheusWith } from './support/copies.ts';
import { changed, testSeries } from './support/store-cases.ts';

const stored = changed(testSeries(), (bits) => (bits === 1n << 63n ? 0n : bits));

describe('a rate limit whose burst is smaller than a request', () => {
  it('makes requests smaller, and is remembered', async () => {
    await using source = await prometheusWith();
    await using destination = await startFakeStore(cortex({ ingestionBurst: 40 }));
    const plan = planFor({ source, destination }, { limits: { samplesPerWrite: 200 } });
    const result = await run(plan, abortAfter(destination, 200));
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
