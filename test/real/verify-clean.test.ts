// What our own `run` has copied verifies clean: no difference, no sample that is not compared, and expected changes only where the stores' pages
// say so, as many as independent readers count.

import assert from 'node:assert/strict';
import { comparedPart, type DataSet, makeDataSet } from '../../verify-faults/data-sets.ts';
import { checkDestination } from '../../verify-faults/destination-content.ts';
import { loadedPrometheus } from '../../verify-faults/sides/prometheus.ts';
import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus, exportVictoriaMetrics } from '../support/readers.ts';
import { keptByInfluxdb } from '../support/series-comparison.ts';
import {
  bitsOf,
  countSamples,
  labelText,
  numberOf,
  SeriesBuilder,
  type SeriesSet,
  STALE_MARKER,
} from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { type PrometheusOptions, startInfluxdb, startPrometheus, startVictoriaMetrics } from '../support/servers.ts';
import { type MigrationSpec, runMigration } from './support/migration.ts';
import { fromPrometheus, range, toPrometheus, toVictoriaMetrics } from './support/pairs.ts';
import { runVerification, type VerificationRun } from './support/verification.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 5, 1, 0, 11, 0, 1);
const endMs = startMs + 2.2 * HOUR_MS;
const RECEIVER: PrometheusOptions = { version: '3.5', receiver: true, nativeHistograms: true };

const settled = (spec: MigrationSpec): MigrationSpec => ({ ...spec, verification: { settle: '3s' } });

/** Copies, then verifies. */
async function copiedAndVerified(spec: MigrationSpec, exitCode = 0): Promise<VerificationRun> {
  const copy = await runMigration(settled(spec));
  assert.equal(copy.exitCode, exitCode, copy.stderr);
  return runVerification(settled(spec));
}

/** No difference, every sample of the source compared, and the expected changes exactly as given. */
function assertClean(run: VerificationRun, samples: number, expected: Readonly<Record<string, number>> = {}): void {
  const { samplesCompared, equal, missing, extra, different, repeated, repaired, phase, error } = run.result;
  const differences = run.differences.filter((difference) => difference.expected === undefined);
  assert.deepEqual(differences.slice(0, 3), [], run.stderr);
  const counted = Object.fromEntries(Object.entries(expected).filter(([, count]) => count > 0));
  assert.deepEqual(run.result.expected, counted);
  const changed = Object.values(expected).reduce((sum, count) => sum + count, 0);
  assert.deepEqual(
    { samplesCompared, equal, missing, extra, different, repeated, repaired, phase, error: error ?? null },
    {
      samplesCompared: samples,
      equal: samples - changed,
      missing: 0,
      extra: 0,
      different: 0,
      repeated: 0,
      repaired: 0,
      phase: 'Succeeded',
      error: null,
    },
  );
  assert.ok(samples > 1000, `${samples} samples are too few`);
  assert.equal(run.exitCode, 0, run.stderr);
}

function countFloats(set: SeriesSet, counts: (value: number, bits: bigint) => boolean): number {
  let samples = 0;
  for (const { bits } of set.values()) for (const value of bits) if (counts(numberOf(value), value)) samples++;
  return samples;
}

function marksIn(set: SeriesSet): number {
  return countSamples(new Map([...set].filter(([key]) => key.includes('prom_migrator_progress'))));
}

/** Whether a query result shows all of a histogram: JSON has float counts, no hint of gauges, and a zero bucket only with a count. */
function isShownByJson(text: string): boolean {
  const zeroIsShown = !/ zero:0{16} /.test(text) || / threshold:0{16} /.test(text);
  const schemaIsShown = !text.includes('negative:[] positive:[]') || text.includes(' schema:0 ');
  return text.startsWith('float ') && zeroIsShown && schemaIsShown;
}

