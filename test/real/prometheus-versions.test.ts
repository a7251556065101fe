// Old and new Prometheus versions as a source and as a destination, with their differences.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import snappy from 'snappyjs';
import { writeBlocksExactly } from '../support/blocks.ts';
import {
  COUNTER_HISTOGRAM_KINDS,
  generateDataset,
  HISTOGRAM_KINDS,
  PLAIN_KINDS,
  type SeriesKind,
} from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../support/readers.ts';
import { keptByVictoriaMetrics } from '../support/series-comparison.ts';
import { countSamples, type SeriesSet } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { decodeMessage } from '../wire/support/oracle.ts';
import { type MigrationRun, type MigrationSpec, runMigration } from './support/migration.ts';
import {
  askRemoteRead,
  assertEqualSets,
  assertExit,
  fromPrometheus,
  range,
  toPrometheus,
  toVictoriaMetrics,
  withPositiveZeros,
} from './support/pairs.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 5, 1);
const endMs = startMs + 4 * HOUR_MS;
const timeRange = range(startMs, endMs);
const everything = [{ kind: '=~', name: '__name__', value: '.+' }] as const;

function dataset(kinds: readonly SeriesKind[], prefix = 'test'): SeriesSet {
  return generateDataset({ series: kinds.length * 2, startMs, endMs, kinds, prefix });
}

function histogramsIn(set: SeriesSet): number {
  return [...set.values()].reduce((sum, { histograms }) => sum + histograms.length, 0);
}

function writeUrl(server: ServerProcess): string {
  return `${server.url}/api/v1/write`;
}

function current(): Promise<ServerProcess> {
  return startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
}

