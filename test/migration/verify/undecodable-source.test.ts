// Series of the source that cannot be read as they are: a chunk that no stream decodes, labels that no receiver accepts.

import assert from 'node:assert/strict';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { encodeXorChunk } from '../../wire/support/chunk-encoder.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, minuteMs, planFor } from '../support/plan.ts';
import { frameOf } from '../support/remote-messages.ts';
import { verifyRun } from '../support/verify-run.ts';

const endMs = epochMs + hourMs;
const series = regularSeries({ count: 4, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });
const all = 4 * 240;
const missingMs = epochMs + 5 * minuteMs;
const stored = series.map((one, i) =>
  i === 1 ? { ...one, samples: one.samples.filter(({ timeMs }) => timeMs !== missingMs) } : one,
);
const contentType = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';

const destinations: readonly (readonly [protocol: 'RemoteRead' | 'PromQL', behaviour: Behaviour])[] = [
  ['RemoteRead', prometheus()],
  ['PromQL', victoriametrics()],
];

for (const [protocol, behaviour] of destinations) {
  describe(`a verification of ${behaviour.name} by ${protocol}`, () => {
    it('ends, although the series that differs is undecodable in every stream', async () => {
      const damaged = series[1]!;
      await using source = await startSource(series);
      await using destination = await startFakeStore(behaviour);
      destination.put(stored);
      let damagedStreams = 0;
      source.onQuery = (query) => {
        if (!query.streamed || query.startMs > missingMs || query.endMs < missingMs) return undefined;
        if (++damagedStreams > 50) return { status: 403, text: 'enough' };
        const chunk = encodeXorChunk(damaged.samples).subarray(0, 25);
        const last = frameOf(damaged.labels, 1, chunk, query.startMs, query.startMs + 1000);
        source.series = series.filter((one) => one !== damaged);
        const { body } = source.response(query);
        source.series = series;
        return { contentType, body: Buffer.concat([body, last]) };
      };
      const { error, verification } = await verifyRun(planFor({ source, destination }, { protocol }));
      assert.equal(error?.code, 'differences-found', error?.message ?? '');
      const { samplesCompared, equal, missing } = verification;
      assert.deepEqual({ samplesCompared, equal, missing }, { samplesCompared: all, equal: all - 1, missing: 1 });
      assert.ok(damagedStreams > 3);
    });

    it('counts a series with two values for a label as one whose labels are invalid', async () => {
      const [first] = series;
      const labels = [...first!.labels, ['zone', 'a'], ['zone', 'b']] as const;
      await using source = await startSource([...series, { ...first!, labels }]);
      await using destination = await startFakeStore(behaviour);
      destination.put(series);
      const { error, verification } = await verifyRun(planFor({ source, destination }, { protocol }));
      assert.equal(error, undefined, error?.message ?? '');
      const { samplesCompared, equal, expected } = verification;
      assert.deepEqual({ samplesCompared, equal }, { samplesCompared: all + 240, equal: all });
      assert.deepEqual(expected, { invalid_labels: 240 });
    });
  });
}
