// Sources without remote_read: VictoriaMetrics by its exports, and any query API by range selectors. The truth is what an independent reader
// finds in the source.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeBlocksExactly } from '../support/blocks.ts';
import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS } from '../support/dataset.ts';
import { request } from '../support/http.ts';
import { pushSamples } from '../support/load.ts';
import { histogramText, type NativeHistogram } from '../support/native-histogram.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../support/readers.ts';
import { bitsOf, countSamples, NAN, SeriesBuilder, type SeriesSet, STALE_MARKER } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { assertAllWritten, assertEqualSeries, assertExit, union, withoutProgress } from './support/expectations.ts';
import { type MigrationSpec, runMigration, startMigration } from './support/migration.ts';
import { fromPrometheus, range, toPrometheus, toVictoriaMetrics } from './support/pairs.ts';
import { runVerification } from './support/verification.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 2, 1, 7, 13, 0, 417);
const endMs = startMs + 8 * HOUR_MS;

function specOf(source: MigrationSpec, destination: MigrationSpec): MigrationSpec {
  return { source, destination, timeRange: range(startMs - 40 * HOUR_MS, endMs) };
}

describe('a source without remote_read', () => {
  const data = generateDataset({ series: 240, startMs, endMs, kinds: [...PLAIN_KINDS, 'utf8-names'] });
  const histograms = generateDataset({ series: 30, startMs, endMs, kinds: HISTOGRAM_KINDS, prefix: 'native' });
  const withHistograms = new Map([...data, ...histograms]);

  for (const version of ['1.79', '1.112', '1.145']) {
    describe(`VictoriaMetrics ${version}`, () => {
      let source: ServerProcess;
      let stored: SeriesSet;

      before(async () => {
        source = await startVictoriaMetrics({ version });
        await pushSamples(`${source.url}/api/v1/write`, data);
        stored = await exportVictoriaMetrics(source.url);
        assert.ok(countSamples(stored) >= 500_000, `${countSamples(stored)} samples are too few`);
      });

      after(async () => source?.[Symbol.asyncDispose]());

      it('is copied to Prometheus, value by value as its export shows them', async () => {
        await using destination = await startPrometheus({ version: '3.5', receiver: true });
        const run = await runMigration(specOf(victoriaMetrics(source), toPrometheus(destination)));
        assertExit(run, 0);
        const there = withoutProgress(await dumpPrometheus(destination));
        assertEqualSeries(mapBits(stored, asNormalNan), mapBits(there, asNormalNan), 'bits');
        // JSON shows every NaN alike. VictoriaMetrics keeps stale markers, and no other NaN.
        assert.equal(countBits(there, STALE_MARKER), countBits(stored, NAN_OF_EXPORT), 'stale markers');
      });

      // One version is enough: what differs between them is what they export.
      if (version !== '1.145') return;
      it('is copied to VictoriaMetrics', async () => {
        await using destination = await startVictoriaMetrics({ version });
        const run = await runMigration(specOf(victoriaMetrics(source), toVictoriaMetrics(destination)));
        assertExit(run, 0);
        // The destination makes decimals of its own.
        const there = withoutProgress(await exportVictoriaMetrics(destination.url));
        assertEqualSeries(stored, there, 'relative-1e-11');
      });
    });
  }

  for (const version of ['2.42', '3.5'] as const) {
    describe(`the query API of Prometheus ${version}`, () => {
      let dataDir: string;
      let source: ServerProcess;

      before(async () => {
        dataDir = await mkdtemp(join(tmpdir(), 'prom-migrator-promql-'));
        await writeBlocksExactly(version === '3.5' ? withHistograms : withoutUtf8Names(data), dataDir);
        source = await startPrometheus({ version, dataDir, nativeHistograms: version === '3.5' });
      });

      after(async () => {
        await source?.[Symbol.asyncDispose]();
        await rm(dataDir, { recursive: true, force: true });
      });

      it('is copied to Prometheus, but for stale markers, with histograms as JSON shows them', async () => {
        await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
        const run = await runMigration(specOf({ protocol: 'PromQL', url: source.url }, toPrometheus(destination)));
        assertExit(run, 0);
        const shown = asJsonShows(withoutStaleMarkers(await dumpPrometheus(source)), withHistograms);
        assertAllWritten(run.result, shown);
        const there = withoutProgress(await dumpPrometheus(destination));
        assertEqualSeries(mapBits(shown, asNormalNan), there, 'bits');
      });

      if (version !== '3.5') return;
      it('is the source of a verification, which expects what it does not show', async () => {
        await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
        const selectors = ['{__name__=~"native.*|.*_(stale|special|gaps)"}'];
        const byRemoteRead = { ...specOf(fromPrometheus(source), toPrometheus(destination)), selectors };
        assertExit(await runMigration(byRemoteRead), 0);
        const copied = withoutProgress(await dumpPrometheus(destination));
        const run = await runVerification({ ...byRemoteRead, source: { protocol: 'PromQL', url: source.url } });
        assert.equal(run.exitCode, 0, run.stderr);
        const { samplesCompared, expected } = run.result;
        assert.equal(samplesCompared, countSamples(copied));
        const histograms = [...copied.values()].flatMap((series) => series.histograms);
        const stale = histograms.filter((text) => text === 'stale').length;
        assert.equal(expected['promql_stale_markers'], countBits(copied, STALE_MARKER) + stale);
        assert.ok((expected['promql_nan_payloads'] ?? 0) > 0);
        assert.ok(
          (expected['promql_histograms'] ?? 0) > 0 && (expected['promql_histograms'] ?? 0) <= histograms.length,
        );
      });
    });
  }

  describe('that is killed again and again', () => {
    const fewer = new Map([...data].slice(0, 60));

    async function survive(source: MigrationSpec, ordering: 'InOrder' | 'Any' = 'InOrder'): Promise<SeriesSet> {
      const outOfOrderWindow = ordering === 'Any' ? '100000h' : undefined;
      await using destination = await startPrometheus({
        ...{ version: '3.5', receiver: true },
        ...(outOfOrderWindow !== undefined && { outOfOrderWindow }),
      });
      const spec = specOf(source, { ...toPrometheus(destination), ordering });
      // Twenty minutes of data take half a second, six hours ten.
      const window = ordering === 'Any' ? {} : { max: '20m' };
      const slow = { ...spec, window, limits: { samplesPerSecond: 15_000 } };
      for (let kill = 0; kill < 4; kill++) {
        await using migration = await startMigration(slow);
        await migration.saying(/ migration started /);
        await sleep(700 + randomInt(2000));
        migration.child.kill('SIGKILL');
        assert.equal((await migration.ended).exitSignal, 'SIGKILL');
      }
      const last = await runMigration(spec);
      assertExit(last, 0);
      // Windows of hours may have no mark yet.
      if (ordering === 'InOrder') assert.notEqual(last.result.resumedFrom, null, 'no kill came after a mark');
      return withoutProgress(await dumpPrometheus(destination));
    }

    it('is copied once: VictoriaMetrics', async () => {
      await using source = await startVictoriaMetrics();
      await pushSamples(`${source.url}/api/v1/write`, fewer);
      const stored = await exportVictoriaMetrics(source.url);
      const there = await survive(victoriaMetrics(source));
      assertEqualSeries(mapBits(stored, asNormalNan), mapBits(there, asNormalNan), 'bits');
    });

    it('is copied once, in windows of hours: VictoriaMetrics', async () => {
      await using source = await startVictoriaMetrics();
      await pushSamples(`${source.url}/api/v1/write`, fewer);
      const stored = await exportVictoriaMetrics(source.url);
      const there = await survive(victoriaMetrics(source), 'Any');
      assertEqualSeries(mapBits(stored, asNormalNan), mapBits(there, asNormalNan), 'bits');
    });

    it('is copied once: a query API', async () => {
      await using source = await startPrometheus({ version: '3.5', receiver: true });
      await pushSamples(`${source.url}/api/v1/write`, fewer);
      const shown = withoutStaleMarkers(await dumpPrometheus(source));
      const there = await survive({ protocol: 'PromQL', url: source.url });
      assertEqualSeries(mapBits(shown, asNormalNan), there, 'bits');
    });
  });

  it('is copied as its export of the whole range shows it if it deduplicates, wherever windows end', async () => {
    await using source = await startVictoriaMetrics({ extraArgs: ['-dedup.minScrapeInterval=15s'] });
    const from = startMs - (startMs % 60_000) + 2000;
    // What arrives together is deduplicated when it is stored.
    for (let first = 0; first < 3; first++) {
      const builder = new SeriesBuilder([['__name__', 'dense']]);
      for (let i = first; i < 120; i += 3) builder.add(from + 5000 * i, bitsOf(i));
      await pushSamples(`${source.url}/api/v1/write`, new Map([['dense', builder.finish()]]));
      await request(`${source.url}/internal/force_flush`);
    }
    const stored = await exportVictoriaMetrics(source.url);
    assert.equal(countSamples(stored), 40);
    await using destination = await startPrometheus({ version: '3.5', receiver: true });
    const spec = { ...specOf(victoriaMetrics(source), toPrometheus(destination)), window: { max: '10s' } };
    assertExit(await runMigration({ ...spec, timeRange: range(from, from + 600_000) }), 0);
    assertEqualSeries(stored, withoutProgress(await dumpPrometheus(destination)), 'bits');
  });

  describe('with limits that a window exceeds', () => {
    const fewer = new Map([...data].slice(0, 100));

    it('is read in shorter windows, or fewer names at once: VictoriaMetrics', async () => {
      await using source = await startVictoriaMetrics({ extraArgs: ['-search.maxExportSeries=60'] });
      await pushSamples(`${source.url}/api/v1/write`, fewer);
      const names = [...new Set([...fewer.values()].map(({ labels }) => new Map(labels).get('__name__') ?? ''))];
      const parts = await Promise.all(names.map((name) => exportVictoriaMetrics(source.url, `{__name__="${name}"}`)));
      await using destination = await startPrometheus({ version: '3.5', receiver: true });
      const run = await runMigration(specOf(victoriaMetrics(source), toPrometheus(destination)));
      assertExit(run, 0);
      const there = mapBits(withoutProgress(await dumpPrometheus(destination)), asNormalNan);
      assertEqualSeries(mapBits(union(...parts), asNormalNan), there, 'bits');
    });

    it('is read in shorter windows: a query API', async () => {
      await using source = await startPrometheus({
        version: '3.5',
        receiver: true,
        extraArgs: ['--query.max-samples=10000'],
      });
      await pushSamples(`${source.url}/api/v1/write`, fewer);
      await using destination = await startPrometheus({ version: '3.5', receiver: true });
      const run = await runMigration(specOf({ protocol: 'PromQL', url: source.url }, toPrometheus(destination)));
      assertExit(run, 0);
      const shown = withoutStaleMarkers(await dumpPrometheus(source));
      assertEqualSeries(mapBits(shown, asNormalNan), withoutProgress(await dumpPrometheus(destination)), 'bits');
    });
  });

  it('is refused if the protocol does not fit', async () => {
    await using victoria = await startVictoriaMetrics();
    await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
    const misfits = [
      ['PromQL', victoria, 'source-is-victoriametrics', 'set spec.source.protocol: VictoriaMetrics'],
      ['VictoriaMetrics', prometheus, 'source-without-export', 'set another spec.source.protocol'],
    ] as const;
    for (const [protocol, { url }, code, cure] of misfits) {
      const { exitCode, result } = await runMigration(specOf({ protocol, url }, toPrometheus(prometheus)));
      assert.equal(exitCode, 1);
      assert.equal(result.error?.code, code);
      assert.ok(result.error?.message.includes(cure), result.error?.message);
    }
  });
});

