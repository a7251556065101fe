// Prometheus 3.5 to an empty Prometheus 3.5, in order: both data directories are read by promtool and, bit for bit, by Prometheus' own TSDB
// library. Also: running a finished migration again, and what counts as a different migration.
import assert from 'node:assert/strict';
import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS, type SeriesKind } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus } from '../support/readers.ts';
import {
  bitsOf,
  countSamples,
  labelText,
  SeriesBuilder,
  type SeriesSamples,
  type SeriesSet,
  sortLabels,
} from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus } from '../support/servers.ts';
import { assertAllWritten, assertEqualSeries, assertExit, filterSeries, isMark } from './support/expectations.ts';
import { type MigrationSpec, runMigration } from './support/migration.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 3, 12, 5, 41, 7, 3);
const KINDS: readonly SeriesKind[] = [
  ...PLAIN_KINDS,
  'utf8-names',
  'extremes',
  ...HISTOGRAM_KINDS,
  'custom-bucket-histogram',
];

type Protocol = 'RemoteRead' | 'PromQL';

function specOf(source: ServerProcess, destination: ServerProcess, protocol: Protocol, endMs: number): MigrationSpec {
  return {
    source: { url: `${source.url}/api/v1/read` },
    destination: {
      url: `${destination.url}/api/v1/write`,
      progress: { protocol, url: protocol === 'RemoteRead' ? `${destination.url}/api/v1/read` : destination.url },
    },
    timeRange: { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() },
  };
}

function startReceiver(): Promise<ServerProcess> {
  return startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
}

describe('a migration from Prometheus 3.5 into an empty Prometheus 3.5', () => {
  for (const protocol of ['RemoteRead', 'PromQL'] as const) {
    it(`produces the same data directory bit for bit, and is then finished permanently (${protocol})`, async () => {
      const endMs = startMs + 4 * HOUR_MS;
      const generated = generateDataset({ series: 272, startMs, endMs, kinds: KINDS });
      await using source = await startReceiver();
      await using destination = await startReceiver();
      await pushSamples(`${source.url}/api/v1/write`, generated);
      const sourceSeries = await dumpPrometheus(source);
      assertEqualSeries(generated, sourceSeries, 'bits');
      const spec = specOf(source, destination, protocol, endMs);

      const first = await runMigration(spec);
      assertExit(first, 0);
      assertAllWritten(first.result, sourceSeries);
      assertEqualSeries(sourceSeries, await dumpPrometheus(destination), 'bits');
      assertEqualSeries(await dumpPrometheus(source, 'text'), await dumpPrometheus(destination, 'text'), 'bits');

      // A stopped source cannot be read.
      await source.stop();
      const second = await runMigration(spec);
      assertExit(second, 0);
      assert.equal(second.result.phase, 'Succeeded');
      assert.equal(second.result.resumedFrom, new Date(endMs).toISOString());
      assert.equal(second.result.bytesRead, 0);
      assert.equal(second.result.samplesRead, 0);
      assert.equal(second.result.bytesWritten, 0);
      assert.equal(second.result.windows, 0);
      assert.ok(
        second.result.durationSeconds < 3,
        `it took ${second.result.durationSeconds} s to see that all is done`,
      );
    });
  }

  it('preserves series that change between floats, integer and float histograms', async () => {
    const endMs = startMs + 50 * 60_000;
    const generated = changingSeries(endMs);
    await using source = await startReceiver();
    await using destination = await startReceiver();
    // One timestamp per request: Prometheus commits the sample types of a request one after another, and drops what becomes out of order by
    // that.
    await pushSamples(`${source.url}/api/v1/write`, generated, { stepMs: 1 });
    const sourceSeries = await dumpPrometheus(source);
    assertEqualSeries(generated, sourceSeries, 'bits');
    const run = await runMigration(specOf(source, destination, 'RemoteRead', endMs));
    assertExit(run, 0);
    assertEqualSeries(sourceSeries, await dumpPrometheus(destination), 'bits');
    assertAllWritten(run.result, sourceSeries);
  });

  it('does not resume at the mark of other selectors under the same name', async () => {
    const endMs = startMs + 50 * 60_000;
    const generated = generateDataset({ series: 120, startMs, endMs, kinds: PLAIN_KINDS });
    await using source = await startReceiver();
    await using destination = await startReceiver();
    await pushSamples(`${source.url}/api/v1/write`, generated);
    const spec = specOf(source, destination, 'PromQL', endMs);
    const ofNode = filterSeries(generated, (labels) => labels.get('job') === 'node');
    const ofOthers = filterSeries(generated, (labels) => labels.get('job') !== 'node');

    const first = await runMigration({ ...spec, selectors: ['{job="node"}'] });
    assertExit(first, 0);
    assertAllWritten(first.result, ofNode);
    assertEqualSeries(ofNode, await dumpPrometheus(destination), 'bits');

    const second = await runMigration({ ...spec, selectors: ['{__name__=~".+", job!="node"}'] });
    assertExit(second, 0);
    assert.equal(second.result.resumedFrom, null);
    assertAllWritten(second.result, ofOthers);
    assertEqualSeries(generated, await dumpPrometheus(destination), 'bits');

    // The same two selections again: each finds its own mark.
    const third = await runMigration({ ...spec, selectors: ['{job="node"}'] });
    assertExit(third, 0);
    assert.equal(third.result.samplesRead, 0);
    assert.equal(filterSeries(await dumpPrometheus(destination), isMark).size, 2);
  });
});

