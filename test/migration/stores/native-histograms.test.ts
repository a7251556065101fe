// Native histograms into stores that reject them, or drop them with a 2xx: they never count as written.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import { m3 } from '../../support/stores/m3.ts';
import { promscale } from '../../support/stores/promscale.ts';
import { planFor, run } from '../support/plan.ts';
import { assertComplete, assertSucceeded, countOf, histogramSeries, prometheusWith } from './support/copies.ts';
import { testSeries } from './support/store-cases.ts';

const histograms = histogramSeries('latency');
const series = [...testSeries(), histograms];
const floats = countOf(testSeries());

const stores: readonly (readonly [string, () => Behaviour, 'InOrder' | 'Any', reason: RegExp])[] = [
  ['Cortex with its setting disabled', () => cortex(), 'InOrder', /^histograms_dropped$/],
  ['Promscale', () => promscale(), 'Any', /^histograms_dropped$/],
  ['M3', () => m3(), 'Any', /./],
];

describe('native histograms', () => {
  for (const [name, open, ordering, reason] of stores) {
    it(`into ${name} count as rejected, and the floats arrive`, async () => {
      await using source = await prometheusWith(series);
      await using destination = await startFakeStore(open());
      const result = await run(
        planFor({ source, destination }, { destination: { ordering }, rejectedSamples: 'Skip' }),
      );
      assertSucceeded(result);
      assert.deepEqual(destination.counts(), { floats, histograms: 0, twice: 0 });
      // M3 keeps the valid part of a request that it rejects; the read-back finds it.
      assert.equal(result.progress.samplesWritten + result.progress.samplesAlreadyPresent, floats);
      const rejected = Object.entries(result.progress.samplesRejected);
      assert.deepEqual(
        rejected.map(([, samples]) => samples),
        [histograms.histograms!.length],
      );
      assert.match(rejected[0]![0], reason);
    });

    it(`into ${name} end a migration with rejectedSamples: Fail`, async () => {
      await using source = await prometheusWith(series);
      await using destination = await startFakeStore(open());
      const { progress, error } = await run(planFor({ source, destination }, { destination: { ordering } }));
      assert.equal(progress.phase, 'Failed');
      assert.equal(error?.side, 'destination');
      assert.equal(destination.marks().length, 0);
    });
  }

  it('into Cortex with its setting enabled arrive bit for bit', async () => {
    await using source = await prometheusWith([histograms]);
    await using destination = await startFakeStore(cortex({ nativeHistograms: true }));
    assertComplete(await run(planFor({ source, destination })), destination, [histograms]);
  });

  it('into Cortex with its setting disabled report the setting', async () => {
    await using source = await prometheusWith(series);
    await using destination = await startFakeStore(cortex());
    const { error } = await run(planFor({ source, destination }));
    assert.match(`${error?.message} ${error?.hint}`, /enable_native_histograms/);
  });
});
