// What limits a verification: a part of the range, and extra samples that nobody asked for.

import assert from 'node:assert/strict';
import { drawFor } from '../../storm/random.ts';
import { checkDestination } from '../../verify-faults/destination-content.ts';
import { alterationOf, KEEPS_EVERYTHING } from '../../verify-faults/edits.ts';
import { Planter } from '../../verify-faults/faults.ts';
import { judge } from '../../verify-faults/judge.ts';
import { type Scenario, specOf } from '../../verify-faults/scenario.ts';
import { type LoadedData, Stores } from '../../verify-faults/stores.ts';
import { countKinds, type Truth } from '../../verify-faults/truth.ts';
import { countSamples, sliceSeries } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { runVerification } from './support/verification.ts';

const SCENARIO: Scenario = {
  seed: 1,
  size: 'small',
  store: 'prometheus',
  shape: 'plain',
  readMode: 'Auto',
  destinationVersion: '3.5',
  cleansTombstones: true,
  window: { max: '30m' },
  memory: '64Mi',
  faults: [],
};

describe('verify, limited', () => {
  const stores = new Stores();
  let loaded: LoadedData;
  let planter: Planter;
  let destination: ServerProcess;

  before(async () => {
    loaded = await stores.get(SCENARIO);
    const { wanted: set, startMs, endMs } = loaded.data;
    planter = new Planter({ set, keeping: KEEPS_EVERYTHING, alterBy: 0, startMs, endMs }, drawFor('options', 1));
    for (const kind of ['sample-dropped', 'timestamp-moved', 'value-altered', 'series-extra'] as const)
      for (let i = 0; i < 12; i++) planter.plant(kind);
    destination = await stores.destination(loaded, SCENARIO, alterationOf(planter.edited(), KEEPS_EVERYTHING));
    await checkDestination(destination, loaded.data, { planted: planter.planted, readMode: 'Auto' });
  });

  after(async () => {
    await destination?.[Symbol.asyncDispose]();
    await stores[Symbol.asyncDispose]();
  });

  const spec = () => specOf(SCENARIO, loaded.data, { source: loaded.source.url, destination: destination.url });

  it('compares the part from --from to --to, and nothing beside it', async () => {
    const truths = planter.planted.flatMap((fault) => fault.truths);
    // Both ends lie at differences: the first is inside, the last is not.
    const times = truths.map(({ timeMs }) => timeMs).sort((a, b) => a - b);
    const fromMs = times[Math.floor(times.length / 4)] ?? 0;
    const toMs = times[Math.floor(times.length / 2)] ?? 0;
    const isInside = ({ timeMs }: Truth) => timeMs >= fromMs && timeMs < toMs;
    const planted = planter.planted.map((fault) => ({ ...fault, truths: fault.truths.filter(isInside) }));
    assert.ok(truths.filter(isInside).length > 5 && truths.filter(isInside).length < truths.length / 2);

    const args = ['--from', new Date(fromMs).toISOString(), '--to', new Date(toMs).toISOString()];
    const run = await runVerification(spec(), { args });
    const samples = countSamples(sliceSeries(loaded.data.wanted, fromMs, toMs));
    assert.deepEqual(judge({ run, planted, samples, expected: {}, showsBits: true }).findings, []);
    assert.equal(run.result.through, new Date(toMs).toISOString());
  });

  it('does not look for extra samples with onExtra Ignore', async () => {
    const planted = planter.planted.map((fault) => ({
      ...fault,
      truths: fault.truths.filter(({ kind }) => kind !== 'extra'),
    }));
    assert.ok(countKinds(planter.planted.flatMap(({ truths }) => truths)).extra > 20);
    const run = await runVerification({ ...spec(), verification: { settle: '1s', onExtra: 'Ignore' } });
    const { samples } = loaded;
    assert.deepEqual(judge({ run, planted, samples, expected: {}, showsBits: true }).findings, []);
  });
});
