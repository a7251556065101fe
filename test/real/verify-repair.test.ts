// `verify --repair` after planted faults: the independent readers find no difference any more where it could be repaired, and what could not be
// repaired is left as it was, and named.

import assert from 'node:assert/strict';
import { drawFor } from '../../storm/random.ts';
import { checkDestination } from '../../verify-faults/destination-content.ts';
import { alterationOf, KEEPS_EVERYTHING, VICTORIA_METRICS } from '../../verify-faults/edits.ts';
import { type FaultKind, type PlantedFault, Planter } from '../../verify-faults/faults.ts';
import { type Scenario, specOf } from '../../verify-faults/scenario.ts';
import { type LoadedData, Stores } from '../../verify-faults/stores.ts';
import { countKinds } from '../../verify-faults/truth.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { runVerification, type VerificationRun } from './support/verification.ts';

const BASE: Omit<Scenario, 'store' | 'shape'> = {
  seed: 1,
  size: 'small',
  readMode: 'Auto',
  destinationVersion: '3.5',
  cleansTombstones: false,
  window: { max: '30m' },
  memory: '64Mi',
  faults: [],
};

/** All leave samples that are missing, and nothing else. */
const REPAIRABLE: readonly FaultKind[] = [
  'series-deleted',
  'range-deleted',
  'range-deleted',
  'sample-dropped',
  'sample-dropped',
];
/** What stays: a destination keeps what it has. */
const LEFT_OVER: readonly FaultKind[] = ['value-altered', 'timestamp-moved', 'sample-extra'];

describe('verify --repair', () => {
  const stores = new Stores();
  after(() => stores[Symbol.asyncDispose]());

  function plant({ data }: LoadedData, faults: readonly FaultKind[]): Planter {
    const isExact = data.store === 'prometheus';
    const { wanted: set, startMs, endMs } = data;
    const keeping = isExact ? KEEPS_EVERYTHING : VICTORIA_METRICS;
    const planter = new Planter({ set, keeping, alterBy: isExact ? 0 : 1e-9, startMs, endMs }, drawFor('repair', 1));
    for (const kind of faults) planter.plant(kind);
    return planter;
  }

  async function repaired(
    loaded: LoadedData,
    destination: ServerProcess,
    settings: { scenario: Scenario; args?: readonly string[]; ordering?: string },
  ): Promise<VerificationRun> {
    const { scenario, args = ['--repair'], ordering = 'Any' } = settings;
    const spec = specOf(scenario, loaded.data, { source: loaded.source.url, destination: destination.url });
    return runVerification({ ...spec, destination: { ...spec.destination, ordering } }, { args });
  }

  /** Of a planted fault, what a repair leaves: everything but what was missing. */
  function withoutMissing(planted: readonly PlantedFault[]): PlantedFault[] {
    return planted.map((fault) => ({ ...fault, truths: fault.truths.filter(({ kind }) => kind !== 'missing') }));
  }

  for (const store of ['prometheus', 'victoria-metrics'] as const)
    for (const shape of ['plain', 'relabelled'] as const)
      it(`writes what is missing in ${store} (${shape}), and nothing else`, async () => {
        const scenario: Scenario = { ...BASE, store, shape };
        const loaded = await stores.get(scenario);
        const { readMode } = scenario;
        const stale: readonly FaultKind[] = store === 'victoria-metrics' ? ['stale-marker-became-nan'] : [];
        const planter = plant(loaded, [...REPAIRABLE, ...stale]);
        const alteration = alterationOf(planter.edited(), store === 'prometheus' ? KEEPS_EVERYTHING : VICTORIA_METRICS);
        await using destination = await stores.destination(
          loaded,
          { ...scenario, outOfOrderWindow: '100y' },
          alteration,
        );
        await checkDestination(destination, loaded.data, { planted: planter.planted, readMode });
        const { missing } = countKinds(planter.planted.flatMap(({ truths }) => truths));

        const run = await repaired(loaded, destination, { scenario });
        assert.equal(run.exitCode, 0, run.stderr);
        assert.equal(run.result.repaired, missing);
        assert.deepEqual(
          [run.result.missing, run.result.different, run.result.repeated, run.result.extra],
          [0, 0, 0, 0],
        );
        // The independent readers see the source's samples, each once.
        const expected = await checkDestination(destination, loaded.data, { planted: [], readMode });

        const again = await repaired(loaded, destination, { scenario, args: [] });
        assert.equal(again.exitCode, 0, again.stderr);
        assert.equal(again.result.samplesCompared, loaded.samples);
        const counted = Object.entries(expected).filter(([, count]) => count > 0);
        assert.deepEqual(again.result.expected, Object.fromEntries(counted));
      });

  for (const store of ['prometheus', 'victoria-metrics'] as const)
    it(`leaves in ${store} what is different or extra, and reports it`, async () => {
      const scenario: Scenario = { ...BASE, store, shape: 'plain' };
      const loaded = await stores.get(scenario);
      const planter = plant(loaded, [...REPAIRABLE, ...LEFT_OVER]);
      const alteration = alterationOf(planter.edited(), store === 'prometheus' ? KEEPS_EVERYTHING : VICTORIA_METRICS);
      await using destination = await stores.destination(loaded, { ...scenario, outOfOrderWindow: '100y' }, alteration);
      const planted = countKinds(planter.planted.flatMap(({ truths }) => truths));

      const run = await repaired(loaded, destination, { scenario });
      assert.equal(run.exitCode, 4, run.stderr);
      const { missing, different, extra, repeated } = run.result;
      assert.deepEqual({ missing, different, extra, repeated }, { ...planted, missing: 0 });
      assert.equal(run.result.repaired, planted.missing);
      const left = withoutMissing(planter.planted);
      await checkDestination(destination, loaded.data, { planted: left, readMode: scenario.readMode });
    });

  it('reports what an in-order Prometheus does not accept, with the reason that Prometheus gives', async () => {
    const scenario: Scenario = { ...BASE, store: 'prometheus', shape: 'plain' };
    const loaded = await stores.get(scenario);
    const planter = plant(loaded, REPAIRABLE);
    const alteration = alterationOf(planter.edited(), KEEPS_EVERYTHING);
    await using destination = await stores.destination(loaded, scenario, alteration);
    const { missing } = countKinds(planter.planted.flatMap(({ truths }) => truths));

    const run = await repaired(loaded, destination, { scenario, ordering: 'InOrder' });
    assert.equal(run.exitCode, 4, run.stderr);
    assert.ok(run.result.missing > 0, 'something could not be repaired');
    // A sample of a series that has nothing newer is accepted.
    assert.equal(run.result.missing + run.result.repaired, missing);
    assert.match(run.stderr, /out of (order|bounds)|too old/i);
  });
});
