// InfluxDB 1.x on either side: its plain responses, its unanchored regular expressions, the samples that it silently drops, and the marks
// that are read back from it.
import assert from 'node:assert/strict';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus, readInflux } from '../support/readers.ts';
import { keptByInfluxdb } from '../support/series-comparison.ts';
import {
  bitsOf,
  countSamples,
  type Label,
  labelText,
  numberOf,
  SeriesBuilder,
  type SeriesSet,
} from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startInfluxdb, startPrometheus } from '../support/servers.ts';
import { type MigrationSpec, runMigration, startMigration } from './support/migration.ts';
import {
  assertEqualSets,
  assertExit,
  fromPrometheus,
  range,
  toPrometheus,
  withPositiveZeros,
} from './support/pairs.ts';

const HOUR_MS = 3_600_000;
const startMs = Date.UTC(2025, 5, 1);
const endMs = startMs + 4 * HOUR_MS;
const timeRange = range(startMs, endMs);
const database = 'prometheus';
const kindsWithoutInf = PLAIN_KINDS.filter((kind) => kind !== 'special');

function readUrl(influx: ServerProcess): string {
  return `${influx.url}/api/v1/prom/read?db=${database}`;
}

function writeUrl(influx: ServerProcess): string {
  return `${influx.url}/api/v1/prom/write?db=${database}`;
}

function toInfluxdb(influx: ServerProcess): MigrationSpec {
  return {
    url: writeUrl(influx),
    ordering: 'Any',
    progress: { protocol: 'RemoteRead', url: readUrl(influx) },
  };
}

/** Ten samples of each label set, early in the range. */
function fewSamples(...labelSets: Label[][]): SeriesSet {
  const set: SeriesSet = new Map();
  for (const labels of labelSets) {
    const builder = new SeriesBuilder(labels);
    for (let i = 0; i < 10; i++) builder.add(startMs + i * 15_000, bitsOf(i));
    const series = builder.finish();
    set.set(labelText(series.labels), series);
  }
  return set;
}