function victoriaMetrics({ url }: ServerProcess): MigrationSpec {
  return { protocol: 'VictoriaMetrics', url };
}

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

function withoutStaleMarkers(set: SeriesSet): SeriesSet {
  return withoutBits(set, (bits) => bits === STALE_MARKER);
}

/** Histograms with float counts, and without what only their chunks say. */
function asJsonShows(set: SeriesSet, generated: SeriesSet): SeriesSet {
  return new Map(
    [...set].map(([key, series]) => {
      const { nativeHistograms = [] } = generated.get(key) ?? {};
      const shown = nativeHistograms.map((histogram, i) => [series.histogramTimesMs[i] as number, histogram] as const);
      const kept = shown.filter(([, { stale }]) => stale !== true);
      const texts = kept.map(([, histogram]) => histogramText(shownByJson(histogram)));
      return [key, { ...series, histogramTimesMs: kept.map(([timeMs]) => timeMs), histograms: texts }];
    }),
  );
}

function shownByJson(histogram: NativeHistogram): NativeHistogram {
  const { zeroCount, zeroThreshold, positive, negative } = histogram;
  const isEmpty = [...positive, ...negative].every(([, count]) => count === 0);
  const schema = isEmpty ? 0 : histogram.schema;
  return { ...histogram, kind: 'float', gauge: false, schema, zeroThreshold: zeroCount === 0 ? 0 : zeroThreshold };
}

/** Before Prometheus 3, names were ASCII. */
function withoutUtf8Names(set: SeriesSet): SeriesSet {
  return new Map([...set].filter(([, { labels }]) => labels.every(([name]) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))));
}

/** Without series that have nothing else. */
function withoutBits(set: SeriesSet, isLeftOut: (bits: bigint) => boolean): SeriesSet {
  const left: SeriesSet = new Map();
  for (const [key, series] of set) {
    const isKept = (_: unknown, i: number) => !isLeftOut(series.bits[i] as bigint);
    const timesMs = series.timesMs.filter(isKept);
    if (timesMs.length + series.histograms.length > 0)
      left.set(key, { ...series, timesMs, bits: series.bits.filter(isKept) });
  }
  return left;
}
