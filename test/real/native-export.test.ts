// VictoriaMetrics' native export as the decoder reads it, compared with its export as JSON as an independent reader reads it: the same labels, times
// and bits.

import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { exportedBlocks } from '../../src/remote/native-export.ts';
import { QueryClient } from '../../src/remote/query-client.ts';
import { decodeLabels } from '../../src/wire/labels.ts';
import { BlockDecoder } from '../../src/wire/native-export/block-batch.ts';
import { MetricNames } from '../../src/wire/native-export/metric-name.ts';
import { SampleColumns } from '../../src/wire/sample-columns.ts';
import { endpointAt, once, recordingHooks } from '../remote/servers.ts';
import { request } from '../support/http.ts';
import { pushSamples } from '../support/load.ts';
import { exportVictoriaMetrics } from '../support/readers.ts';
import {
  bitsOf,
  type Label,
  labelText,
  NAN,
  numberOf,
  SeriesBuilder,
  type SeriesSet,
  sortLabels,
  STALE_MARKER,
} from '../support/series-set.ts';
import { startVictoriaMetrics } from '../support/servers.ts';

const STEP_MS = 15_000;
const startMs = Date.UTC(2025, 5, 30, 20);
/** More than a block of 8,192 samples, and over the end of a month, which is the end of a partition. */
const SAMPLES = 20_000;

type Draw = () => number;

