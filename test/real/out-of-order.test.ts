// Prometheus to a Prometheus that already has newer data: with an out-of-order window (backfill), and without one, where the policy decides
// about the rejected samples.
import assert from 'node:assert/strict';
import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS, type SeriesKind } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus } from '../support/readers.ts';
import { countSamples, labelText, type SeriesSet, sliceSeries } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus } from '../support/servers.ts';
import {
  assertAllWritten,
  assertEqualSeries,
  assertExit,
  filterSeries,
  joinSeries,
  union,
  withoutProgress,
} from './support/expectations.ts';
import { type MigrationSpec, runMigration } from './support/migration.ts';
import { startWriteProxy } from './support/write-proxy.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
// At a block boundary, so that the proxy counts windows of 15 minutes.
const startMs = Date.UTC(2025, 4, 9, 4);
const KINDS: readonly SeriesKind[] = [...PLAIN_KINDS, 'utf8-names', ...HISTOGRAM_KINDS];

interface Pair {
  source: ServerProcess;
  destination: ServerProcess;
  endMs: number;
  protocol?: 'RemoteRead' | 'PromQL';
}

function specOf({ source, destination, endMs, protocol = 'RemoteRead' }: Pair): MigrationSpec {
  return {
    source: { url: `${source.url}/api/v1/read` },
    destination: destinationOf(destination, protocol),
    timeRange: { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() },
  };
}

function destinationOf(destination: ServerProcess, protocol: 'RemoteRead' | 'PromQL') {
  const url = protocol === 'RemoteRead' ? `${destination.url}/api/v1/read` : destination.url;
  return { url: `${destination.url}/api/v1/write`, progress: { protocol, url } };
}

function startSource(): Promise<ServerProcess> {
  return startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
}

function startDestination(outOfOrderWindow?: string): Promise<ServerProcess> {
  return startPrometheus({
    version: '3.5',
    receiver: true,
    nativeHistograms: true,
    ...(outOfOrderWindow === undefined ? {} : { outOfOrderWindow }),
  });
}

async function load(server: ServerProcess, set: SeriesSet): Promise<SeriesSet> {
  await pushSamples(`${server.url}/api/v1/write`, set);
  return withoutProgress(await dumpPrometheus(server));
}

describe('a migration behind newer data', () => {
  const endMs = startMs + 4 * HOUR_MS;
  const olderSet = () => generateDataset({ series: 180, startMs, endMs, kinds: KINDS });
  /** The same series two days later, and others. */
  const newerSet = () => {
    const laterMs = endMs + 48 * HOUR_MS;
    const range = { startMs: laterMs, endMs: laterMs + HOUR_MS, seed: 2 };
    return union(
      generateDataset({ series: 90, ...range, kinds: KINDS }),
      generateDataset({ series: 30, ...range, kinds: PLAIN_KINDS, prefix: 'other' }),
    );
  };

  it('fills an out-of-order window, in order', async () => {
    await using source = await startSource();
    await using destination = await startDestination('30d');
    const older = await load(source, olderSet());
    const newer = await load(destination, newerSet());
    const run = await runMigration(specOf({ source, destination, endMs }));
    assertExit(run, 0);
    assertAllWritten(run.result, older);
    assertEqualSeries(joinSeries(older, newer), await dumpPrometheus(destination), 'bits');
  });

  for (const ordering of ['InOrder', 'Any'] as const) {
    const several = ordering === 'Any';
    it(`has ${several ? 'several windows' : 'one window'} in flight with ordering ${ordering}`, async () => {
      await using source = await startSource();
      await using destination = await startDestination('30d');
      const older = await load(source, olderSet());
      const newer = await load(destination, newerSet());
      await using proxy = await startWriteProxy(destination.url, { startMs, windowMs: 15 * MINUTE_MS });
      const spec = specOf({ source, destination, endMs });
      const run = await runMigration({
        ...spec,
        destination: { ...(spec['destination'] as object), url: proxy.url, ordering },
        window: { min: '15m', max: '15m' },
      });
      assertExit(run, 0);
      assert.equal(run.result.windows, 16);
      assertAllWritten(run.result, older);
      assertEqualSeries(joinSeries(older, newer), await dumpPrometheus(destination), 'bits');
      const { most } = proxy.windowsInFlight();
      assert.ok(several ? most > 1 : most === 1, `${most} windows were in flight at once`);
    });
  }

  it('fails with the setting that would help when there is no such window', async () => {
    await using source = await startSource();
    await using destination = await startDestination();
    await load(source, olderSet());
    const newer = await load(destination, newerSet());
    const run = await runMigration(specOf({ source, destination, endMs }));
    assertExit(run, 1);
    const { phase, error, samplesRejected, through } = run.result;
    assert.equal(phase, 'Failed');
    assert.equal(error?.code, 'samples-rejected');
    assert.equal(error?.side, 'destination');
    assert.match(error?.message ?? '', /out of bounds|too old/);
    assert.match(error?.message ?? '', /out_of_order_time_window/);
    assert.match(error?.message ?? '', /rejectedSamples/);
    assert.deepEqual(Object.keys(samplesRejected), ['too_old']);
    assert.equal(through, new Date(startMs).toISOString(), 'nothing is marked as finished');
    assertEqualSeries(newer, await dumpPrometheus(destination), 'bits');
  });

  it('counts all of it as rejected when there is no such window and the policy is Skip', async () => {
    await using source = await startSource();
    await using destination = await startDestination();
    const older = await load(source, olderSet());
    const newer = await load(destination, newerSet());
    const run = await runMigration({ ...specOf({ source, destination, endMs }), rejectedSamples: 'Skip' });
    assertExit(run, 3);
    const { phase, samplesRead, samplesWritten, samplesRejected } = run.result;
    assert.equal(phase, 'Succeeded');
    assert.equal(samplesRead, countSamples(older));
    assert.equal(samplesWritten, 0);
    assert.deepEqual(samplesRejected, { too_old: countSamples(older) });
    assertEqualSeries(newer, await dumpPrometheus(destination), 'bits');
  });
});

