// Labels whose bytes are not UTF-8: Prometheus responds with 204 and drops the series.

import assert from 'node:assert/strict';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { epochMs, planFor, run } from '../support/plan.ts';
import type { Series } from '../support/remote-messages.ts';
import { assertSucceeded, countOf, prometheusWith } from './support/copies.ts';
import { differences, testSeries } from './support/store-cases.ts';

const brokenLabels: Readonly<Record<string, Series['labels']>> = {
  'in a value': [
    ['__name__', 'metric_0'],
    ['host', 'caf\udce9'],
  ],
  'in a name': [
    ['__name__', 'metric_0'],
    ['h\udcff', 'a'],
  ],
  'in the metric name': [
    ['__name__', 'm\udcc3'],
    ['host', 'a'],
  ],
  'at an end that is cut off': [
    ['__name__', 'metric_0'],
    ['host', 'a\udcf0\udc9f'],
  ],
};
const broken: Series[] = Object.values(brokenLabels).map((labels) => ({
  labels,
  samples: [{ timeMs: epochMs, bits: 1n }],
}));

describe('a label that is not UTF-8', () => {
  for (const samplesOnly of [false, true]) {
    for (const externalLabels of [{}, { cluster: 'eu' }]) {
      it(`counts as rejected, never as written: ${JSON.stringify({ samplesOnly, externalLabels })}`, async () => {
        await using source = await prometheusWith([...testSeries(), ...broken]);
        await using destination = await startFakeStore(prometheus());
        const readMode = samplesOnly ? ('Samples' as const) : ('Auto' as const);
        const result = await run(
          planFor({ source, destination }, { source: { readMode }, externalLabels, rejectedSamples: 'Skip' }),
        );
        assertSucceeded(result);
        assert.deepEqual(result.progress.samplesRejected, { invalid_labels: broken.length });
        assert.equal(destination.counts().floats, countOf(testSeries()));
        assert.equal(result.progress.samplesWritten, destination.counts().floats);
        if (!samplesOnly && !('cluster' in externalLabels))
          assert.deepEqual(differences(destination.series(), testSeries()), []);
      });
    }
  }

  it('ends a migration with rejectedSamples: Fail', async () => {
    await using source = await prometheusWith([...testSeries(), broken[0]!]);
    await using destination = await startFakeStore(prometheus());
    const { error } = await run(planFor({ source, destination }));
    assert.equal(error?.code, 'samples-rejected');
  });
});
