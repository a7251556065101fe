// A few seeds of planted faults in small data; `npm run verify-faults` runs as many as one likes in data of the real size.
import assert from 'node:assert/strict';
import { hasFailed, type SeedEnd, seedLines } from '../../verify-faults/report.ts';
import { runSeeds } from '../../verify-faults/run-seeds.ts';
import { drawScenario, type Scenario } from '../../verify-faults/scenario.ts';
import type { Store } from '../../verify-faults/data-sets.ts';

/** All kinds of faults at once, with every shape of data and every way to read it. */
const SEEDS: readonly [seed: number, store: Store, what: string, parallelism?: number][] = [
  [4, 'prometheus', 'Prometheus'],
  [18, 'prometheus', 'Prometheus, a source that gives plain samples'],
  [14, 'prometheus', 'Prometheus, relabelled'],
  [4, 'victoria-metrics', 'VictoriaMetrics'],
  [14, 'victoria-metrics', 'VictoriaMetrics, relabelled'],
  [6, 'prometheus', 'Prometheus, in stretches', 4],
  [6, 'victoria-metrics', 'VictoriaMetrics, in stretches', 4],
];

describe('verify finds every planted fault and invents none', () => {
  const ends = new Map<string, SeedEnd>();
  const keyOf = (seed: number, store: Store) => `${seed} ${store}`;

  before(async function () {
    this.timeout(600_000);
    const scenarios = SEEDS.map(
      ([seed, store, , parallelism]): Scenario =>
        drawScenario(seed, { store, size: 'small', ...(parallelism !== undefined && { parallelism }) }),
    );
    const ended = await runSeeds(scenarios);
    for (const [i, [seed, store]] of SEEDS.entries()) {
      const end = ended[i];
      if (end !== undefined) ends.set(keyOf(seed, store), end);
    }
  });

  for (const [seed, store, what] of SEEDS)
    it(`${what} (seed ${seed})`, () => {
      const end = ends.get(keyOf(seed, store));
      assert.ok(end !== undefined);
      process.stdout.write(`      ${seedLines(end)}\n`);
      assert.ok(!hasFailed(end) && !('error' in end), seedLines(end));
      assert.ok(end.planted.length > 10 && end.run.result.samplesCompared > 100_000);
    });
});
