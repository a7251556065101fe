import assert from 'node:assert/strict';
import { line, query, read, readBytes, write } from './exchange.ts';
import { startFakeStore } from './fake-store.ts';
import { encodeHistogram } from './messages.ts';
import { numberOf } from './promql.ts';
import { promscale } from './promscale.ts';

const t = Date.UTC(2024, 0, 1);

describe('the fake Promscale', () => {
  it('accepts samples of any age, keeps the first value of a timestamp, and has no −0', async () => {
    await using store = await startFakeStore(promscale());
    for (const value of [1, 2])
      assert.equal(
        (
          await write(store, [
            line('a', [
              [t, value],
              [t - 1000, -0],
            ]),
          ])
        ).status,
        200,
      );
    assert.deepEqual(
      store.series()[0]!.samples.map(({ bits }) => numberOf(bits)),
      [0, 1],
    );
    assert.equal(store.series()[0]!.samples[0]!.bits, 0n);
  });

  it('drops native histograms with a 2xx', async () => {
    await using store = await startFakeStore(promscale());
    const histogram = encodeHistogram({ countInt: 1, sum: 1, timestamp: t });
    const { status } = await write(store, [
      { labels: [['__name__', 'h']], samples: [{ timeMs: t, bits: 0n, histogram }] },
    ]);
    assert.equal(status, 200);
    assert.deepEqual(store.series(), []);
  });

  it('with multi-tenancy requires a tenant, and shows it as a label', async () => {
    await using store = await startFakeStore(promscale({ multitenancy: true }));
    const refused = await write(store, [line('a', [[t, 1]])]);
    assert.deepEqual(
      [refused.status, refused.text],
      [400, 'authorization error for tenant : unauthorized or invalid tenant'],
    );
    for (const tenant of ['one', 'two']) await write(store, [line('a', [[t, 1]])], { tenant });
    const labels = (await read(store, t, t, { headers: { tenant: 'two' } })).map((series) => series.labels);
    assert.deepEqual(labels, [
      [
        ['__name__', 'a'],
        ['__tenant__', 'two'],
      ],
    ]);
    assert.equal((await read(store, t, t)).length, 2);
  });

  it('is strict about headers, and has its paths at the root', async () => {
    await using store = await startFakeStore(promscale());
    assert.match(store.writeUrl, /:\d+\/write$/);
    const headers = { 'x-prometheus-remote-read-version': '1.0.0' };
    assert.equal((await readBytes(store, t, t, { headers })).status, 400);
  });

  it('includes both ends of a range', async () => {
    await using store = await startFakeStore(promscale());
    await write(store, [
      line('a', [
        [t, 1],
        [t + 1000, 1],
      ]),
    ]);
    const { data } = await query(store, 'count_over_time(a[1s])', t + 1000);
    assert.equal(data!.result[0]!.value![1], '2');
  });
});
