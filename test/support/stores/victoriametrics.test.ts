import assert from 'node:assert/strict';
import { staleBits } from '../../migration/support/remote-messages.ts';
import { line, query, queryTimes, readBytes, write } from './exchange.ts';
import { startFakeStore } from './fake-store.ts';
import { victoriametrics } from './victoriametrics.ts';

const t = Date.UTC(2024, 0, 1);

async function exported(store: { url: string }, fromMs: number, toMs: number): Promise<unknown[]> {
  const parameters = new URLSearchParams({
    'match[]': '{__name__!=""}',
    start: String(fromMs / 1000),
    end: String(toMs / 1000),
  });
  const text = await (await fetch(`${store.url}/api/v1/export?${parameters}`)).text();
  return text
    .split('\n')
    .filter(Boolean)
    .map((one) => JSON.parse(one) as unknown);
}

describe('the fake VictoriaMetrics', () => {
  it('acknowledges everything and stores duplicates', async () => {
    await using store = await startFakeStore(victoriametrics());
    for (const at of [t + 1000, t, t + 1000]) assert.equal((await write(store, [line('a', [[at, 1]])])).status, 204);
    assert.deepEqual(store.counts(), { floats: 3, histograms: 0, twice: 1 });
    assert.deepEqual(await exported(store, t, t + 1000), [
      { metric: { __name__: 'a' }, values: [1, 1, 1], timestamps: [t, t + 1000, t + 1000] },
    ]);
  });

  it('has no remote_read', async () => {
    await using store = await startFakeStore(victoriametrics());
    assert.equal((await readBytes(store, t, t)).status, 404);
  });

  it('shows stale markers in its export only, and excludes the start of a range', async () => {
    await using store = await startFakeStore(victoriametrics());
    await write(store, [
      line('a', [
        [t, 1],
        [t + 500, staleBits],
        [t + 1000, 1],
      ]),
    ]);
    assert.deepEqual(await queryTimes(store, 1000, t + 1000), [t + 1000]);
    assert.deepEqual(await exported(store, t, t + 1000), [
      { metric: { __name__: 'a' }, values: [1, null, 1], timestamps: [t, t + 500, t + 1000] },
    ]);
  });

  it('hides a new series until a delay has passed or it is flushed', async () => {
    let nowMs = t;
    await using store = await startFakeStore(victoriametrics({ hiddenForMs: 2000 }), { now: () => nowMs });
    const shown = () => queryTimes(store, 10_000, t + 5000);
    await write(store, [line('a', [[t, 1]])]);
    assert.deepEqual(await shown(), []);
    nowMs += 2000;
    assert.deepEqual(await shown(), [t]);
    await write(store, [line('a', [[t + 1, 1]]), line('b', [[t + 2, 1]])]);
    assert.deepEqual(await shown(), [t, t + 1]);
    assert.equal((await fetch(`${store.url}/internal/force_flush`)).status, 200);
    assert.deepEqual(await shown(), [t, t + 1, t + 2]);
    await write(store, [line('c', [[t + 3, 1]])]);
    assert.deepEqual(await shown(), [t, t + 1, t + 2]);
  });

  it('hides what its own flusher is writing even after a flush on demand, except in the index', async () => {
    let nowMs = t;
    await using store = await startFakeStore(victoriametrics({ flushingForMs: 1700 }), { now: () => nowMs });
    await write(store, [line('a', [[t, 1]])]);
    assert.equal((await fetch(`${store.url}/internal/force_flush`)).status, 200);
    assert.deepEqual(await exported(store, t, t), []);
    const parameters = new URLSearchParams({ 'match[]': '{__name__="a"}', start: `${t / 1000}`, end: `${t / 1000}` });
    const listed = await fetch(`${store.url}/api/v1/series?${parameters}`);
    assert.deepEqual(await listed.json(), { status: 'success', data: [{ __name__: 'a' }] });
    nowMs += 1700;
    assert.equal((await exported(store, t, t)).length, 1);
  });

  it('drops samples older than its retention, with a 204', async () => {
    await using store = await startFakeStore(victoriametrics({ oldestMs: t }));
    assert.equal(
      (
        await write(store, [
          line('a', [
            [t - 1, 1],
            [t, 1],
          ]),
        ])
      ).status,
      204,
    );
    assert.equal(store.counts().floats, 1);
  });

  it('stores values as decimals, and drops NaNs other than stale markers', async () => {
    await using store = await startFakeStore(victoriametrics());
    await write(store, [
      line('a', [
        [t, 0.1 + 0.2],
        [t + 1, 1n << 63n],
        [t + 2, 0x7ff8_0000_dead_beefn],
        [t + 3, staleBits],
      ]),
    ]);
    const stored = store.series()[0]!.samples.map(({ timeMs, bits }) => [timeMs - t, bits]);
    assert.deepEqual(stored.slice(1), [
      [1, 0n],
      [3, staleBits],
    ]);
    const { data } = await query(store, '{__name__="a"}[1s]', t + 1);
    assert.deepEqual(data!.result[0]!.values, [
      [t / 1000, '0.3'],
      [(t + 1) / 1000, '0'],
    ]);
  });
});