describe('a series among others that has newer data at the destination', () => {
  // Less than the hour that a Prometheus head accepts: other series are accepted there.
  const endMs = startMs + 50 * MINUTE_MS;
  // A Prometheus 3.5 that rolls back a request still writes its float histograms to the write-ahead log, from a buffer that the next
  // request is already overwriting: after a restart some are missing.
  const kinds = KINDS.filter((kind) => kind !== 'float-histogram');
  const all = () => generateDataset({ series: 170, startMs, endMs, kinds });
  const BAD = 'host-00033:9100';
  const isBad = (labels: ReadonlyMap<string, string>) => labels.get('instance') === BAD;

  /** The one series, five minutes later. */
  function newerSample(): SeriesSet {
    const [key, series] = [...filterSeries(all(), isBad)][0]!;
    const timesMs = Float64Array.of(endMs + 5 * MINUTE_MS);
    return new Map([
      [key, { ...series, timesMs, bits: BigUint64Array.of(0x3ff0000000000000n), histogramTimesMs: [], histograms: [] }],
    ]);
  }

  function neighbours(): SeriesSet {
    const series = [...generateDataset({ series: 34, startMs, endMs, kinds, seed: 3 }).values()];
    return new Map(
      series.map((each) => {
        const labels = each.labels.map(
          ([name, value]) => [name, name === 'instance' ? `next-${value}` : value] as const,
        );
        return [labelText(labels), { ...each, labels }];
      }),
    );
  }

  for (const protocol of ['RemoteRead', 'PromQL'] as const) {
    it(`loses only its own samples when the policy is Skip (progress by ${protocol})`, async () => {
      await using source = await startSource();
      await using destination = await startDestination();
      const sourceSeries = await load(source, all());
      // Other series already have samples, with the same metric names at the same time.
      const newer = await load(destination, union(newerSample(), neighbours()));
      const bad = filterSeries(sourceSeries, isBad);
      assert.equal(bad.size, 1);
      const run = await runMigration({
        ...specOf({ source, destination, endMs, protocol }),
        rejectedSamples: 'Skip',
      });
      assertExit(run, 3);
      const { samplesRead, samplesWritten, samplesAlreadyPresent, samplesRejected } = run.result;
      assert.deepEqual(
        { samplesRead, samplesWritten, samplesAlreadyPresent, samplesRejected },
        {
          samplesRead: countSamples(sourceSeries),
          samplesWritten: countSamples(sourceSeries) - countSamples(bad),
          samplesAlreadyPresent: 0,
          samplesRejected: { out_of_order: countSamples(bad) },
        },
      );
      const others = filterSeries(sourceSeries, (labels) => !isBad(labels));
      assertEqualSeries(union(others, newer), await dumpPrometheus(destination), 'bits');
      assert.match(run.stderr, new RegExp(BAD), 'the log names the series');
    });
  }

  it('ends the migration after the rest of its window is written when the policy is Fail', async () => {
    await using source = await startSource();
    await using destination = await startDestination();
    const sourceSeries = await load(source, all());
    const newer = await load(destination, newerSample());
    const spec = { ...specOf({ source, destination, endMs }), window: { min: '10m', max: '10m' } };
    const run = await runMigration(spec);
    assertExit(run, 1);
    const { error, samplesRejected, through } = run.result;
    assert.equal(error?.code, 'samples-rejected');
    assert.match(error?.message ?? '', /out_of_order_time_window/);
    assert.equal(through, new Date(startMs).toISOString());
    const inWindow = (set: SeriesSet, part: (labels: ReadonlyMap<string, string>) => boolean) =>
      sliceSeries(filterSeries(set, part), startMs, startMs + 10 * MINUTE_MS);
    assert.deepEqual(samplesRejected, { out_of_order: countSamples(inWindow(sourceSeries, isBad)) });
    const written = inWindow(sourceSeries, (labels) => !isBad(labels));
    assertEqualSeries(union(written, newer), await dumpPrometheus(destination), 'bits');

    // The same migration resumes once the policy allows it, and writes nothing twice.
    const again = await runMigration({ ...spec, rejectedSamples: 'Skip' });
    assertExit(again, 3);
    assert.equal(again.result.samplesAlreadyPresent, countSamples(written));
    assert.deepEqual(again.result.samplesRejected, { out_of_order: countSamples(filterSeries(sourceSeries, isBad)) });
    const others = filterSeries(sourceSeries, (labels) => !isBad(labels));
    assertEqualSeries(union(others, newer), await dumpPrometheus(destination), 'bits');
  });
});
