// Sources without remote_read: VictoriaMetrics by its exports, and any query API by range selectors. The truth is what an independent reader
// finds in the source.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBlocksExactly } from '../support/blocks.ts';
import { generateDataset, PLAIN_KINDS } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../support/readers.ts';
import { countSamples, NAN, type SeriesSet, STALE_MARKER } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { assertAllWritten, assertEqualSeries, assertExit, withoutProgress } from './support/expectations.ts';
import { type MigrationSpec, runMigration } from './support/migration.ts';
import { range, toPrometheus, toVictoriaMetrics } from './support/pairs.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 2, 1, 7, 13, 0, 417);
const endMs = startMs + 8 * HOUR_MS;

function specOf(source: MigrationSpec, destination: MigrationSpec): MigrationSpec {
  return { source, destination, timeRange: range(startMs - 40 * HOUR_MS, endMs) };
}

describe('a source without remote_read', () => {
  const data = generateDataset({ series: 600, startMs, endMs, kinds: [...PLAIN_KINDS, 'utf8-names'] });

  describe('VictoriaMetrics', () => {
    let source: ServerProcess;
    let stored: SeriesSet;

    before(async () => {
      source = await startVictoriaMetrics();
      await pushSamples(`${source.url}/api/v1/write`, data);
      stored = await exportVictoriaMetrics(source.url);
      assert.ok(countSamples(stored) >= 1_000_000, `${countSamples(stored)} samples are too few`);
    });

    after(async () => source?.[Symbol.asyncDispose]());

    it('is copied to Prometheus, value by value as its export shows them', async () => {
      await using destination = await startPrometheus({ version: '3.5', receiver: true });
      const spec = specOf({ protocol: 'VictoriaMetrics', url: source.url }, toPrometheus(destination));
      const run = await runMigration(spec);
      assertExit(run, 0);
      const there = withoutProgress(await dumpPrometheus(destination));
      // JSON shows every NaN alike; which of them are stale markers is known from what was written.
      assertEqualSeries(mapBits(stored, asNormalNan), mapBits(there, asNormalNan), 'bits');
      assert.equal(countBits(there, STALE_MARKER), countBits(stored, NAN_OF_EXPORT), 'stale markers');
    });

    it('is copied to VictoriaMetrics', async () => {
      await using destination = await startVictoriaMetrics();
      const spec = specOf({ protocol: 'VictoriaMetrics', url: source.url }, toVictoriaMetrics(destination));
      const run = await runMigration(spec);
      assertExit(run, 0);
      // The destination stores decimals of its own.
      const there = withoutProgress(await exportVictoriaMetrics(destination.url));
      assertEqualSeries(stored, there, 'relative-1e-11');
    });
  });

  describe('a query API', () => {
    let dataDir: string;

    before(async () => {
      dataDir = await mkdtemp(join(tmpdir(), 'prom-migrator-promql-'));
      await writeBlocksExactly(data, dataDir);
    });

    after(async () => rm(dataDir, { recursive: true, force: true }));

    it('is copied to Prometheus, but for stale markers', async () => {
      await using source = await startPrometheus({ version: '3.5', dataDir });
      await using destination = await startPrometheus({ version: '3.5', receiver: true });
      const run = await runMigration(specOf({ protocol: 'PromQL', url: source.url }, toPrometheus(destination)));
      assertExit(run, 0);
      const shown = withoutStaleMarkers(await dumpPrometheus(source));
      assertAllWritten(run.result, shown);
      const there = withoutProgress(await dumpPrometheus(destination));
      assertEqualSeries(mapBits(shown, asNormalNan), there, 'bits');
    });
  });
});

/** The reader's, for a JSON null. */
const NAN_OF_EXPORT = 0x7ff8000000000000n;

const isNaNBits = (bits: bigint) =>
  (bits & 0x7ff0000000000000n) === 0x7ff0000000000000n && (bits & 0xfffffffffffffn) !== 0n;
const asNormalNan = (bits: bigint) => (isNaNBits(bits) ? NAN : bits);

function mapBits(set: SeriesSet, change: (bits: bigint) => bigint): SeriesSet {
  return new Map([...set].map(([key, series]) => [key, { ...series, bits: series.bits.map(change) }]));
}

function countBits(set: SeriesSet, wanted: bigint): number {
  let count = 0;
  for (const { bits } of set.values()) for (const one of bits) if (one === wanted) count++;
  return count;
}

/** Without series that have nothing else. */
function withoutStaleMarkers(set: SeriesSet): SeriesSet {
  const left: SeriesSet = new Map();
  for (const [key, series] of set) {
    const isKept = (_: unknown, i: number) => series.bits[i] !== STALE_MARKER;
    const timesMs = series.timesMs.filter(isKept);
    if (timesMs.length > 0) left.set(key, { ...series, timesMs, bits: series.bits.filter(isKept) });
  }
  return left;
}
