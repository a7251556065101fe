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
import { dumpPrometheus } from '../support/readers.ts';
import { countSamples, labelText, type SeriesSet, sortLabels } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus } from '../support/servers.ts';
import {
  externalLabels,
  startQuery,
  startSidecar,
  startStoreGateway,
  type ThanosServer,
  UPLOADABLE,
} from '../support/thanos-servers.ts';
import { assertAllWritten, assertEqualSeries, assertExit, withoutProgress } from './support/expectations.ts';
import { type MigrationSpec, runMigration } from './support/migration.ts';
import { range, toPrometheus } from './support/pairs.ts';

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
    const blocks = (await readdir(dataDir)).filter((name) => existsSync(join(dataDir, name, 'meta.json')));
    for (
      let waitedMs = 0;
      (await readdir(bucket)).filter((name) => blocks.includes(name)).length < blocks.length;
      waitedMs += 500
    ) {
      assert.ok(
        waitedMs < UPLOADS_WITHIN_MS,
        `the Sidecar has uploaded ${await readdir(bucket)} of ${blocks}:\n${sidecar.log()}`,
      );
      await sleep(500);
    }
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
});