describe('verify after a run', () => {
  describe('of everything that Prometheus holds', () => {
    let source: ServerProcess;
    const sets = new Map<DataSet['shape'], DataSet>();

    before(async () => {
      for (const shape of ['plain', 'relabelled'] as const)
        sets.set(shape, makeDataSet({ size: 'small', shape, store: 'prometheus' }));
      source = await loadedPrometheus((sets.get('plain') as DataSet).source);
    });

    after(() => source[Symbol.asyncDispose]());

    function specOf(shape: DataSet['shape'], destination: MigrationSpec, more: MigrationSpec = {}): MigrationSpec {
      const set = sets.get(shape) as DataSet;
      return {
        ...set.spec,
        source: { ...fromPrometheus(source), ...more },
        destination,
        timeRange: range(set.startMs, set.endMs),
      };
    }

    const samplesOf = (shape: DataSet['shape']) => countSamples((sets.get(shape) as DataSet).wanted);

    for (const version of ['3.5', 'current'])
      it(`to Prometheus ${version}: all floats and native histograms are equal, bit for bit`, async () => {
        await using destination = await startPrometheus({ ...RECEIVER, version });
        assertClean(await copiedAndVerified(specOf('plain', toPrometheus(destination))), samplesOf('plain'));
      });

    it('with relabelings, external labels and selectors that overlap', async () => {
      await using destination = await startPrometheus(RECEIVER);
      assertClean(await copiedAndVerified(specOf('relabelled', toPrometheus(destination))), samplesOf('relabelled'));
    });

    it('to a Prometheus that shows external labels of its own', async () => {
      const config = 'global:\n  external_labels:\n    cluster: eu\n    replica: a\n';
      await using destination = await startPrometheus({ ...RECEIVER, config });
      assertClean(await copiedAndVerified(specOf('plain', toPrometheus(destination))), samplesOf('plain'));
    });

    it('from a source that gives plain samples only', async () => {
      await using destination = await startPrometheus(RECEIVER);
      // Plain samples of this version lack the bounds of custom buckets, so that no receiver takes them.
      const selectors = ['{__name__=~"(many|churn|histograms|edge).*",__name__!~".*custom.*"}'];
      const { wanted } = sets.get('plain') as DataSet;
      const names = (labels: SeriesSet) => new Map([...labels].filter(([key]) => !key.includes('custom')));
      const spec = { ...specOf('plain', toPrometheus(destination), { readMode: 'Samples' }), selectors };
      assertClean(await copiedAndVerified(spec), countSamples(names(wanted)));
    });

    it('to a Prometheus that is read by PromQL: what a result does not show is expected', async () => {
      await using destination = await startPrometheus(RECEIVER);
      const progress = { protocol: 'PromQL', url: destination.url };
      const spec = specOf('plain', { ...toPrometheus(destination), progress });
      const { wanted } = sets.get('plain') as DataSet;
      const run = await copiedAndVerified(spec);
      const { promql_nan_payloads: nan = 0, promql_histograms: changed = 0, ...others } = run.result.expected;
      const stale = countFloats(wanted, (_, bits) => bits === STALE_MARKER);
      const staleHistograms = [...wanted.values()]
        .flatMap(({ histograms }) => histograms)
        .filter((text) => text === 'stale').length;
      const histograms = [...wanted.values()].reduce((sum, series) => sum + series.histograms.length, 0);
      assert.deepEqual(others, { promql_stale_markers: stale + staleHistograms });
      const shownCompletely = [...wanted.values()].flatMap((set) => set.histograms).filter(isShownByJson).length;
      assert.equal(changed, histograms - staleHistograms - shownCompletely);
      // Whether the NaN that every result shows counts as changed where it is the same, is open.
      const ordinary = countFloats(wanted, (value, bits) => Number.isNaN(value) && bits !== STALE_MARKER);
      assert.ok(nan > 0 && nan <= ordinary, `${nan} of ${ordinary} NaN values are counted`);
      assertClean(run, countSamples(wanted), run.result.expected);
    });
  });

  it('with relabelings that merge series, some of whose samples contradict each other', async () => {
    const set: SeriesSet = new Map();
    let conflicts = 0;
    for (let pair = 0; pair < 20; pair++)
      for (const replica of ['a', 'b']) {
        const builder = new SeriesBuilder([
          ['__name__', 'merged_total'],
          ['pair', String(pair)],
          ['replica', replica],
        ]);
        // Every third sample of both replicas has the same time, and every sixth another value.
        for (let i = 0; i < 400; i++) {
          const isShared = i % 3 === 0;
          const contradicts = isShared && i % 6 === 0 && replica === 'b';
          if (isShared && replica === 'b') conflicts++;
          builder.add(startMs + i * 15_000 + (isShared || replica === 'a' ? 0 : 1), bitsOf(contradicts ? -i - 1 : i));
        }
        set.set(labelText(builder.labels), builder.finish());
      }
    await using source = await loadedPrometheus(set);
    await using destination = await startPrometheus(RECEIVER);
    const spec = settled({
      source: fromPrometheus(source),
      destination: toPrometheus(destination),
      relabelings: [{ action: 'labeldrop', regex: 'replica' }],
      timeRange: range(startMs, endMs),
    });
    const copy = await runMigration(spec);
    assert.equal(copy.exitCode, 0, copy.stderr);
    assert.equal(copy.result.samplesConflicting, conflicts);
    const stored = await dumpPrometheus(destination);
    const kept = countSamples(stored) - marksIn(stored);
    assert.equal(kept, 20 * (400 + 266));
    const run = await runVerification(spec);
    assertClean(run, kept);
  });

  it('to VictoriaMetrics: decimals and NaN values, exactly as many as its export shows', async () => {
    const data = makeDataSet({ size: 'small', shape: 'relabelled', store: 'victoria-metrics' });
    await using source = await loadedPrometheus(data.source);
    await using destination = await startVictoriaMetrics();
    const spec = {
      ...data.spec,
      source: fromPrometheus(source),
      destination: { ...toVictoriaMetrics(destination), ordering: 'Any' },
      timeRange: range(data.startMs, data.endMs),
    };
    const run = await copiedAndVerified(spec);
    const expected = await checkDestination(destination, data, { planted: [], readMode: 'Auto' });
    assert.ok((expected['victoriametrics_nan'] ?? 0) > 100 && (expected['victoriametrics_decimals'] ?? 0) > 100);
    assertClean(run, countSamples(comparedPart(data.wanted, data)), expected);
  });

  it('to VictoriaMetrics: native histograms, which it stores as series of floats', async () => {
    const set = generateDataset({ series: 8, startMs, endMs, kinds: ['counter', ...HISTOGRAM_KINDS] });
    await using source = await loadedPrometheus(set);
    await using destination = await startVictoriaMetrics();
    const run = await copiedAndVerified({
      source: fromPrometheus(source),
      destination: { ...toVictoriaMetrics(destination), ordering: 'Any' },
      timeRange: range(startMs, endMs),
    });
    const histograms = [...set.values()].reduce((sum, series) => sum + series.histograms.length, 0);
    const { size } = await exportVictoriaMetrics(destination.url, '{__name__=~"test_.*_histogram_.*"}');
    assert.ok(size > 0, 'the histograms are there in another form');
    // That form is extra for a comparison series by series: `…_bucket{vmrange}`, `…_count` and `…_sum`.
    const isConverted = (labels: readonly (readonly [string, string])[]) =>
      labels.some(([name, value]) => name === '__name__' && /_histogram_(bucket|count|sum)$/.test(value));
    const others = run.differences.filter(({ kind, labels }) => kind !== 'extra' || !isConverted(labels));
    const result = { ...run.result, extra: 0 };
    assertClean({ ...run, result, differences: others }, countSamples(set), { victoriametrics_histograms: histograms });
  });

  describe('of InfluxDB', () => {
    const database = 'prometheus';
    const readUrl = ({ url }: ServerProcess) => `${url}/api/v1/prom/read?db=${database}`;
    const writeUrl = ({ url }: ServerProcess) => `${url}/api/v1/prom/write?db=${database}`;

    it('as a source', async () => {
      await using influx = await startInfluxdb({ database });
      const set = keptByInfluxdb(generateDataset({ series: PLAIN_KINDS.length * 2, startMs, endMs }));
      await pushSamples(writeUrl(influx), set);
      await using destination = await startPrometheus(RECEIVER);
      const run = await copiedAndVerified({
        source: { url: readUrl(influx) },
        destination: toPrometheus(destination),
        selectors: ['{__name__=~"test_(counter|decimal)"}', '{job="node"}', '{__name__=~".+",job=~"api|node"}'],
        timeRange: range(startMs, endMs),
      });
      assertClean(run, countSamples(set));
    });

    it('as a destination: it stores neither NaN nor ±Inf, nor native histograms', async () => {
      const kinds = [...PLAIN_KINDS, ...HISTOGRAM_KINDS];
      const set = generateDataset({ series: kinds.length * 2, startMs, endMs, kinds });
      await using source = await loadedPrometheus(set);
      await using influx = await startInfluxdb({ database });
      const run = await copiedAndVerified(
        {
          source: fromPrometheus(source),
          destination: {
            url: writeUrl(influx),
            ordering: 'Any',
            progress: { protocol: 'RemoteRead', url: readUrl(influx) },
          },
          rejectedSamples: 'Skip',
          timeRange: range(startMs, endMs),
        },
        3,
      );
      const lost = countFloats(set, (value) => !Number.isFinite(value));
      const histograms = [...set.values()].reduce((sum, series) => sum + series.histograms.length, 0);
      const zeros = countFloats(keptByInfluxdb(set), (value) => Object.is(value, -0));
      assert.ok(lost > 100 && zeros > 10 && histograms > 1000);
      assertClean(run, countSamples(set), {
        influxdb_nan_inf: lost,
        influxdb_histograms: histograms,
        samples_negative_zero: zeros,
      });
    });
  });
});
