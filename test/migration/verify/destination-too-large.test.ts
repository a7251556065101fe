// A window of the destination that cannot be made small enough: the error names the destination, whatever the source needs.

import assert from 'node:assert/strict';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, planFor } from '../support/plan.ts';
import { bitsOf, type Series } from '../support/remote-messages.ts';
import { verifyRun } from '../support/verify-run.ts';

const memoryBytes = 2 * 1024 * 1024;
const series = regularSeries({ count: 2, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: 60_000 });

/** Another writer's series: its labels alone do not fit. */
const large: Series = {
  labels: [
    ['__name__', 'metric'],
    ['text', 'x'.repeat(memoryBytes)],
  ],
  samples: [{ timeMs: epochMs, bits: bitsOf(1) }],
};

describe('a verification whose destination has a series that does not fit into memory', () => {
  const destinations: readonly (readonly [protocol: 'RemoteRead' | 'PromQL', behaviour: Behaviour])[] = [
    ['RemoteRead', prometheus()],
    ['PromQL', victoriametrics()],
  ];
  for (const [protocol, behaviour] of destinations) {
    it(`names the destination and its part of the memory: ${behaviour.name}`, async () => {
      await using source = await startSource(series);
      await using destination = await startFakeStore(behaviour);
      destination.put([...series, large]);
      const { error } = await verifyRun(planFor({ source, destination }, { protocol, limits: { memoryBytes } }));
      assert.equal(error?.code, 'window-too-large', error?.message ?? '');
      assert.equal(error?.side, 'progress');
      assert.match(error?.message ?? '', /destination/);
      assert.match(error?.message ?? '', /\d{6} bytes/);
      assert.match(error?.hint ?? '', /spec\.limits\.memory/);
      assert.doesNotMatch(`${error?.message} ${error?.hint}`, /source/);
    });
  }

  it('names the source where that does not fit', async () => {
    await using source = await startSource([...series, large]);
    await using destination = await startFakeStore(prometheus());
    const { error } = await verifyRun(planFor({ source, destination }, { limits: { memoryBytes } }));
    assert.deepEqual([error?.code, error?.side], ['window-too-large', 'source']);
  });
});
