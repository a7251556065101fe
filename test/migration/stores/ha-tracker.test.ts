// Cortex responds with 202 when its HA tracker follows another replica and has dropped the whole request.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { planFor, run } from '../support/plan.ts';
import type { Series } from '../support/remote-messages.ts';
import { assertComplete, assertSucceeded, countOf, prometheusWith } from './support/copies.ts';
import { testSeries } from './support/store-cases.ts';

const replicaOf = (replica: string): Series[] =>
  testSeries().map((series) => ({
    ...series,
    labels: [...series.labels, ['cluster', 'c'], ['__replica__', replica]],
  }));
const samples = countOf(testSeries());

describe('samples that an HA tracker drops with a 202', () => {
  for (const protocol of ['RemoteRead', 'PromQL'] as const) {
    it(`count as rejected when ${protocol} does not show them`, async () => {
      await using source = await prometheusWith(replicaOf('r2'));
      await using destination = await startFakeStore(cortex({ electedReplica: 'r1' }));
      const result = await run(planFor({ source, destination }, { protocol, rejectedSamples: 'Skip' }));
      assertSucceeded(result);
      assert.equal(result.progress.samplesWritten, 0);
      assert.deepEqual(result.progress.samplesRejected, { ha_tracker: samples });
      assert.deepEqual(destination.series(), []);
    });
  }

  it('end a migration with rejectedSamples: Fail, before a mark covers them', async () => {
    await using source = await prometheusWith(replicaOf('r2'));
    await using destination = await startFakeStore(cortex({ electedReplica: 'r1' }));
    const { progress, error } = await run(planFor({ source, destination }));
    assert.equal(progress.phase, 'Failed');
    assert.equal(error?.side, 'destination');
    assert.match(`${error?.message} ${error?.hint}`, /replica/);
    assert.deepEqual(destination.marks(), []);
  });

  it('arrive from the replica that it follows', async () => {
    await using source = await prometheusWith(replicaOf('r1'));
    await using destination = await startFakeStore(cortex({ electedReplica: 'r1' }));
    const result = await run(planFor({ source, destination }));
    const due = testSeries().map((series) => ({
      ...series,
      labels: [...series.labels, ['cluster', 'c'] as const].sort(([a], [b]) => (a < b ? -1 : 1)),
    }));
    // -0 becomes +0 in Cortex.
    assertComplete(
      result,
      destination,
      due.map((one) => ({
        ...one,
        samples: one.samples.map((s) => ({ ...s, bits: s.bits === 1n << 63n ? 0n : s.bits })),
      })),
    );
  });
});
