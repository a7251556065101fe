// Prometheus 3.5 to VictoriaMetrics, with data that migrations have lost before: the source is read by Prometheus' own TSDB library, the
// destination by its export.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeBlocksExactly } from '../support/blocks.ts';
import { generateDataset, PLAIN_KINDS } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../support/readers.ts';
import { keptByVictoriaMetrics } from '../support/series-comparison.ts';
import { countSamples, NAN, type SeriesSet, STALE_MARKER, sliceSeries } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { assertAllWritten, assertEqualSeries, assertExit, withoutProgress } from './support/expectations.ts';
import { type MigrationSpec, runMigration } from './support/migration.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 2, 1, 7, 13, 0, 417);
const endMs = startMs + 8 * HOUR_MS;
/** The migration starts in an empty range that is much longer than the data. */
const askedFromMs = startMs - 20 * 24 * HOUR_MS;

function specOf(source: ServerProcess, destination: ServerProcess): MigrationSpec {
  return {
    source: { url: `${source.url}/api/v1/read` },
    destination: {
      url: `${destination.url}/api/v1/write`,
      progress: { protocol: 'PromQL', url: destination.url },
    },
    timeRange: { start: new Date(askedFromMs).toISOString(), end: new Date(endMs).toISOString() },
  };
}

describe('a migration from Prometheus 3.5 to VictoriaMetrics', () => {
  let directory: string;
  let source: ServerProcess;
  let sourceSeries: SeriesSet;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'prom-migrator-overlap-'));
    const dataDir = join(directory, 'data');
    const generated = generateDataset({ series: 600, startMs, endMs, kinds: [...PLAIN_KINDS, 'utf8-names'] });
    const headFromMs = startMs + 6.5 * HOUR_MS;
    // Three hours of every fifth series are also in a second block, and the newest samples are only in the head.
    const again = new Map([...generated].filter((_, i) => i % 5 === 0));
    await writeBlocksExactly(sliceSeries(generated, startMs, headFromMs), dataDir);
    await writeBlocksExactly(sliceSeries(again, startMs + HOUR_MS, startMs + 4 * HOUR_MS), dataDir);
    source = await startPrometheus({
      version: '3.5',
      receiver: true,
      dataDir,
      extraArgs: ['--no-storage.tsdb.allow-overlapping-compaction'],
    });
    await pushSamples(`${source.url}/api/v1/write`, sliceSeries(generated, headFromMs, endMs));
    sourceSeries = await dumpPrometheus(source);
    assertEqualSeries(generated, sourceSeries, 'bits');
    assert.ok(countSamples(sourceSeries) >= 2_000_000, `${countSamples(sourceSeries)} samples are too few`);
    assertSpecialValues(sourceSeries);
  });

  after(async () => {
    await source?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  for (const readMode of ['Auto', 'Samples'] as const) {
    it(`copies every sample, stale marker and label (readMode ${readMode})`, async () => {
      await using destination = await startVictoriaMetrics();
      const spec = specOf(source, destination);
      const run = await runMigration({ ...spec, source: { ...(spec['source'] as object), readMode } });
      assertExit(run, 0);
      assertAllWritten(run.result, sourceSeries);
      assert.equal(run.result.through, new Date(endMs).toISOString());
      const there = await exportVictoriaMetrics(destination.url);
      assertEqualSeries(keptByVictoriaMetrics(sourceSeries), there, 'relative-1e-11');
      assert.equal(countStaleMarkers(sourceSeries), countNaNs(withoutProgress(there)), 'stale markers');
    });
  }
});

/** Checks that the data contains the special values. */
function assertSpecialValues(set: SeriesSet): void {
  const wanted = new Map([
    ['stale marker', STALE_MARKER],
    ['NaN with a payload', 0x7ff8dead0000beefn],
    ['+Inf', 0x7ff0000000000000n],
    ['-Inf', 0xfff0000000000000n],
    ['-0', 0x8000000000000000n],
    ['0', 0n],
  ]);
  for (const [name, bits] of wanted)
    assert.ok(
      [...set.values()].some((series) => series.bits.includes(bits)),
      `the source has no ${name}`,
    );
}

function countStaleMarkers(set: SeriesSet): number {
  return countBits(set, STALE_MARKER);
}

/** VictoriaMetrics stores no NaN except stale markers, and its export shows those as plain NaN. */
function countNaNs(set: SeriesSet): number {
  return countBits(set, NAN) + countBits(set, 0x7ff8000000000000n);
}

function countBits(set: SeriesSet, wanted: bigint): number {
  let found = 0;
  for (const series of set.values()) for (const bits of series.bits) if (bits === wanted) found++;
  return found;
}
