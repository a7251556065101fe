// A few seeds of the fault storm; `npm run storm` runs any number.
import assert from 'node:assert/strict';
import { hasFailed, type SeedEnd, seedLines } from '../../storm/report.ts';
import { runStorm } from '../../storm/storm.ts';

/** VictoriaMetrics, Prometheus with an out-of-order window and newer data, Prometheus in order; each with kills. */
const SEEDS = [7, 8, 17];

describe('a few seeds of the fault storm', () => {
  const ends = new Map<number, SeedEnd>();

  before(async function () {
    this.timeout(600_000);
    for (const end of await runStorm({ seeds: SEEDS })) ends.set('error' in end ? end.seed : end.scenario.seed, end);
  });

  for (const seed of SEEDS) {
    it(`have no lost, duplicate or misreported samples: seed ${seed}`, () => {
      const end = ends.get(seed);
      assert.ok(end !== undefined);
      process.stdout.write(`      ${seedLines(end)}\n`);
      assert.ok(!hasFailed(end) && !('error' in end), seedLines(end));
      assert.ok(
        end.requests.some(({ fault }) => fault !== undefined),
        'faults were injected',
      );
      assert.ok(
        end.runs.some(({ killed }) => killed !== undefined),
        'the process was killed',
      );
      assert.ok(end.found.differences.samplesCompared > 10_000, 'there was something to compare');
    });
  }
});
