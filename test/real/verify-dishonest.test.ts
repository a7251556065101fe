// Destinations that acknowledge what they do not do: `run` cannot know, `verify` finds out. And one that only shows late what it has stored,
// which is no difference.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { comparedPart, type DataSet, makeDataSet } from '../../verify-faults/data-sets.ts';
import { loadedPrometheus } from '../../verify-faults/sides/prometheus.ts';
import { countSamples, labelText, sortLabels } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { type DishonestReceiver, startDishonestReceiver } from './support/dishonest-receiver.ts';
import { type MigrationSpec, runMigration } from './support/migration.ts';
import { range } from './support/pairs.ts';
import { runVerification, type VerificationRun } from './support/verification.ts';

type Store = 'Prometheus' | 'VictoriaMetrics';

const EVERY = 40_000;
const HIDDEN_MS = 20_000;

/** The dropped or doubled samples as `kind` by the test, and by the verification. */
function assertReported(run: VerificationRun, kind: 'missing' | 'repeated', receiver: DishonestReceiver): void {
  const key = (labels: Parameters<typeof sortLabels>[0], timeMs: number) =>
    `${timeMs} ${labelText(sortLabels(labels))}`;
  const planted = receiver.touched.map(({ labels, timeMs }) => key(labels, timeMs)).sort();
  assert.ok(planted.length >= 3, `the proxy has touched ${planted.length} samples`);
  const reported = run.differences.filter(({ expected }) => expected === undefined);
  assert.deepEqual(reported.map(({ labels, timeMs }) => key(labels, timeMs)).sort(), planted);
  assert.ok(reported.every((difference) => difference.kind === kind));
  const { missing, extra, different, repeated } = run.result;
  const counts = { missing: 0, extra: 0, different: 0, repeated: 0, [kind]: planted.length };
  assert.deepEqual({ missing, extra, different, repeated }, counts);
  assert.equal(run.exitCode, 4, run.stderr);
}

describe('verify behind a destination that is not honest', () => {
  const data = new Map<Store, DataSet>();
  const sources = new Map<Store, ServerProcess>();

  before(async () => {
    for (const store of ['Prometheus', 'VictoriaMetrics'] as const) {
      const size = { size: 'small', shape: 'plain' } as const;
      const set = makeDataSet({ ...size, store: store === 'Prometheus' ? 'prometheus' : 'victoria-metrics' });
      data.set(store, set);
      sources.set(store, await loadedPrometheus(set.source));
    }
  });

  after(async () => {
    for (const source of sources.values()) await source[Symbol.asyncDispose]();
  });

  const dataOf = (store: Store): DataSet => data.get(store) as DataSet;

  function specOf(store: Store, url: string, settle: string): MigrationSpec {
    const { spec, startMs, endMs } = dataOf(store);
    return {
      ...spec,
      source: { url: `${sources.get(store)?.url}/api/v1/read` },
      destination: {
        url: `${url}/api/v1/write`,
        ordering: 'Any',
        progress:
          store === 'Prometheus' ? { protocol: 'RemoteRead', url: `${url}/api/v1/read` } : { protocol: 'PromQL', url },
      },
      timeRange: range(startMs, endMs),
      window: { max: '30m' },
      verification: { settle },
    };
  }

  async function copied(spec: MigrationSpec): Promise<void> {
    const run = await runMigration(spec);
    assert.equal(run.exitCode, 0, run.stderr);
    assert.equal(run.result.phase, 'Succeeded');
  }

  function start(store: Store): Promise<ServerProcess> {
    if (store === 'VictoriaMetrics') return startVictoriaMetrics();
    return startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true, outOfOrderWindow: '100y' });
  }

  for (const store of ['Prometheus', 'VictoriaMetrics'] as const)
    it(`finds every sample that a proxy of ${store} acknowledged and dropped`, async () => {
      await using server = await start(store);
      await using receiver = await startDishonestReceiver({ target: server.url, does: { what: 'drop', every: EVERY } });
      const spec = specOf(store, receiver.url, '3s');
      await copied(spec);
      assertReported(await runVerification(spec), 'missing', receiver);
    });

  it('finds every sample that a proxy of VictoriaMetrics stored twice', async () => {
    await using server = await start('VictoriaMetrics');
    await using receiver = await startDishonestReceiver({ target: server.url, does: { what: 'double', every: EVERY } });
    const spec = specOf('VictoriaMetrics', receiver.url, '3s');
    await copied(spec);
    assertReported(await runVerification(spec), 'repeated', receiver);
  });

  for (const store of ['Prometheus', 'VictoriaMetrics'] as const)
    it(`reports nothing that ${store} shows only 20 s after the first look`, async () => {
      await using server = await start(store);
      const shown = Promise.withResolvers<void>();
      await using receiver = await startDishonestReceiver({
        target: server.url,
        does: { what: 'hide', until: shown.promise },
      });
      await copied(specOf(store, receiver.url, '30s'));
      // Where nothing may settle, the fake is seen through: what was hidden is missing.
      const early = await runVerification(specOf(store, receiver.url, '0s'));
      assert.equal(early.exitCode, 4, early.stderr);
      assert.ok(early.result.missing > 1000, `${early.result.missing} samples were hidden`);

      const before = receiver.reads;
      const verifying = runVerification(specOf(store, receiver.url, '60s'));
      while (receiver.reads === before) await sleep(100);
      await sleep(HIDDEN_MS);
      shown.resolve();
      const run = await verifying;
      const statuses = await receiver.stored();
      assert.ok(
        statuses.every((status) => status === 200 || status === 204),
        `stored: ${statuses}`,
      );
      const { missing, extra, different, repeated, samplesCompared } = run.result;
      assert.deepEqual({ missing, extra, different, repeated }, { missing: 0, extra: 0, different: 0, repeated: 0 });
      assert.equal(run.exitCode, 0, run.stderr);
      assert.equal(samplesCompared, countSamples(comparedPart(dataOf(store).wanted, dataOf(store))));
      assert.deepEqual(
        run.differences.filter(({ expected }) => expected === undefined),
        [],
      );
    });
});
