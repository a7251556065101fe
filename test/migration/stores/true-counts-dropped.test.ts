// Destinations that acknowledge samples and drop them: an HA tracker that follows another replica, and native histograms without support
// for them. Whole migrations; every count is compared with the contents of the store.

import assert from 'node:assert/strict';
import { cortex } from '../../support/stores/cortex.ts';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import { encodeHistogram } from '../../support/stores/messages.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { promscale } from '../../support/stores/promscale.ts';
import { epochMs, hourMs } from '../support/plan.ts';
import type { Series } from '../support/remote-messages.ts';
import {
  type Changes,
  seriesOf,
  data,
  samples,
  sourceWith,
  migrate,
  rejected,
  assertTrueCounts,
  everyThird,
} from './support/true-counts.ts';

describe('a destination whose HA tracker follows another replica', () => {
  const replica = data.map((one) => ({
    ...one,
    labels: [['__name__', 'metric'], ['__replica__', 'r2'], ['cluster', 'c'], ...one.labels.slice(1)] as const,
  }));

  it('counts the samples that it drops with a 202 as rejected', async () => {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      await using source = await sourceWith(replica);
      await using destination = await startFakeStore(cortex({ electedReplica: 'r1' }));
      const result = await migrate({ source, destination }, { rejectedSamples: 'Skip', protocol });
      assertTrueCounts(result, destination, replica);
      assert.deepEqual(result.progress.samplesRejected, { ha_tracker: samples });
      assert.match(result.observer.all('rejected')[0]?.response ?? '', /replicas did not match/);
    }
  });

  it('ends the migration with the setting to change', async () => {
    await using source = await sourceWith(replica);
    await using destination = await startFakeStore(cortex({ electedReplica: 'r1' }));
    const { error } = await migrate({ source, destination });
    assert.equal(error?.code, 'samples-rejected');
    assert.match(error?.message ?? '', /replicas did not match/);
    assert.match(error?.hint ?? '', /spec\.relabelings/);
  });

  it('reports a bound when it cannot be read back', async () => {
    await using source = await sourceWith(replica);
    await using destination = await startFakeStore(cortex({ electedReplica: 'r1' }));
    const { progress } = await migrate({ source, destination }, { rejectedSamples: 'Skip', protocol: 'None' });
    assert.deepEqual(progress.samplesRejected, { ha_tracker: samples });
    assert.equal(progress.samplesRejectedUnproven, samples);
  });

  it('is not suspected when a 202 stores everything', async () => {
    for (const protocol of ['RemoteRead', 'PromQL', 'None'] as const) {
      await using source = await sourceWith();
      await using destination = await startFakeStore(prometheus());
      everyThird(destination, { status: 202, commits: true });
      const result = await migrate({ source, destination }, { protocol });
      assertTrueCounts(result, destination);
      assert.equal(rejected(result), 0);
      assert.equal(result.observer.warnings().includes('accepted-not-read-back'), protocol === 'None');
    }
  });
});

describe('native histograms', () => {
  const histograms: Series[] = seriesOf(2, epochMs, epochMs + hourMs, 'latency').map(({ labels, samples: times }) => ({
    labels,
    samples: [],
    histograms: times.map(({ timeMs }) => ({
      timeMs,
      message: encodeHistogram({ countInt: 1, sum: 1, zeroCountInt: 1, timestamp: timeMs }),
    })),
  }));
  const mixed = [...data, ...histograms];
  const droppers: Record<string, [behaviour: () => Behaviour, protocol: 'RemoteRead' | 'PromQL']> = {
    Cortex: [() => cortex(), 'RemoteRead'],
    'Cortex by PromQL': [() => cortex(), 'PromQL'],
    Promscale: [() => promscale(), 'RemoteRead'],
  };
  for (const [name, [behaviour, protocol]] of Object.entries(droppers)) {
    for (const ordering of ['InOrder', 'Any'] as const) {
      for (const series of [mixed, histograms]) {
        it(`that are dropped with a 2xx count as rejected: ${name}, ${ordering}, ${series.length} series`, async () => {
          await using source = await sourceWith(series);
          await using destination = await startFakeStore(behaviour());
          const changes: Changes = { protocol, destination: { ordering }, rejectedSamples: 'Skip' };
          const result = await migrate({ source, destination }, changes);
          assertTrueCounts(result, destination, series);
          assert.deepEqual(result.progress.samplesRejected, { histograms_dropped: 480 });
          const marks = destination.marks().filter(({ labels }) => labels['count'] === undefined);
          assert.equal(marks.at(-1)?.value, series === mixed ? samples : 0, 'no mark counts them');
        });
      }
    }
  }

  it('that are dropped end the migration with the setting to change, before the window is marked', async () => {
    await using source = await sourceWith(mixed);
    await using destination = await startFakeStore(cortex());
    const { error } = await migrate({ source, destination });
    assert.equal(error?.code, 'samples-rejected');
    assert.match(error?.hint ?? '', /enable_native_histograms/);
    assert.deepEqual(destination.marks(), []);
  });

  it('that are stored count as written', async () => {
    for (const protocol of ['RemoteRead', 'PromQL'] as const) {
      await using source = await sourceWith(mixed);
      await using destination = await startFakeStore(cortex({ nativeHistograms: true }));
      const result = await migrate({ source, destination }, { protocol });
      assertTrueCounts(result, destination, mixed);
      assert.equal(rejected(result), 0);
    }
  });

  it('that cannot be read back count as written, with a warning', async () => {
    for (const protocol of ['RemoteRead', 'None'] as const) {
      await using source = await sourceWith(mixed);
      await using destination = await startFakeStore(cortex({ nativeHistograms: true }));
      destination.onRequest = ({ query }) =>
        query?.matchers.some(({ value }) => value === 'latency') ? { status: 403, body: 'no histograms' } : undefined;
      const result = await migrate({ source, destination }, { protocol });
      assert.equal(result.error, undefined);
      assert.equal(result.progress.samplesWritten, samples + 480);
      assert.ok(result.observer.warnings().includes('histograms-not-checked'));
    }
  });

  it('of which one does not show are not taken for dropped', async () => {
    const others = histograms.map(({ labels, ...samples }) => ({
      ...samples,
      labels: labels.map(([name, value]) => [name, name === '__name__' ? 'size' : value] as const),
    }));
    for (const hidden of ['latency', 'size']) {
      await using source = await sourceWith([...mixed, ...others]);
      await using destination = await startFakeStore(cortex({ nativeHistograms: true }));
      const body = JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [] } });
      const nothing = { status: 200, headers: { 'content-type': 'application/json' }, body };
      destination.onRequest = ({ promql }) => (promql?.includes(hidden) ? nothing : undefined);
      const result = await migrate({ source, destination }, { protocol: 'PromQL' });
      assert.equal(result.error, undefined);
      assert.equal(result.progress.samplesWritten, samples + 960);
    }
  });
});
