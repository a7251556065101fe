// The reader of Prometheus' files shows what the server shows, in the state of a crash as well, when samples arrive out of order.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { generateDataset } from '../support/dataset.ts';
import { pushSamples } from '../support/load.ts';
import { dumpPrometheus } from '../support/readers.ts';
import { readFloats } from '../support/remote-read.ts';
import { countSamples, type SeriesSet, sliceSeries } from '../support/series-set.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { startPrometheus } from '../support/servers.ts';
import { assertEqualSeries, union } from './support/expectations.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const startMs = Date.UTC(2025, 5, 1);

function start(version: string): Promise<ServerProcess> {
  return startPrometheus({ version, receiver: true, outOfOrderWindow: '30d' });
}

function push(server: ServerProcess, set: SeriesSet, stepMs?: number): Promise<number> {
  return pushSamples(`${server.url}/api/v1/write`, set, stepMs === undefined ? {} : { stepMs, samplesPerRequest: 1e6 });
}

/** The float samples that `keeps`, which gets the index in the series. */
function select(set: SeriesSet, keeps: (timeMs: number, index: number) => boolean): SeriesSet {
  return new Map(
    [...set].map(([key, series]) => {
      const isKept = (_: unknown, i: number) => keeps(series.timesMs[i] ?? 0, i);
      return [key, { ...series, timesMs: series.timesMs.filter(isKept), bits: series.bits.filter(isKept) }];
    }),
  );
}

interface BlockMeta {
  readonly maxTime: number;
  readonly compaction: { readonly hints?: readonly string[] };
}

async function blocksOf({ dataDir }: ServerProcess): Promise<BlockMeta[]> {
  const blocks = (await readdir(dataDir)).filter((name) => /^[0-9A-Z]{26}$/.test(name));
  return Promise.all(blocks.map(async (name) => JSON.parse(await readFile(join(dataDir, name, 'meta.json'), 'utf8'))));
}

async function untilOutOfOrderBlock(server: ServerProcess, endMs: number): Promise<void> {
  const isWanted = ({ maxTime, compaction }: BlockMeta) =>
    maxTime === endMs && compaction.hints?.includes('from-out-of-order');
  // A block that is being deleted has no meta.json.
  while (!(await blocksOf(server).catch(() => [])).some(isWanted)) await sleep(100);
}

describe("the reader of Prometheus' files", () => {
  for (const version of ['2.53', '3.5', 'current']) {
    it(`${version}: shows the head although a block of out-of-order samples is newer`, async () => {
      await using server = await start(version);
      const all = generateDataset({ series: 22, startMs, endMs: startMs + 200 * MINUTE_MS });
      const late = (timeMs: number, i: number) => i % 2 === 1 && timeMs < startMs + 150 * MINUTE_MS;
      const inTime = (_: number, i: number) => i % 2 === 0;
      const even = select(all, inTime);
      // Three hours of data start a compaction: the first two hours of the head become a block, the out-of-order samples two.
      await push(server, sliceSeries(even, startMs, startMs + 170 * MINUTE_MS));
      await push(server, select(all, late));
      await push(server, sliceSeries(even, startMs + 170 * MINUTE_MS, startMs + 200 * MINUTE_MS));
      await untilOutOfOrderBlock(server, startMs + 4 * HOUR_MS);
      const expected = select(all, (timeMs, i) => inTime(timeMs, i) || late(timeMs, i));
      assert.equal(countSamples(await readFloats(server.url, startMs, startMs + 4 * HOUR_MS)), countSamples(expected));
      assertEqualSeries(expected, await dumpPrometheus(server), 'bits');
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
      assertEqualSeries(expected, await dumpPrometheus(server), 'bits');
    });

    it(`${version}: shows new series that several requests wrote at the same time, out of order`, async () => {
      await using server = await start(version);
      const range = { startMs, endMs: startMs + 4 * HOUR_MS };
      const newer = generateDataset({
        series: 1,
        startMs: startMs + 28 * HOUR_MS,
        endMs: startMs + 29 * HOUR_MS,
        prefix: 'newer',
      });
      await push(server, newer);
      const shared = generateDataset({ ...range, series: 800, kinds: ['five-minutes'] });
      const bulk = generateDataset({ ...range, series: 16, kinds: ['one-second'] });
      const middleMs = startMs + 2 * HOUR_MS;
      // One large request, and many small ones that end while the server is still appending the large one, which has created their series.
      const large = push(server, union(sliceSeries(shared, middleMs, range.endMs), bulk), 24 * HOUR_MS);
      for (const entry of sliceSeries(shared, startMs, middleMs)) await push(server, new Map([entry]), 24 * HOUR_MS);
      await large;
      const older = union(shared, bulk);
      const expected = union(newer, older);
      assertEqualSeries(expected, await dumpPrometheus(server), 'bits');
      await server.stop();
      assertEqualSeries(expected, await dumpPrometheus(server), 'bits');
    });
  }
});
