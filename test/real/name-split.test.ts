// A window that exceeds the limits of the source or the memory even at the minimum length is split by metric name: the regular expressions
// of the halves run on real servers, and each series must be in exactly one of them.
import assert from 'node:assert/strict';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus, readInflux } from '../support/readers.ts';
import {
  bitsOf,
  countSamples,
  type Label,
  labelText,
  SeriesBuilder,
  type SeriesSet,
  sortLabels,
} from '../support/series-set.ts';
import { startInfluxdb, startPrometheus } from '../support/servers.ts';
import { type MigrationRun, runMigration } from './support/migration.ts';
import { assertEqualSets, assertExit, fromPrometheus, range, toPrometheus } from './support/pairs.ts';

const startMs = Date.UTC(2025, 5, 1);

/** Names around possible splits: characters with a meaning in RE2, both sides of the surrogates, prefixes of each other. */
const oddNames = [
  'a',
  'aa',
  'aaa',
  'a:b',
  'a_b',
  'A',
  'Z_total',
  '_',
  ':',
  '0digit',
  'z',
  'zz',
  'mètre',
  '温度',
  '温度.室内',
  'a.b.c',
  'a-b',
  'a b',
  'a\nb',
  'a\\b',
  'a|b',
  'a^$',
  '.*',
  '(x',
  '[a-z]',
  '"quoted"',
  '\u0001',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '\u{10000}',
  '🌡️',
  '\u{10ffff}',
];

const plainNames = oddNames.filter((name) => /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name));

/** One series for each name, many for one of them, all with samples at these times. */
function seriesOf(names: readonly string[], timesMs: readonly number[], manyOf: string, many: number): SeriesSet {
  const labelSets: Label[][] = names.map((name) => [
    ['__name__', name],
    ['job', 'one'],
  ]);
  for (let i = 0; i < many; i++) {
    labelSets.push([
      ['__name__', manyOf],
      ['instance', `host-${i}`],
    ]);
  }
  const set: SeriesSet = new Map();
  labelSets.forEach((labels, index) => {
    const builder = new SeriesBuilder(labels);
    for (const timeMs of timesMs) builder.add(timeMs, bitsOf(index + (timeMs % 1000)));
    const series = builder.finish();
    set.set(labelText(series.labels), series);
  });
  return set;
}

/** Prints how often a window was split by name, and fails when that was less than `least`. */
function tellSplits(run: MigrationRun, least: number): void {
  const splits = run.stderr.match(/window split by=name/g)?.length ?? 0;
  console.log(`      ${splits} splits by name, ${run.result.windows} windows, ${run.seconds} s`);
  assert.ok(splits >= least, `${splits} splits by name:\n${run.stderr}`);
}

const ordinaryNames = Array.from({ length: 400 }, (_, i) => {
  const subsystem = ['node', 'http', 'go', 'process', 'container', 'kube'][i % 6];
  return `${subsystem}_m${i}_total`;
});
/** Four samples per second, for two seconds. */
const timesMs = Array.from({ length: 8 }, (_, i) => startMs + i * 250);
const timeRange = range(startMs, startMs + 2000);

describe('splitting a window by metric name', () => {
  for (const version of ['2.53', '3.5']) {
    it(`Prometheus ${version} with a sample limit below one second of data: everything arrives once`, async () => {
      const names = [...ordinaryNames, ...(version === '3.5' ? oddNames : plainNames)];
      const set = seriesOf(names, timesMs, 'a_b', 60);
      await using source = await startPrometheus({
        version,
        receiver: true,
        extraArgs: ['--storage.remote.read-sample-limit=150'],
      });
      await pushSamples(`${source.url}/api/v1/write`, set);
      await using destination = await startPrometheus({ version: '3.5', receiver: true });
      const run = await runMigration({
        source: { ...fromPrometheus(source), readMode: 'Samples' },
        destination: toPrometheus(destination),
        timeRange,
      });
      assertExit(run, 0);
      tellSplits(run, 20);
      const { samplesRead, samplesWritten, samplesConflicting } = run.result;
      const samples = countSamples(set);
      assert.deepEqual(
        { samplesRead, samplesWritten, samplesConflicting },
        {
          samplesRead: samples,
          samplesWritten: samples,
          samplesConflicting: 0,
        },
      );
      assertEqualSets(`Prometheus ${version} → 3.5, split by name`, set, await dumpPrometheus(destination));
    });
  }

  describe('because one instant of it exceeds the memory', () => {
    // Fifty kilobytes per series.
    const padding: Label = ['padding', 'x'.repeat(50_000)];
    const limits = { memory: '32Mi', inFlightWrites: 1 };

    function padded(names: readonly string[]): SeriesSet {
      const set: SeriesSet = new Map();
      for (const series of seriesOf(names, timesMs, 'a_b', 60).values()) {
        const labels = sortLabels([...series.labels, padding]);
        set.set(labelText(labels), { ...series, labels });
      }
      return set;
    }

    // A stream would be written while it arrives, if the destination could be compared afterwards.
    it('Prometheus 3.5, streaming, without read-back: the received names determine where to split', async () => {
      const set = padded([...ordinaryNames, ...oddNames]);
      await using source = await startPrometheus({ version: '3.5', receiver: true });
      await pushSamples(`${source.url}/api/v1/write`, set);
      await using destination = await startPrometheus({ version: '3.5', receiver: true });
      const run = await runMigration({
        source: fromPrometheus(source),
        destination: { ...toPrometheus(destination), progress: { protocol: 'None' } },
        limits,
        timeRange,
      });
      assertExit(run, 0);
      tellSplits(run, 1);
      assert.equal(run.result.samplesRead, countSamples(set));
      assertEqualSets('Prometheus 3.5 → 3.5, split by names seen', set, await dumpPrometheus(destination));
    });

    it('InfluxDB, whose regular expressions match anywhere', async () => {
      const set = padded([...ordinaryNames, ...plainNames, '温度', 'mètre', 'a.b.c', 'a b', '🌡️']);
      await using influx = await startInfluxdb({ database: 'prometheus' });
      await pushSamples(`${influx.url}/api/v1/prom/write?db=prometheus`, set);
      assert.equal((await readInflux(influx.url, 'prometheus')).size, set.size);
      await using destination = await startPrometheus({ version: '3.5', receiver: true });
      const run = await runMigration({
        source: { url: `${influx.url}/api/v1/prom/read?db=prometheus` },
        destination: toPrometheus(destination),
        limits,
        timeRange,
      });
      assertExit(run, 0);
      tellSplits(run, 1);
      assert.equal(run.result.samplesRead, countSamples(set));
      assertEqualSets('InfluxDB → Prometheus 3.5, split by name', set, await dumpPrometheus(destination));
    });
  });
});
