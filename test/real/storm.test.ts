// A few seeds of the fault storm; `npm run storm` runs as many as one likes.
import assert from 'node:assert/strict';
import { hasFailed, type SeedEnd, seedLines } from '../../storm/report.ts';
import { runStorm } from '../../storm/storm.ts';

/** One each: Prometheus in order, Prometheus out of order, VictoriaMetrics in order and in any order; with kills. */
const SEEDS = [15, 23, 26, 31];

describe('a few seeds of the fault storm', () => {
  const ends = new Map<number, SeedEnd>();

  before(async () => {
    for (const end of await runStorm({ seeds: SEEDS })) ends.set('error' in end ? end.seed : end.scenario.seed, end);
  });

  for (const seed of SEEDS) {
    it(`nothing is lost, doubled or misreported in seed ${seed}`, () => {
      const end = ends.get(seed);
      assert.ok(end !== undefined);
      process.stdout.write(`      ${seedLines(end)}\n`);
      assert.ok(!hasFailed(end) && !('error' in end), seedLines(end));
      assert.ok(
        end.requests.some(({ fault }) => fault !== undefined),
        'faults were injected',
      );
      assert.ok(end.found.differences.samplesCompared > 10_000, 'there was something to compare');
    });
  }
});
