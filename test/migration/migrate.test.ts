// Whole runs of the engine over real HTTP, against servers that behave.
import assert from 'node:assert/strict';
import { regularSeries, startSource } from './support/fake-source.ts';
import { startDestination } from './support/fake-destination.ts';
import { epochMs, hourMs, planFor, run, unaccounted } from './support/plan.ts';
import { type Series } from './support/remote-messages.ts';

/** What [fromMs, toMs) of these series looks like in a destination. */
export function expected(series: readonly Series[], fromMs: number, toMs: number): Series[] {
  return series.map(({ labels, samples, histograms = [] }) => ({
    labels,
    samples: samples.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs),
    histograms: histograms.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs),
  }));
}

describe('a migration', () => {
  for (const protocol of ['RemoteRead', 'PromQL', 'None'] as const) {
    it(`copies everything in the half open range, with progress by ${protocol}`, async () => {
      const series = regularSeries({ count: 5, fromMs: epochMs - hourMs, toMs: epochMs + 2 * hourMs, stepMs: 15_000 });
      await using source = await startSource(series);
      await using destination = await startDestination();
      const { progress, error } = await run(planFor({ source, destination }, { protocol }));
      assert.equal(error, undefined);
      assert.equal(progress.phase, 'Succeeded');
      assert.deepEqual(destination.contents(), expected(series, epochMs, epochMs + hourMs));
      assert.equal(progress.samplesWritten, 5 * 240);
      assert.equal(unaccounted(progress), 0);
    });
  }
});
