import assert from 'node:assert/strict';
import { line, queryTimes, read, readBytes, readTimes, write } from './exchange.ts';
import { startFakeStore } from './fake-store.ts';
import { m3 } from './m3.ts';
import { encodeHistogram } from './messages.ts';
import { numberOf } from './promql.ts';

const t = Date.UTC(2024, 0, 1);

describe('the fake M3', () => {
  it('excludes the end of every range', async () => {
    await using store = await startFakeStore(m3());
    await write(store, [
      line('a', [
        [t - 1, 1],
        [t, 1],
      ]),
    ]);
    assert.deepEqual(await readTimes(store, t, t), []);
    assert.deepEqual(await readTimes(store, t - 1, t), [t - 1]);
    assert.deepEqual(await readTimes(store, t, t + 1), [t]);
    assert.deepEqual(await queryTimes(store, 1, t), [t - 1]);
    assert.deepEqual(await queryTimes(store, 1, t + 1), [t]);
  });

  it('rounds values to their decimal digits', async () => {
    await using store = await startFakeStore(m3());
    const values = [0.1 + 0.2, -0, 5e-324, 1 / 3, -1.5, 1e300, 123456.789];
    await write(store, [
      line(
        'a',
        values.map((value, i) => [t + i, value] as const),
      ),
    ]);
    const shown = (await read(store, t, t + 100))[0]!.samples.map(({ bits }) => numberOf(bits));
    assert.deepEqual(shown, [0.3, 0, 0, 1 / 3, -1.5, 1e300, 123456.789]);
    assert.equal(store.series()[0]!.samples[1]!.bits, 0n);
  });

  it('without cold writes rejects what is older than the last minutes, summarizes it, and keeps the rest', async () => {
    await using store = await startFakeStore(m3({ coldWrites: false }), { now: () => t });
    const old = [
      [t - 700_000, 1],
      [t - 600_001, 1],
      [t - 600_000, 1],
      [t + 120_001, 1],
    ] as const;
    const { status, text } = await write(store, [line('a', old)]);
    assert.equal(status, 400);
    assert.match(JSON.parse(text).error, /^bad_request_errors: count=3, last=datapoint too far in future/);
    assert.deepEqual(
      store.series()[0]!.samples.map(({ timeMs }) => timeMs),
      [t - 600_000],
    );
  });

  it('rejects native histograms, and keeps the rest', async () => {
    await using store = await startFakeStore(m3());
    const histogram = encodeHistogram({ countInt: 1, sum: 1, timestamp: t });
    const { status, text } = await write(store, [
      { labels: [['__name__', 'h']], samples: [{ timeMs: t, bits: 0n, histogram }] },
      line('a', [[t, 1]]),
    ]);
    assert.equal(status, 400);
    assert.match(text, /write query with no datapoints/);
    assert.deepEqual(store.counts(), { floats: 1, histograms: 0, twice: 0 });
  });

  it('keeps the last value of a timestamp', async () => {
    await using store = await startFakeStore(m3());
    for (const value of [1, 2]) await write(store, [line('a', [[t, value]])]);
    assert.deepEqual(
      store.series()[0]!.samples.map(({ bits }) => numberOf(bits)),
      [2],
    );
  });

  it('rejects a query with more series than its limit', async () => {
    await using store = await startFakeStore(m3({ maxFetchedSeries: 1 }));
    await write(store, [line('a', [[t, 1]]), line('b', [[t, 1]])]);
    const { status, text } = await readBytes(store, t, t + 1);
    assert.equal(status, 400);
    assert.match(text, /query exceeded limit: require_exhaustive=true/);
  });
});