describe('a migration that selects and relabels', () => {
  const endMs = startMs + 40 * 60_000;
  const conflictMs = startMs + 20 * 60_000;

  it('writes what its selectors and rules specify, and accounts for the rest', async () => {
    const generated = generateDataset({ series: 66, startMs, endMs, kinds: PLAIN_KINDS });
    const halves = ['a', 'b'].map((part) => halfSeries(part));
    for (const half of halves) generated.set(labelText(half.labels), half);
    await using source = await startReceiver();
    await using destination = await startReceiver();
    await pushSamples(`${source.url}/api/v1/write`, generated);
    const sourceSeries = await dumpPrometheus(source);
    const run = await runMigration({
      ...specOf(source, destination, 'RemoteRead', endMs),
      // They overlap: a series that matches both is copied once.
      selectors: [
        '{job="node"}',
        '{__name__=~"test_c.*|halved"}',
        'test_unicode_values',
        '{instance=~"host-0000[0-4]:9100", __name__!~".*gaps"}',
      ],
      externalLabels: { cluster: 'north', job: 'nobody' },
      relabelings: [
        { action: 'drop', sourceLabels: ['__name__', 'job'], separator: '/', regex: 'test_special/node' },
        {
          sourceLabels: ['instance'],
          regex: 'host-0*(\\d+):(?P<port>.*)',
          targetLabel: 'host',
          replacement: 'h$1/$port',
        },
        { action: 'labelmap', regex: 'ho(st)', replacement: 'machine_$1' },
        { action: 'uppercase', sourceLabels: ['job'], targetLabel: 'job' },
        { action: 'labeldrop', regex: 'part|odd' },
      ],
    });
    assertExit(run, 0);

    const selected = filterSeries(sourceSeries, (labels) => {
      const [name = '', instance = ''] = [labels.get('__name__'), labels.get('instance')];
      const ofFirstFive = /^host-0000[0-4]:9100$/.test(instance) && name !== 'test_gaps';
      const named = name.startsWith('test_c') || name === 'halved' || name === 'test_unicode_values';
      return labels.get('job') === 'node' || named || ofFirstFive;
    });
    const isDropped = (labels: ReadonlyMap<string, string>) =>
      labels.get('__name__') === 'test_special' && labels.get('job') === 'node';
    const dropped = filterSeries(selected, isDropped);
    const left = filterSeries(selected, (labels) => !isDropped(labels) && labels.get('__name__') !== 'halved');
    const { samplesRead, samplesWritten, samplesFiltered, samplesConflicting } = run.result;
    assert.ok(dropped.size > 0 && left.size > 20 && selected.size < sourceSeries.size);
    assert.deepEqual(
      { samplesRead, samplesWritten, samplesFiltered, samplesConflicting },
      {
        samplesRead: countSamples(selected),
        samplesWritten: countSamples(selected) - countSamples(dropped) - 1,
        samplesFiltered: countSamples(dropped),
        samplesConflicting: 1,
      },
    );

    const there = await dumpPrometheus(destination);
    const merged = mergedHalves(halves, there);
    assertEqualSeries(new Map([...relabelled(left), [labelText(merged.labels), merged]]), there, 'bits');
  });

  /** Every second sample of a series, and one sample in both halves, with different values. */
  function halfSeries(part: string): SeriesSamples {
    const builder = new SeriesBuilder([
      ['__name__', 'halved'],
      ['part', part],
    ]);
    for (let i = 0; i < 100; i++) {
      if (i === 50) builder.add(conflictMs, bitsOf(part === 'a' ? 1.5 : 2.5));
      else if ((i % 2 === 0) === (part === 'a')) builder.add(startMs + i * 24_000, bitsOf(i));
    }
    return builder.finish();
  }

  function mergedHalves(halves: readonly SeriesSamples[], actual: SeriesSet): SeriesSamples {
    const builder = new SeriesBuilder([
      ['__name__', 'halved'],
      ['cluster', 'north'],
      ['job', 'NOBODY'],
    ]);
    for (const { timesMs, bits } of halves)
      timesMs.forEach((timeMs, i) => {
        if (timeMs !== conflictMs) builder.add(timeMs, bits[i]!);
      });
    // Either of the two values is correct.
    const kept = actual.get(labelText(builder.labels));
    const value = kept?.bits[kept.timesMs.indexOf(conflictMs)] ?? 0n;
    builder.add(conflictMs, value === bitsOf(2.5) ? value : bitsOf(1.5));
    return builder.finish();
  }

  /** The rules, implemented by hand. */
  function relabelled(set: SeriesSet): SeriesSet {
    const renamed: SeriesSet = new Map();
    for (const series of set.values()) {
      const labels = new Map(series.labels);
      const host = `h${Number(labels.get('instance')!.slice(5, 10))}/9100`;
      labels.set('cluster', 'north').set('host', host).set('machine_st', host);
      labels.set('job', labels.get('job') === 'node' ? 'NODE' : 'API');
      labels.delete('odd');
      const sorted = sortLabels(labels);
      renamed.set(labelText(sorted), { ...series, labels: sorted });
    }
    return renamed;
  }
});

