// A current Prometheus that stores start timestamps, and so writes XOR2 and the start-timestamp histogram chunks: they are sent as stored,
// and every sample in them arrives.
import assert from 'node:assert/strict';
import snappy from 'snappyjs';
import { snapshotPrometheus } from '../support/blocks.ts';
import { generateDataset, HISTOGRAM_KINDS, PLAIN_KINDS, type SeriesKind } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus } from '../support/readers.ts';
import { compareSeries } from '../support/series-comparison.ts';
import { countSamples } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus } from '../support/servers.ts';
import { decodeMessage } from '../wire/support/oracle.ts';
import { runMigration } from './support/migration.ts';
import {
  askRemoteRead,
  assertEqualSets,
  assertExit,
  fromPrometheus,
  range,
  toPrometheus,
  withPositiveZeros,
} from './support/pairs.ts';

const startMs = Date.UTC(2025, 5, 1);
const endMs = startMs + 4 * 3_600_000;
const timeRange = range(startMs, endMs);
const kinds: readonly SeriesKind[] = [
  ...PLAIN_KINDS,
  'extremes',
  'utf8-names',
  ...HISTOGRAM_KINDS,
  'custom-bucket-histogram',
];
const everything = {
  matchers: [{ kind: '=~', name: '__name__', value: '.+' }],
  fromMs: startMs,
  toMs: endMs,
} as const;

interface Chunk {
  type: string;
}

/** The number of chunks of each encoding in a streamed response, decoded by protobufjs. */
function chunkTypes(body: Buffer): Map<string, number> {
  const types = new Map<string, number>();
  let at = 0;
  while (at < body.length) {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body.readUInt8(at++);
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const payload = body.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    const { chunkedSeries } = decodeMessage('ChunkedReadResponse', payload);
    for (const { chunks } of chunkedSeries as { chunks: Chunk[] }[]) {
      for (const { type } of chunks) types.set(type, (types.get(type) ?? 0) + 1);
    }
  }
  return types;
}

describe('a Prometheus that writes XOR2 and start timestamps', () => {
  const set = generateDataset({ series: kinds.length * 2, startMs, endMs, kinds, startTimes: true });
  const stack = new AsyncDisposableStack();
  let source: ServerProcess;

  before(async () => {
    source = stack.use(await startPrometheus({ version: 'current', receiver: true, startTimestamps: true }));
    await pushSamples(`${source.url}/api/v1/write`, set, { protocol: '2.0' });
  });
  after(() => stack.disposeAsync());

  it('stores them, and streams chunks of the encodings 4, 5 and 6', async () => {
    const held = compareSeries(set, await dumpPrometheus(await snapshotPrometheus(source)), {
      values: 'bits',
      startTimes: true,
    });
    if (held.differences > 0) assert.fail(held.first);
    const response = await askRemoteRead(`${source.url}/api/v1/read`, {
      ...everything,
      accept: ['STREAMED_XOR_CHUNKS', 'SAMPLES'],
    });
    assert.match(String(response.headers['content-type']), /^application\/x-streamed-protobuf/);
    const types = chunkTypes(response.body);
    console.log(`      chunks on the wire: ${[...types].map(([type, count]) => `${count} ${type}`).join(', ')}`);
    for (const type of ['XOR2', 'HISTOGRAM_ST', 'FLOAT_HISTOGRAM_ST']) {
      assert.ok((types.get(type) ?? 0) > 10, `${type} is among ${[...types.keys()]}`);
    }
  });

  for (const version of ['3.5', 'current']) {
    it(`is copied into Prometheus ${version} bit for bit, with one warning about start timestamps`, async () => {
      await using destination = await startPrometheus({ version, receiver: true, nativeHistograms: true });
      const run = await runMigration({
        source: fromPrometheus(source),
        destination: toPrometheus(destination),
        timeRange,
      });
      assertExit(run, 0);
      assert.equal(run.result.samplesWritten, countSamples(set));
      assert.equal(run.stderr.match(/code=start-timestamps/g)?.length, 1, run.stderr);
      assertEqualSets(`Prometheus current with start timestamps → ${version}`, set, await dumpPrometheus(destination));
    });
  }

  it('returns the same bytes in plain responses, which have no start timestamps and cause no warning', async () => {
    await using destination = await startPrometheus({ version: '3.5', receiver: true, nativeHistograms: true });
    const run = await runMigration({
      source: { ...fromPrometheus(source), readMode: 'Samples' },
      destination: toPrometheus(destination),
      timeRange,
    });
    assertExit(run, 0);
    assert.doesNotMatch(run.stderr, /start-timestamps/);
    const pair = 'Prometheus current with start timestamps → 3.5, plain answers';
    assertEqualSets(pair, withPositiveZeros(set), await dumpPrometheus(destination));
    const reply = await askRemoteRead(`${source.url}/api/v1/read`, { ...everything, accept: ['SAMPLES'] });
    const { results } = decodeMessage('ReadResponse', new Uint8Array(snappy.uncompress(reply.body)));
    const series: { samples: unknown[]; histograms: unknown[] }[] = results[0].timeseries;
    const responded = series.reduce((sum, { samples, histograms }) => sum + samples.length + histograms.length, 0);
    assert.equal(responded, countSamples(set));
  });
});