describe('InfluxDB 1.x', () => {
  it('as a source: all of its data, through several overlapping selectors', async () => {
    await using influx = await startInfluxdb({ database });
    const set = keptByInfluxdb(generateDataset({ series: PLAIN_KINDS.length * 2, startMs, endMs }));
    await pushSamples(writeUrl(influx), set);
    await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
    const run = await runMigration({
      source: { url: readUrl(influx) },
      destination: toPrometheus(prometheus),
      selectors: ['{__name__=~"test_(counter|decimal)"}', '{job="node"}', '{__name__=~".+",job=~"api|node"}'],
      timeRange,
    });
    assertExit(run, 0);
    assert.equal(run.result.samplesWritten, countSamples(set));
    assertEqualSets('InfluxDB → Prometheus 3.5', withPositiveZeros(set), await dumpPrometheus(prometheus));
  });

  it('as a source: regular expressions match the whole value, like everywhere else', async () => {
    await using influx = await startInfluxdb({ database });
    const wanted = fewSamples(
      [
        ['__name__', 'up'],
        ['job', 'api'],
      ],
      [
        ['__name__', 'down'],
        ['job', 'web-1'],
      ],
      [
        ['__name__', 'line'],
        ['job', 'a\nb'],
      ],
    );
    const others = fewSamples(
      [
        ['__name__', 'upstream'],
        ['job', 'api'],
      ],
      [
        ['__name__', 'down'],
        ['job', 'my-web-12'],
      ],
      [
        ['__name__', 'prom_migrator_progress'],
        ['migration', 'default/an-earlier-one'],
      ],
      [
        ['__name__', 'cup'],
        ['job', 'api2'],
      ],
    );
    await pushSamples(writeUrl(influx), new Map([...wanted, ...others]));
    // Behind a proxy with its own path, only the responses show that it is InfluxDB.
    await using proxy = await startRenamingProxy(readUrl(influx));
    for (const url of [readUrl(influx), proxy.url]) {
      await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
      const run = await runMigration({
        source: { url },
        destination: toPrometheus(prometheus),
        selectors: ['{__name__=~"up"}', '{__name__=~"down",job=~"web-."}', '{__name__="line",job!~"b|x"}'],
        timeRange,
      });
      assertExit(run, 0);
      const arrived = await dumpPrometheus(prometheus);
      const names = [...arrived.keys()].filter((key) => !key.includes('prom_migrator_progress'));
      assert.deepEqual(names.sort(), [...wanted.keys()].sort());
      assert.equal(run.result.samplesWritten, countSamples(wanted));
    }
  });

  it('as a source: a selector that makes InfluxDB itself fail ends the migration, and reports what to change', async () => {
    await using influx = await startInfluxdb({ database });
    const set = fewSamples(
      [
        ['__name__', 'up'],
        ['job', 'api'],
      ],
      [['__name__', 'down']],
    );
    await pushSamples(writeUrl(influx), set);
    await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
    const run = await runMigration({
      source: { url: readUrl(influx) },
      destination: toPrometheus(prometheus),
      selectors: ['{__name__=~".+",job!="web"}'],
      timeRange,
    });
    assertExit(run, 1);
    assert.equal(run.result.error?.code, 'influxdb-failed');
    assert.match(run.result.error?.message ?? '', /make every selector in spec\.selectors name one metric/);
  });

  it('as a destination: stores the finite floats; rejected and silently dropped samples are counted and reported', async () => {
    await using prometheus = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    const kinds = [...PLAIN_KINDS, ...HISTOGRAM_KINDS];
    const set = generateDataset({ series: kinds.length * 2, startMs, endMs, kinds });
    await pushSamples(`${prometheus.url}/api/v1/write`, set);
    await using influx = await startInfluxdb({ database });
    const spec = {
      source: fromPrometheus(prometheus),
      destination: toInfluxdb(influx),
      selectors: ['{__name__=~"test_[a-f].*"}', '{__name__=~".*",__name__!~"test_[a-f].*",job=~".+"}'],
      timeRange,
    };
    const floats = withoutHistograms(set);
    const infinite = countFloats(floats, (value) => Math.abs(value) === Number.POSITIVE_INFINITY);
    const silent = countFloats(floats, Number.isNaN) + countSamples(set) - countSamples(floats);
    assert.ok(infinite > 50 && silent > 50, 'the data set has both');

    const failed = await runMigration(spec);
    assertExit(failed, 1);
    assert.equal(failed.result.error?.code, 'samples-rejected');
    assert.match(failed.result.error?.message ?? '', /Inf is an unsupported value/);

    const run = await runMigration({ ...spec, rejectedSamples: 'Skip' });
    assertExit(run, 3);
    assert.deepEqual(run.result.samplesRejected, { invalid_sample: infinite });
    assert.equal(run.result.samplesRead, countSamples(set));
    // What the failed run has written is compared, not written again; dropped samples are sent again.
    assert.match(run.stderr, new RegExp(`stores none of them: ${silent} of the samples that count as written`));
    assertEqualSets('Prometheus 3.5 → InfluxDB', keptByInfluxdb(floats), await readInflux(influx.url, database));
  });

  it('as a destination: shows its marks, so that a killed migration resumes and a finished one is recognized', async () => {
    await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
    const set = generateDataset({ series: kindsWithoutInf.length * 2, startMs, endMs, kinds: kindsWithoutInf });
    await pushSamples(`${prometheus.url}/api/v1/write`, set);
    await using influx = await startInfluxdb({ database });
    const spec = {
      source: fromPrometheus(prometheus),
      destination: toInfluxdb(influx),
      timeRange,
      window: { max: '10m' },
      limits: { samplesPerSecond: 20_000 },
    };
    {
      await using killed = await startMigration(spec, { args: ['--log-level', 'debug'] });
      await killed.saying(/(?:window finished[\s\S]*){5}/);
      killed.child.kill('SIGKILL');
      await killed.ended;
    }
    const run = await runMigration({ ...spec, limits: {} });
    assertExit(run, 0);
    const { resumedFrom, samplesRead, samplesAlreadyPresent, samplesWritten } = run.result;
    assert.ok(Date.parse(resumedFrom ?? '') > startMs, `went on at ${resumedFrom}`);
    assert.equal(samplesRead, samplesAlreadyPresent + samplesWritten);
    assertEqualSets(
      'Prometheus 3.5 → InfluxDB, killed once',
      keptByInfluxdb(set),
      await readInflux(influx.url, database),
    );

    const again = await runMigration(spec);
    assertExit(again, 0);
    assert.equal(again.result.samplesRead, 0);
    assert.match(again.stderr, /an earlier run has finished this migration/);
  });

  it('reads its marks among the probes of the same migration', async () => {
    await using prometheus = await startPrometheus({ version: '3.5', receiver: true });
    const set = generateDataset({ series: 4, startMs, endMs: startMs + HOUR_MS });
    await pushSamples(`${prometheus.url}/api/v1/write`, set);
    await using influx = await startInfluxdb({ database });
    const spec = {
      source: fromPrometheus(prometheus),
      destination: toInfluxdb(influx),
      timeRange: range(startMs, startMs + HOUR_MS),
    };
    assertExit(await runMigration(spec), 0);
    const marks = [...(await readInflux(influx.url, database)).values()].filter(
      ({ labels }) =>
        labels.some(([name, value]) => name === '__name__' && value === 'prom_migrator_progress') &&
        labels.every(([name]) => name !== 'count'),
    );
    const mark = marks[0];
    assert.ok(mark !== undefined && marks.length === 1);
    // As left by a run with rejectedSamples: Skip, later than all marks.
    const probe = new SeriesBuilder([...mark.labels, ['probe', '1']]);
    probe.add(startMs + 2 * HOUR_MS - 1, bitsOf(0));
    const probes = probe.finish();
    await pushSamples(writeUrl(influx), new Map([[labelText(probes.labels), probes]]));
    const longer = await runMigration({ ...spec, timeRange: range(startMs, startMs + 2 * HOUR_MS) });
    assertExit(longer, 0);
    assert.equal(longer.result.resumedFrom, new Date(startMs + HOUR_MS).toISOString());
  });
});

function countFloats(set: SeriesSet, counts: (value: number) => boolean): number {
  let samples = 0;
  for (const { bits } of set.values()) for (const value of bits) if (counts(numberOf(value))) samples++;
  return samples;
}

/** The floats alone. */
function withoutHistograms(set: SeriesSet): SeriesSet {
  const floats = [...set].filter(([, { timesMs }]) => timesMs.length > 0);
  return new Map(floats.map(([key, series]) => [key, { ...series, histogramTimesMs: [], histograms: [] }]));
}

/** Forwards every request to one URL. */
async function startRenamingProxy(target: string): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((incoming, outgoing) => {
    const { 'content-type': type, 'content-encoding': encoding } = incoming.headers;
    const onward = httpRequest(
      target,
      { method: 'POST', headers: { 'content-type': type, 'content-encoding': encoding, 'accept-encoding': 'snappy' } },
      (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/metrics-store/read`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