/** Series that alternate between floats, integer histograms and float histograms, in runs of one to seven. */
function changingSeries(endMs: number): SeriesSet {
  const kinds: readonly SeriesKind[] = ['decimal', 'integer-histogram', 'float-histogram'];
  const [floats, integers, floatHistograms] = kinds.map((kind) => [
    ...generateDataset({ series: 12, startMs, endMs, kinds: [kind] }).values(),
  ]);
  const changing: SeriesSet = new Map();
  floats!.forEach((float, i) => {
    const times = (timeMs: number) => Math.floor((timeMs - startMs) / 15_000);
    const turn = (timeMs: number) => Math.floor(times(timeMs) / (1 + (i % 7))) % 3;
    const key = `{__name__="changing", number="${i}"}`;
    const parts = [integers![i]!, floatHistograms![i]!].flatMap((series, kind) =>
      series.histogramTimesMs.map((timeMs, j) => ({
        timeMs,
        text: series.histograms[j]!,
        histogram: series.nativeHistograms![j]!,
        mine: turn(timeMs) === kind + 1,
      })),
    );
    const histograms = parts.filter(({ mine }) => mine).sort((a, b) => a.timeMs - b.timeMs);
    changing.set(key, {
      labels: [
        ['__name__', 'changing'],
        ['number', String(i)],
      ],
      timesMs: float.timesMs.filter((timeMs) => turn(timeMs) === 0),
      bits: float.bits.filter((_, j) => turn(float.timesMs[j]!) === 0),
      histogramTimesMs: histograms.map(({ timeMs }) => timeMs),
      histograms: histograms.map(({ text }) => text),
      nativeHistograms: histograms.map(({ histogram }) => histogram),
    });
  });
  assert.ok(countSamples(changing) > 1_000);
  return changing;
}
