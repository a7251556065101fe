import assert from 'node:assert/strict';
import { line, query, queryTimes, readBytes, readTimes, write } from './exchange.ts';
import { startFakeStore } from './fake-store.ts';
import { encodeHistogram } from './messages.ts';
import { thanos } from './thanos.ts';

const t = Date.UTC(2024, 0, 1);
const hourMs = 3_600_000;

describe('the fake Thanos', () => {
  it("shows Receive's labels on every series, to queries and to matchers", async () => {
    await using store = await startFakeStore(thanos());
    await write(store, [line('a', [[t, 1]])]);
    const { data } = await query(store, '{receive="r1"}[1s]', t);
    assert.deepEqual(data!.result[0]!.metric, { __name__: 'a', receive: 'r1', tenant_id: 'default-tenant' });
    assert.deepEqual(store.series()[0]!.labels, [['__name__', 'a']]);
  });

  it('responds with 409 to samples out of order, and keeps the valid part', async () => {
    await using store = await startFakeStore(thanos());
    await write(store, [line('a', [[t, 1]])]);
    const refused = await write(store, [
      line('a', [
        [t - 2, 1],
        [t - 1, 1],
        [t + 1, 1],
      ]),
      line('b', [[t, 1]]),
    ]);
    assert.equal(refused.status, 409);
    assert.match(refused.text, /add 2 samples: out of order sample/);
    assert.equal(store.counts().floats, 3);
  });

  it('hides ranges entirely before its in-order head, but shows all of a range that extends into it', async () => {
    await using store = await startFakeStore(thanos({ outOfOrderWindowMs: 100 * hourMs }));
    await write(store, [line('a', [[t, 1]])]);
    assert.equal(
      (
        await write(store, [
          line('a', [
            [t - 50 * hourMs, 1],
            [t - 49 * hourMs, 1],
          ]),
        ])
      ).status,
      200,
    );
    assert.deepEqual(await queryTimes(store, 60 * hourMs, t - 1), []);
    assert.deepEqual(await readTimes(store, t - 60 * hourMs, t - 1), []);
    const all = [t - 50 * hourMs, t - 49 * hourMs, t];
    assert.deepEqual(await queryTimes(store, 60 * hourMs, t), all);
    assert.deepEqual(await readTimes(store, t - 60 * hourMs, t), all);
  });

  it('responds with 413 beyond its limits', async () => {
    for (const limit of [{ maxRequestBytes: 40 }, { maxRequestSeries: 1 }, { maxRequestSamples: 2 }]) {
      await using store = await startFakeStore(thanos(limit));
      const request = [
        line('a', [
          [t, 1],
          [t + 1, 1],
        ]),
        line('b', [[t, 1]]),
      ];
      assert.equal((await write(store, request)).status, 413);
      assert.equal((await write(store, [line('b', [[t, 1]])])).status, 200);
    }
  });

  it('through its bridge returns whole chunks and no native histograms', async () => {
    await using store = await startFakeStore(thanos());
    store.put([
      line(
        'a',
        Array.from({ length: 300 }, (_, i) => [t + i, 1] as const),
      ),
    ]);
    assert.equal((await readTimes(store, t + 119, t + 120)).length, 240);
    const message = encodeHistogram({ countInt: 1, sum: 1, timestamp: t });
    store.put([{ labels: [['__name__', 'h']], samples: [], histograms: [{ timeMs: t, message }] }]);
    const { status, text } = await readBytes(store, t, t);
    assert.deepEqual([status, text], [500, 'unexpected encoding type: 1']);
    assert.equal((await query(store, '{__name__="h"}[1s]', t)).data!.result.length, 1);
  });
});