function randomNumbers(seed: number): Draw {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

function randomBits(draw: Draw): bigint {
  const bits = (BigInt(Math.floor(draw() * 2 ** 32)) << 32n) | BigInt(Math.floor(draw() * 2 ** 32));
  // Ordinary NaNs are not stored.
  return (bits & 0x7ff0_0000_0000_0000n) === 0x7ff0_0000_0000_0000n ? 0n : bits;
}

const VALUES: Readonly<Record<string, (draw: Draw, i: number) => bigint>> = {
  random_bits: randomBits,
  unit: (draw) => bitsOf(draw()),
  decimals: (draw) => bitsOf(Math.round(draw() * 1e6) / 1000),
  integers: (draw) => bitsOf(Math.round((draw() - 0.5) * 1e6)),
  large_integers: (draw) => bitsOf(Math.round((draw() - 0.5) * 2 ** 60)),
  counter: (_, i) => bitsOf(i * 17 + (i % 7)),
  resetting: (_, i) => bitsOf((i % 900) * 1000 + (i % 13)),
  line: (_, i) => bitsOf(i * 5),
  constant: () => bitsOf(42.5),
  zero: () => 0n,
  one: () => bitsOf(1),
  negative_zero: () => bitsOf(-0),
  tiny: (draw) => bitsOf(draw() * 1e-300),
  denormal: (draw) => bitsOf(Math.ceil(draw() * 1000) * 5e-324),
  huge: (draw) => bitsOf(draw() * 1.7e308),
  mixed: (draw, i) => bitsOf(draw() * 10 ** ((i % 40) - 20)),
  stale: (draw, i) => (i % 50 === 49 ? STALE_MARKER : bitsOf(draw() * 100)),
  only_stale: () => STALE_MARKER,
  infinite: (draw, i) =>
    [bitsOf(Number.POSITIVE_INFINITY), bitsOf(Number.NEGATIVE_INFINITY), bitsOf(draw())][i % 3] as bigint,
  only_infinite: () => bitsOf(Number.NEGATIVE_INFINITY),
  not_a_number: (draw, i) => (i % 10 === 9 ? NAN : bitsOf(draw())),
};

function everyKind(): SeriesSet {
  const set: SeriesSet = new Map();
  const draw = randomNumbers(7);
  for (const [kind, valueAt] of Object.entries(VALUES)) {
    for (const spread of [0, 40]) {
      const builder = new SeriesBuilder(
        sortLabels([
          ['__name__', `native_${kind}`],
          ['Zone', 'before the name'],
          ['spread', String(spread)],
          ['odd', 'quote " and \\, \u0000\u0001\u0002, \u{1f600}'],
        ]),
      );
      const samples = kind === 'unit' ? 1 : SAMPLES;
      for (let i = 0; i < samples; i++)
        builder.add(startMs + i * STEP_MS + Math.floor(draw() * spread), valueAt(draw, i));
      set.set(labelText(builder.labels), builder.finish());
    }
  }
  return set;
}

interface Seen {
  readonly labels: readonly Label[];
  readonly samples: [timeMs: number, bits: bigint][];
  pieces: number;
}

async function nativeOf(url: string, range: { fromMs: number; toMs: number }): Promise<Map<string, Seen>> {
  const client = new QueryClient(endpointAt(url, { side: 'progress' }), recordingHooks());
  const seen = new Map<string, Seen>();
  const names = new MetricNames();
  const decoder = new BlockDecoder(64 * 1024);
  const columns = new SampleColumns();
  const options = { ...once(), maxBytes: 2 ** 24, batchBytes: 64 * 1024, maxRecordBytes: 2 ** 20 };
  const query = { matches: ['{__name__!=""}'], fromMs: range.fromMs, toMs: range.toMs - 1 };
  for await (const blocks of exportedBlocks(client, query, options)) {
    decoder.begin(blocks);
    for (const [index, { metricName }] of blocks.entries()) {
      columns.clear();
      decoder.decode(index, range, columns);
      const labels = decodeLabels(names.labelsOf(metricName));
      const key = labelText(labels);
      const series = seen.get(key) ?? { labels, samples: [], pieces: 0 };
      seen.set(key, series);
      if (columns.floats > 0) series.pieces++;
      for (let i = 0; i < columns.floats; i++) {
        const bits =
          (BigInt(columns.floatBits[2 * i + 1] as number) << 32n) | BigInt(columns.floatBits[2 * i] as number);
        series.samples.push([columns.floatTimesMs[i] as number, bits]);
      }
    }
  }
  client.close();
  for (const { samples } of seen.values()) samples.sort((a, b) => a[0] - b[0]);
  return seen;
}

async function assertSame(url: string, { fromMs, toMs }: { fromMs: number; toMs: number }): Promise<Map<string, Seen>> {
  // Makes all samples visible.
  const json = await exportVictoriaMetrics(url);
  const native = await nativeOf(url, { fromMs, toMs });
  let samples = 0;
  for (const [key, { timesMs, bits }] of json) {
    const expected = Array.from(timesMs, (timeMs, i): [number, bigint] => [timeMs, bits[i] as bigint])
      .filter(([timeMs]) => timeMs >= fromMs && timeMs < toMs)
      // The reader of JSON cannot distinguish NaNs, which are stale markers here.
      .map(([timeMs, value]): [number, bigint] => [timeMs, Number.isNaN(numberOf(value)) ? STALE_MARKER : value]);
    assert.deepEqual(native.get(key)?.samples ?? [], expected, key);
    samples += expected.length;
  }
  assert.ok(samples > 0);
  for (const [key, { samples: seen }] of native) assert.ok(seen.length === 0 || json.has(key), key);
  return native;
}

describe('the native export of VictoriaMetrics', () => {
  const all = { fromMs: startMs, toMs: startMs + (SAMPLES + 10) * STEP_MS };

  it('has the same labels, times and bits as its export as JSON', async () => {
    await using server = await startVictoriaMetrics({});
    const set = everyKind();
    await pushSamples(`${server.url}/api/v1/write`, set, { stepMs: SAMPLES * STEP_MS * 2, samplesPerRequest: 30_000 });
    const native = await assertSame(server.url, all);
    const pieces = [...native.values()].map((series) => series.pieces);
    assert.ok(Math.max(...pieces) >= 3, 'a series with several blocks');
    await assertSame(server.url, { fromMs: startMs + 777 * STEP_MS + 1, toMs: startMs + 9_000 * STEP_MS });
    await assertSame(server.url, { fromMs: startMs + 100 * STEP_MS, toMs: startMs + 101 * STEP_MS });
    await request(`${server.url}/internal/force_merge`);
    await setTimeout(2_000);
    await assertSame(server.url, all);
  });

  for (const interval of [undefined, '1ms'] as const) {
    it(`shows repeated samples ${interval === undefined ? 'as its export as JSON does' : 'that deduplication hides there'}`, async () => {
      const extraArgs = interval === undefined ? [] : [`-dedup.minScrapeInterval=${interval}`];
      await using server = await startVictoriaMetrics({ extraArgs });
      const set: SeriesSet = new Map();
      const builder = new SeriesBuilder([['__name__', 'twice']]);
      for (let i = 0; i < 100; i++) builder.add(startMs + i * STEP_MS, bitsOf(i));
      set.set(labelText(builder.labels), builder.finish());
      for (let i = 0; i < 2; i++) {
        await pushSamples(`${server.url}/api/v1/write`, set);
        // The parts are not merged yet.
        await request(`${server.url}/internal/force_flush`);
      }
      const [series] = [...(await nativeOf(server.url, all)).values()];
      assert.equal(series?.samples.length, 200);
      const [shown] = [...(await exportVictoriaMetrics(server.url)).values()];
      assert.equal(shown?.timesMs.length, interval === undefined ? 200 : 100);
    });
  }
});
