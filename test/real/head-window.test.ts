// How much older than its newest sample a sample may be for the head of a real Prometheus: what the default length of a window in order rests on.
import assert from 'node:assert/strict';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus } from '../support/readers.ts';
import { countSamples, type SeriesSet } from '../support/series-set.ts';
import { startPrometheus } from '../support/servers.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 5, 1);

function samplesAt(name: string, timesMs: readonly number[]): SeriesSet {
  const labels = [['__name__', name]] as const;
  const bits = BigUint64Array.from(timesMs, (_, i) => BigInt(i));
  const series = {
    labels: [...labels],
    timesMs: Float64Array.from(timesMs),
    bits,
    histogramTimesMs: [],
    histograms: [],
  };
  return new Map([[`{__name__="${name}"}`, series]]);
}

describe('the head of a Prometheus that gets windows of an hour', () => {
  for (const version of ['2.42', '2.53', '3.5']) {
    it(`${version} accepts the first millisecond of a window after the last, across compactions, and nothing older`, async () => {
      await using server = await startPrometheus({ version, receiver: true });
      const url = `${server.url}/api/v1/write`;
      const hours = Array.from({ length: 9 }, (_, hour) => startMs + hour * HOUR_MS);
      for (const hourMs of hours) {
        await pushSamples(url, samplesAt('fast', [hourMs, hourMs + HOUR_MS - 1]));
        await pushSamples(url, samplesAt('slow', [hourMs, hourMs + HOUR_MS - 1]));
      }
      const dumped = await dumpPrometheus(server);
      assert.equal(countSamples(dumped), 4 * hours.length);
      const lastMs = (hours.at(-1) as number) + HOUR_MS - 1;
      await assert.rejects(pushSamples(url, samplesAt('too_slow', [lastMs - HOUR_MS - 1])), /400.*out of bounds/);
    });
  }
});
