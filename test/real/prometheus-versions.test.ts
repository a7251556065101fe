// Prometheus of every age, as a source and as a destination, with what each does in its own way.
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
} from './support/pairs.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 5, 1);
const endMs = startMs + 6 * HOUR_MS;
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
  it('2.24, which streams XOR chunks without naming them, into Prometheus 3.5 and VictoriaMetrics', async () => {
    const set = dataset([...PLAIN_KINDS, 'extremes']);
    const home = await mkdtemp(join(tmpdir(), 'prom-migrator-blocks-'));
    try {
      const dataDir = join(home, 'data');
      await writeBlocksExactly(set, dataDir);
      await using source = await startPrometheus({ version: '2.24', dataDir });
      await using prometheus = await current();
      const spec = { source: fromPrometheus(source), destination: toPrometheus(prometheus), timeRange };
      const run = await runMigration(spec);
      assertExit(run, 0);
      assert.equal(run.result.samplesWritten, countSamples(set));
      assertEqualSets('Prometheus 2.24 → 3.5', set, await dumpPrometheus(prometheus));

      await using victoria = await startVictoriaMetrics();
      const plain = [{ selectors: ['{__name__=~"test_.*",__name__!="test_extremes"}'] }][0];
      assertExit(await runMigration({ ...spec, ...plain, destination: toVictoriaMetrics(victoria) }), 0);
      const kept = keptByVictoriaMetrics(without(set, 'test_extremes'));
      const exported = await exportVictoriaMetrics(victoria.url);
      assertEqualSets('Prometheus 2.24 → VictoriaMetrics', kept, exported, { values: 'relative-1e-11' });
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });

  it('2.42 with native histograms, which its plain answers cut off: the stream has them all', async () => {
    const set = dataset([...PLAIN_KINDS, ...COUNTER_HISTOGRAM_KINDS]);
    await using source = await startPrometheus({ version: '2.42', receiver: true, nativeHistograms: true });
    await pushSamples(writeUrl(source), set);
    const url = `${source.url}/api/v1/read`;
    const question = { matchers: everything, fromMs: startMs, toMs: endMs } as const;
    const plain = await askRemoteRead(url, { ...question, accept: ['SAMPLES'] });
    const { results } = decodeMessage('ReadResponse', new Uint8Array(snappy.uncompress(plain.body)));
    const answered = results[0].timeseries.reduce(
      (sum: number, { histograms }: { histograms: unknown[] }) => sum + histograms.length,
      0,
    );
    assert.ok(answered < histogramsIn(set), 'this server is kept in the tests because its plain answers lose histograms');

    await using destination = await current();
    const run = await runMigration({ source: { url }, destination: toPrometheus(destination), timeRange });
    assertExit(run, 0);
    assert.equal(run.result.samplesWritten, countSamples(set));
    const arrived = await dumpPrometheus(destination);
    assert.equal(histogramsIn(arrived), histogramsIn(set));
    assertEqualSets('Prometheus 2.42 → 3.5, histograms', set, arrived);
  });

  for (const { version, kinds } of [
    { version: '2.53', kinds: [...PLAIN_KINDS, 'extremes', ...HISTOGRAM_KINDS] },
    {
      version: '3.5',
      kinds: [...PLAIN_KINDS, 'extremes', 'utf8-names', ...HISTOGRAM_KINDS, 'custom-bucket-histogram'],
    },
  ] as { version: string; kinds: SeriesKind[] }[]) {
    it(`${version} by stream and by plain answers alike`, async () => {
      const set = dataset(kinds);
      await using source = await startPrometheus({ version, receiver: true, nativeHistograms: true });
      await pushSamples(writeUrl(source), set);
      for (const readMode of ['Auto', 'Samples']) {
        await using destination = await current();
        const run = await runMigration({
          source: { ...fromPrometheus(source), readMode },
          destination: toPrometheus(destination),
          timeRange,
        });
        assertExit(run, 0);
        assert.equal(run.result.samplesWritten, countSamples(set));
        assertEqualSets(`Prometheus ${version} → 3.5, ${readMode}`, set, await dumpPrometheus(destination));
      }
    });
  }
});

function without(set: SeriesSet, ...names: string[]): SeriesSet {
  return new Map([...set].filter(([, { labels }]) => !names.some((name) => isNamed(labels, name))));
}

function isNamed(labels: readonly (readonly [string, string])[], name: string): boolean {
  return labels.some(([label, value]) => label === '__name__' && value === name);
}
