// Real components of Thanos: Sidecar, Store Gateway and Query as sources by their StoreAPI, Receive as a destination. The truth is what an
// independent reader finds in the Prometheus whose blocks they serve, and in the data directory of Receive.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeBlocksExactly } from '../support/blocks.ts';
import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS } from '../support/dataset.ts';
import { request } from '../support/http.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus } from '../support/readers.ts';
import { countSamples, labelText, type SeriesSet, sortLabels } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import {
  compactOnce,
  externalLabels,
  startQuery,
  startReceive,
  startSidecar,
  startStoreGateway,
  type ThanosServer,
  UPLOADABLE,
} from '../support/thanos-servers.ts';
import { runCommand } from './support/command.ts';
import { assertAllWritten, assertEqualSeries, assertExit, withoutProgress } from './support/expectations.ts';
import {
  type MigrationSpec,
  manifestOf,
  type RunningMigration,
  runMigration,
  startMigration,
} from './support/migration.ts';
import { fromPrometheus, range, toPrometheus, toVictoriaMetrics } from './support/pairs.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 2, 1, 7, 13, 0, 417);
const endMs = startMs + 8 * HOUR_MS;
const UPLOADS_WITHIN_MS = 60_000;

describe('real components of Thanos as sources', () => {
  const kinds = [...PLAIN_KINDS, ...HISTOGRAM_KINDS, 'custom-bucket-histogram', 'utf8-names'] as const;
  const data = generateDataset({ series: 80, startMs, endMs, kinds });
  let directory: string;
  let bucket: string;
  let prometheus: ServerProcess;
  let sidecar: ThanosServer;
  let gateway: ThanosServer;
  let stored: SeriesSet;

  before(async function () {
    this.timeout(180_000);
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-thanos-'));
    bucket = join(directory, 'bucket');
    const dataDir = join(directory, 'prometheus');
    await mkdir(bucket);
    await writeBlocksExactly(data, dataDir);
    const config = externalLabels({ cluster: 'c1', prometheus_replica: 'a' });
    prometheus = await startPrometheus({ version: '3.5', dataDir, config, extraArgs: UPLOADABLE });
    stored = await dumpPrometheus(prometheus);
    assert.ok(countSamples(stored) >= 150_000, `${countSamples(stored)} samples are too few`);
    sidecar = await startSidecar(prometheus, bucket);
    await uploaded(sidecar, dataDir, bucket);
    gateway = await startStoreGateway(bucket);
  });

  after(async () => {
    await gateway?.[Symbol.asyncDispose]();
    await sidecar?.[Symbol.asyncDispose]();
    await prometheus?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const specOf = (url: string, destination: MigrationSpec, more: MigrationSpec = {}): MigrationSpec => ({
    ...more,
    source: { protocol: 'ThanosStore', url, ...(more['source'] as object | undefined) },
    destination,
    timeRange: range(startMs - 2 * HOUR_MS, endMs),
  });

  const withLabels = (set: SeriesSet, labels: Record<string, string>): SeriesSet =>
    new Map(
      [...set.values()].map((series) => {
        const all = sortLabels([...series.labels, ...Object.entries(labels)]);
        return [labelText(all), { ...series, labels: all }];
      }),
    );

  it('a Sidecar is copied bit for bit, histograms included, and verified', async () => {
    await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    const run = await runMigration(
      specOf(sidecar.storeUrl, toPrometheus(destination), { verification: { mode: 'Full' } }),
    );
    assertExit(run, 0);
    assertAllWritten(run.result, stored);
    const expected = withLabels(stored, { cluster: 'c1', prometheus_replica: 'a' });
    assertEqualSeries(expected, withoutProgress(await dumpPrometheus(destination)), 'bits');
  });

  it('a Store Gateway is copied bit for bit, and verified', async () => {
    await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    const run = await runMigration(
      specOf(gateway.storeUrl, toPrometheus(destination), { verification: { mode: 'Full' } }),
    );
    assertExit(run, 0);
    assertAllWritten(run.result, stored);
    const expected = withLabels(stored, { cluster: 'c1', prometheus_replica: 'a' });
    assertEqualSeries(expected, withoutProgress(await dumpPrometheus(destination)), 'bits');
  });

  it('a Query with both is copied, each sample once', async () => {
    await using query = await startQuery([sidecar, gateway]);
    await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    const run = await runMigration(
      specOf(query.storeUrl, toPrometheus(destination), {
        source: { replicaLabels: ['prometheus_replica'] },
        verification: { mode: 'Full' },
      }),
    );
    assertExit(run, 0);
    const expected = withLabels(stored, { cluster: 'c1' });
    assertEqualSeries(expected, withoutProgress(await dumpPrometheus(destination)), 'bits');
    assertAllWritten(run.result, stored);
  });

  it('a Query that cannot reach one of two Store Gateways is waited for', async () => {
    const middle = new Date(startMs + 4 * HOUR_MS).toISOString();
    await using older = await startStoreGateway(bucket, [`--max-time=${middle}`]);
    await using newer = await startStoreGateway(bucket, [`--min-time=${middle}`]);
    await using query = await startQuery([older, newer]);
    await using destination = await startVictoriaMetrics();
    const spec = specOf(query.storeUrl, toVictoriaMetrics(destination), { window: { max: '30m' } });
    await using migration = await startMigration({ ...spec, limits: { samplesPerSecond: 20_000 } });
    await migration.saying(/samplesWritten|progress|migration started/);
    await older.paused(() => migration.saying(/code=(stores-missing|partial-response|timeout)/));
    const run = await migration.ended;
    assertExit(run, 0);
    assertAllWritten(run.result, stored);
  });

  it('are named by plan', async () => {
    await using query = await startQuery([sidecar, gateway]);
    await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    for (const [server, component] of [
      [sidecar, 'sidecar'],
      [gateway, 'store'],
      [query, 'query'],
    ] as const) {
      const files = {
        'migration.json': JSON.stringify(manifestOf(specOf(server.storeUrl, toPrometheus(destination)))),
      };
      const { stdout, stderr } = await runCommand(['plan', '-f', 'migration.json', '-o', 'json'], { files });
      const { verdict, servers, estimate } = JSON.parse(stdout);
      assert.equal(verdict, 'ready', stderr);
      assert.equal(servers.source.product, 'Thanos');
      assert.equal(servers.source.store.component, component);
      // A Query sends what two stores have of the same series.
      const samples = estimate.samples.value;
      assert.ok(Math.abs(samples / countSamples(stored) - 1) < 0.25, `${component}: ${samples} samples`);
    }
  });
});

describe('a real Store Gateway with downsampled blocks', () => {
  it('reports the range of which only these are left', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-downsampled-'));
    try {
      // A block of two days, the shortest that is downsampled, and a day behind it.
      const fromMs = Math.ceil(startMs / (48 * HOUR_MS)) * 48 * HOUR_MS;
      const toMs = fromMs + 72 * HOUR_MS;
      const data = generateDataset({ series: 6, startMs: fromMs, endMs: toMs, kinds: PLAIN_KINDS, intervalMs: 60_000 });
      const dataDir = join(directory, 'prometheus');
      const bucket = join(directory, 'bucket');
      await mkdir(bucket);
      await writeBlocksExactly(data, dataDir);
      const config = externalLabels({ cluster: 'c1' });
      {
        await using prometheus = await startPrometheus({ version: '3.5', dataDir, config, extraArgs: UPLOADABLE });
        await using sidecar = await startSidecar(prometheus, bucket);
        await uploaded(sidecar, dataDir, bucket);
      }
      await compactOnce(bucket, { rawRetention: '30d' });
      await using gateway = await startStoreGateway(bucket);
      await using destination = await startVictoriaMetrics();
      const run = await runMigration({
        source: { protocol: 'ThanosStore', url: gateway.storeUrl },
        destination: toVictoriaMetrics(destination),
        timeRange: range(fromMs, toMs),
      });
      assertExit(run, 0);
      assert.match(run.stderr, /only downsampled blocks.*code=only-downsampled/);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe('a real Thanos Receive as a destination', () => {
  const data = generateDataset({ series: 40, startMs, endMs, kinds: [...PLAIN_KINDS, ...HISTOGRAM_KINDS] });

  for (const window of ['0s', '100y']) {
    it(`is filled, resumed after a SIGKILL and verified with an out-of-order window of ${window}`, async () => {
      await using source = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
      await pushSamples(`${source.url}/api/v1/write`, data);
      const stored = await dumpPrometheus(source);
      await using receive = await startReceive([
        `--tsdb.out-of-order.time-window=${window}`,
        '--tsdb.enable-native-histograms',
      ]);
      await using query = await startQuery([receive]);
      const isBackfill = window !== '0s';
      const spec: MigrationSpec = {
        source: fromPrometheus(source),
        destination: {
          url: receive.writeUrl,
          ordering: isBackfill ? 'Any' : 'InOrder',
          progress: { protocol: 'PromQL', url: query.url },
        },
        timeRange: range(startMs, endMs),
        window: { max: '30m' },
      };
      {
        await using migration = await startMigration({ ...spec, limits: { samplesPerSecond: 20_000 } });
        await markedIn(query.url, migration);
        migration.child.kill('SIGKILL');
        await migration.ended;
      }
      const run = await runMigration({ ...spec, verification: { mode: 'Full' } });
      assertExit(run, 0);
      assert.notEqual(run.result.resumedFrom, null);
      const there = await dumpPrometheus(join(receive.dataDir, 'default-tenant'));
      assertEqualSeries(stored, withoutProgress(there), 'bits');
    });
  }
});

/** Resolves when the Sidecar has uploaded every block of the data directory. */
async function uploaded(sidecar: ThanosServer, dataDir: string, bucket: string): Promise<void> {
  const blocks = (await readdir(dataDir)).filter((name) => existsSync(join(dataDir, name, 'meta.json')));
  assert.ok(blocks.length > 0);
  for (let waitedMs = 0; ; waitedMs += 500) {
    const there = await readdir(bucket);
    if (blocks.every((name) => there.includes(name))) return;
    assert.ok(
      waitedMs < UPLOADS_WITHIN_MS,
      `${there.length} of ${blocks.length} blocks are uploaded:\n${sidecar.log()}`,
    );
    await sleep(500);
  }
}

/** Resolves when a mark can be read; fails if the migration ends before that. */
async function markedIn(url: string, { ended }: RunningMigration): Promise<void> {
  const query = encodeURIComponent('last_over_time(prom_migrator_progress{probe=""}[10y])');
  for (;;) {
    const { body } = await request(`${url}/api/v1/query?query=${query}`);
    if (body.includes('prom_migrator_progress')) return;
    const end = await Promise.race([ended, sleep(100)]);
    if (end) throw new Error(`the migration ended before its first mark:\n${end.stderr}`);
  }
}