describe('Prometheus as a source', () => {
  it('2.24, filled with blocks, into Prometheus 3.5 and VictoriaMetrics', async () => {
    const set = dataset([...PLAIN_KINDS, 'extremes']);
    const home = await mkdtemp(join(tmpdir(), 'prom-migrator-blocks-'));
    try {
      const dataDir = join(home, 'data');
      await writeBlocksExactly(set, dataDir);
      await using source = await startPrometheus({ version: '2.24', dataDir });
      await using prometheus = await current();
      const run = await runMigration({
        source: fromPrometheus(source),
        destination: toPrometheus(prometheus),
        timeRange,
      });
      assertExit(run, 0);
      assert.equal(run.result.samplesWritten, countSamples(set));
      assertEqualSets('Prometheus 2.24 → 3.5', set, await dumpPrometheus(prometheus));

      await using victoria = await startVictoriaMetrics();
      const onward = await runMigration({
        source: fromPrometheus(source),
        destination: toVictoriaMetrics(victoria),
        selectors: ['{__name__!="test_extremes",job=~".+"}'],
        timeRange,
      });
      assertExit(onward, 0);
      const kept = keptByVictoriaMetrics(without(set, 'test_extremes'));
      const exported = await exportVictoriaMetrics(victoria.url);
      assertEqualSets('Prometheus 2.24 → VictoriaMetrics', kept, exported, { values: 'relative-1e-11' });
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });

  it('2.42 with native histograms, which its plain responses omit: the stream has them all', async () => {
    const set = dataset([...PLAIN_KINDS, ...COUNTER_HISTOGRAM_KINDS]);
    await using source = await startPrometheus({ version: '2.42', receiver: true, nativeHistograms: true });
    await pushSamples(writeUrl(source), set);
    const url = `${source.url}/api/v1/read`;
    const question = { matchers: everything, fromMs: startMs, toMs: endMs } as const;
    const plain = await askRemoteRead(url, { ...question, accept: ['SAMPLES'] });
    const { results } = decodeMessage('ReadResponse', new Uint8Array(snappy.uncompress(plain.body)));
    const responded = results[0].timeseries.reduce(
      (sum: number, { histograms }: { histograms: unknown[] }) => sum + histograms.length,
      0,
    );
    assert.ok(
      responded < histogramsIn(set),
      'this server is kept in the tests because its plain answers lose histograms',
    );

    await using destination = await current();
    const run = await runMigration({ source: { url }, destination: toPrometheus(destination), timeRange });
    assertExit(run, 0);
    assert.equal(run.result.samplesWritten, countSamples(set));
    const arrived = await dumpPrometheus(destination);
    assert.equal(histogramsIn(arrived), histogramsIn(set));
    assertEqualSets('Prometheus 2.42 → 3.5, histograms', set, arrived);
  });

  const newer: { version: string; kinds: SeriesKind[] }[] = [
    { version: '2.53', kinds: [...PLAIN_KINDS, 'extremes', ...HISTOGRAM_KINDS] },
    {
      version: '3.5',
      kinds: [...PLAIN_KINDS, 'extremes', 'utf8-names', ...HISTOGRAM_KINDS, 'custom-bucket-histogram'],
    },
  ];
  for (const { version, kinds } of newer) {
    it(`${version}, by stream and by plain responses`, async () => {
      const set = dataset(kinds);
      await using source = await startPrometheus({ version, receiver: true, nativeHistograms: true });
      await pushSamples(writeUrl(source), set);
      for (const readMode of ['Auto', 'Samples']) {
        const plain = readMode === 'Samples';
        const expected = plain ? withPositiveZeros(without(set, 'test_custom_bucket_histogram')) : set;
        await using destination = await current();
        const run = await runMigration({
          source: { ...fromPrometheus(source), readMode },
          destination: toPrometheus(destination),
          // The plain responses of 3.5 omit the bounds of custom buckets.
          selectors: [plain ? '{__name__!="test_custom_bucket_histogram",job=~".+"}' : '{__name__=~".+"}'],
          timeRange,
        });
        assertExit(run, 0);
        assert.equal(run.result.samplesWritten, countSamples(expected));
        assertEqualSets(`Prometheus ${version} → 3.5, ${readMode}`, expected, await dumpPrometheus(destination));
      }
    });
  }
});

describe('Prometheus 2.42 and 2.53 as a destination', () => {
  const floats = dataset(PLAIN_KINDS);
  const histograms = dataset(COUNTER_HISTOGRAM_KINDS, 'native');
  const all: SeriesSet = new Map([...floats, ...histograms]);
  /** Samples that the destination has scraped before the migration. */
  const newer = generateDataset({
    series: 4,
    startMs: endMs + 24 * HOUR_MS,
    endMs: endMs + 25 * HOUR_MS,
    kinds: ['counter'],
    prefix: 'newer',
  });
  const onlyFloats = ['{__name__=~"test_.+"}'];
  const stack = new AsyncDisposableStack();
  let source: ServerProcess;

  before(async () => {
    source = stack.use(await current());
    await pushSamples(writeUrl(source), all);
  });
  after(() => stack.disposeAsync());

  function migrate(destination: ServerProcess, spec: MigrationSpec = {}): Promise<MigrationRun> {
    const { destination: more, ...others } = spec;
    return runMigration({
      source: fromPrometheus(source),
      destination: { ...toPrometheus(destination), ...(more as object) },
      timeRange,
      ...others,
    });
  }

  for (const version of ['2.42', '2.53']) {
    it(`${version}, empty: accepts floats and histograms in order`, async () => {
      await using destination = await startPrometheus({ version, receiver: true, nativeHistograms: true });
      const run = await migrate(destination);
      assertExit(run, 0);
      assert.equal(run.result.samplesWritten, countSamples(all));
      assertEqualSets(`Prometheus 3.5 → ${version} in order`, all, await dumpPrometheus(destination));
    });

    it(`${version} with an out-of-order window: accepts floats behind newer data`, async () => {
      await using destination = await startPrometheus({ version, receiver: true, outOfOrderWindow: '30d' });
      await pushSamples(writeUrl(destination), newer);
      const run = await migrate(destination, { selectors: onlyFloats, destination: { ordering: 'Any' } });
      assertExit(run, 0);
      assert.equal(run.result.samplesWritten, countSamples(floats));
      const expected: SeriesSet = new Map([...floats, ...newer]);
      assertEqualSets(`Prometheus 3.5 → ${version} out of order`, expected, await dumpPrometheus(destination));
    });

    it(`${version} with an out-of-order window: no histograms, which are counted`, async () => {
      await using destination = await startPrometheus({
        version,
        receiver: true,
        outOfOrderWindow: '30d',
        nativeHistograms: true,
      });
      await pushSamples(writeUrl(destination), newer);
      const run = await migrate(destination, { rejectedSamples: 'Skip' });
      assertExit(run, 3);
      assert.equal(run.result.samplesWritten, countSamples(floats));
      assert.equal(
        sum(run.result.samplesRejected),
        countSamples(histograms),
        JSON.stringify(run.result.samplesRejected),
      );
      const expected: SeriesSet = new Map([...floats, ...newer]);
      assertEqualSets(`Prometheus 3.5 → ${version} out of order`, expected, await dumpPrometheus(destination));
    });

    it(`${version} without such a window: samples that are too old fail the migration, or are counted`, async () => {
      await using destination = await startPrometheus({ version, receiver: true });
      await pushSamples(writeUrl(destination), newer);
      const failed = await migrate(destination, { selectors: onlyFloats });
      assertExit(failed, 1);
      assert.equal(failed.result.samplesWritten, 0);
      assert.equal(failed.result.error?.code, 'samples-rejected');
      assert.equal(failed.result.error?.side, 'destination');
      assert.match(failed.result.error?.message ?? '', /out_of_order_time_window.*rejectedSamples/);

      const skipped = await migrate(destination, { selectors: onlyFloats, rejectedSamples: 'Skip' });
      assertExit(skipped, 3);
      assert.deepEqual(skipped.result.samplesRejected, { too_old: countSamples(floats) });
      assert.equal(skipped.result.through, new Date(endMs).toISOString());
      assert.equal(countSamples(await dumpPrometheus(destination)), countSamples(newer), 'nothing else went in');
    });

    it(`${version} without native histograms: fails with the flag to set, or continues without them`, async () => {
      await using destination = await startPrometheus({ version, receiver: true });
      const failed = await migrate(destination);
      assertExit(failed, 1);
      assert.equal(failed.result.error?.code, 'samples-rejected');
      assert.match(failed.result.error?.message ?? '', /--enable-feature=native-histograms.*rejectedSamples/);

      const skipped = await migrate(destination, { rejectedSamples: 'Skip' });
      assertExit(skipped, 3);
      assert.deepEqual(skipped.result.samplesRejected, { histograms_disabled: countSamples(histograms) });
      assertEqualSets(`Prometheus 3.5 → ${version}, floats of a mixture`, floats, await dumpPrometheus(destination));
    });
  }
});

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

function without(set: SeriesSet, ...names: string[]): SeriesSet {
  return new Map([...set].filter(([, { labels }]) => !names.some((name) => isNamed(labels, name))));
}

function isNamed(labels: readonly (readonly [string, string])[], name: string): boolean {
  return labels.some(([label, value]) => label === '__name__' && value === name);
}
