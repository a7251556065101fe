// Thanos as a source through its StoreAPI: a gRPC server of the tests serves the chunks of a real Prometheus the way the StoreAPI is documented.
// The truth is what an independent reader finds in that Prometheus.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBlocksExactly } from '../support/blocks.ts';
import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS } from '../support/dataset.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../support/readers.ts';
import { compareSeries, keptByVictoriaMetrics } from '../support/series-comparison.ts';
import { countSamples, type SeriesSet } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { type BlocksOptions, blocksOf } from '../support/thanos-blocks.ts';
import { StoreFailure, startStoreServer } from '../support/thanos-store.ts';
import { assertAllWritten, assertEqualSeries, assertExit, withoutProgress } from './support/expectations.ts';
import { type MigrationSpec, runMigration, startMigration } from './support/migration.ts';
import { range, toPrometheus, toVictoriaMetrics } from './support/pairs.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 2, 1, 7, 13, 0, 417);
const endMs = startMs + 8 * HOUR_MS;

const REPLICAS = [
  { name: 'replica', value: 'a' },
  { name: 'replica', value: 'b' },
];

describe('a Thanos store as a source', () => {
  const kinds = [...PLAIN_KINDS, ...HISTOGRAM_KINDS, 'custom-bucket-histogram', 'utf8-names'] as const;
  const data = generateDataset({ series: 160, startMs, endMs, kinds });
  let dataDir: string;
  let prometheus: ServerProcess;
  let stored: SeriesSet;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'prom-migrator-thanos-'));
    await writeBlocksExactly(data, dataDir);
    prometheus = await startPrometheus({ version: '3.5', dataDir });
    stored = await dumpPrometheus(prometheus);
    assert.ok(countSamples(stored) >= 300_000, `${countSamples(stored)} samples are too few`);
  });

  after(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true, force: true });
  });

  const storeOf = (options?: BlocksOptions) => startStoreServer(blocksOf(prometheus.url, options));
  const specOf = (url: string, destination: MigrationSpec, more: MigrationSpec = {}): MigrationSpec => ({
    source: { protocol: 'ThanosStore', url, ...(more['source'] as object | undefined) },
    destination,
    timeRange: range(startMs - 40 * HOUR_MS, endMs),
    ...('window' in more && { window: more['window'] }),
    ...('limits' in more && { limits: more['limits'] }),
    ...('verification' in more && { verification: more['verification'] }),
  });

  it('is copied to Prometheus bit for bit, histograms included, and verified', async () => {
    await using store = await storeOf();
    await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    const run = await runMigration(specOf(store.url, toPrometheus(destination), { verification: { mode: 'Full' } }));
    assertExit(run, 0);
    assertAllWritten(run.result, stored);
    assertEqualSeries(stored, withoutProgress(await dumpPrometheus(destination)), 'bits');
    assert.ok(store.requests.every((one) => one.partial_response_strategy === 1 && one.partial_response_disabled));
  });

  it('is copied to VictoriaMetrics', async () => {
    await using store = await storeOf();
    await using destination = await startVictoriaMetrics();
    const run = await runMigration(specOf(store.url, toVictoriaMetrics(destination)));
    assertExit(run, 0);
    assertAllWritten(run.result, stored);
    const floats: SeriesSet = new Map([...stored].filter(([, { histograms }]) => histograms.length === 0));
    const there = withoutProgress(await exportVictoriaMetrics(destination.url));
    const shown: SeriesSet = new Map([...there].filter(([key]) => floats.has(key)));
    assertEqualSeries(keptByVictoriaMetrics(floats), shown, 'relative-1e-11');
  });

  for (const honoursReplicaLabels of [true, false]) {
    it(`has every sample of two replicas once, if it ${honoursReplicaLabels ? 'leaves out' : 'does not know about'} their label`, async () => {
      await using store = await storeOf({ replicas: REPLICAS, honoursReplicaLabels });
      await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
      const source = { replicaLabels: ['replica'] };
      const run = await runMigration(specOf(store.url, toPrometheus(destination), { source }));
      assertExit(run, 0);
      assertAllWritten(run.result, stored);
      assertEqualSeries(stored, withoutProgress(await dumpPrometheus(destination)), 'bits');
    });
  }

  it('is copied although its streams break, report partial data, and exceed its limits', async () => {
    let failures = 0;
    const before: BlocksOptions['before'] = async (count, request, stream) => {
      if (request.skip_chunks || count !== 100 || failures >= 6) return;
      failures++;
      if (failures % 3 === 0) await stream.send({ warning: 'receive series from store-1: context deadline exceeded' });
      if (failures % 3 === 1) throw new StoreFailure('UNAVAILABLE', 'the store is shutting down');
      if (failures % 3 === 2) throw new StoreFailure('ABORTED', 'fetch series for block 01: timeout');
    };
    await using store = await storeOf({ before, maxSeries: 400, maxBytes: 600_000 });
    await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    const run = await runMigration(specOf(store.url, toPrometheus(destination)));
    assertExit(run, 0);
    assert.equal(failures, 6);
    assertAllWritten(run.result, stored);
    assertEqualSeries(stored, withoutProgress(await dumpPrometheus(destination)), 'bits');
  });

  it('is copied completely after a SIGKILL, each sample once', async () => {
    const { promise: isUnderWay, resolve } = Promise.withResolvers<void>();
    const before: BlocksOptions['before'] = (_, { min_time: minMs }) => {
      if (minMs >= startMs + 3 * HOUR_MS) resolve();
    };
    await using store = await storeOf({ before });
    await using destination = await startVictoriaMetrics();
    const spec = specOf(store.url, toVictoriaMetrics(destination), { window: { max: '30m' } });
    {
      await using migration = await startMigration({ ...spec, limits: { samplesPerSecond: 20_000 } });
      await Promise.race([isUnderWay, migration.ended]);
      migration.child.kill('SIGKILL');
      assert.equal((await migration.ended).exitSignal, 'SIGKILL');
    }
    const run = await runMigration(spec);
    assertExit(run, 0);
    assert.notEqual(run.result.resumedFrom, null);
    const floats: SeriesSet = new Map([...stored].filter(([, { histograms }]) => histograms.length === 0));
    const there = withoutProgress(await exportVictoriaMetrics(destination.url));
    const shown: SeriesSet = new Map([...there].filter(([key]) => floats.has(key)));
    const { differences, first } = compareSeries(keptByVictoriaMetrics(floats), shown, { values: 'relative-1e-11' });
    assert.equal(differences, 0, `${first}`);
  });

  it('reports a range of which only downsampled blocks are left', async () => {
    const rawFromMs = Math.ceil(startMs / (2 * HOUR_MS)) * 2 * HOUR_MS + 2 * HOUR_MS;
    await using store = await storeOf({ rawFromMs });
    await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    const run = await runMigration(specOf(store.url, toPrometheus(destination)));
    assertExit(run, 0);
    assert.match(run.stderr, /only downsampled blocks.*code=only-downsampled/);
    assert.match(run.stderr, new RegExp(`to ${new Date(rawFromMs).toISOString()}`));
  });
});
