import assert from 'node:assert/strict';
import { staleBits } from '../../migration/support/remote-messages.ts';
import { cortex } from './cortex.ts';
import { line, query, read, readBytes, readTimes, write } from './exchange.ts';
import { startFakeStore } from './fake-store.ts';
import { encodeHistogram, type LabeledSamples } from './messages.ts';

const t = Date.UTC(2024, 0, 1);
const hourMs = 3_600_000;

function histograms(name: string, timesMs: readonly number[]): LabeledSamples {
  const samples = timesMs.map((timeMs) => ({
    timeMs,
    bits: 0n,
    histogram: encodeHistogram({ countInt: 1, sum: 1, zeroCountInt: 1, timestamp: timeMs }),
  }));
  return { labels: [['__name__', name]], samples };
}

describe('the fake Cortex', () => {
  it('responds with SAMPLES to every request, without Content-Encoding', async () => {
    await using store = await startFakeStore(cortex());
    await write(store, [line('a', [[t, 1]])]);
    const { headers } = await readBytes(store, t, t, { streamed: true });
    assert.equal(headers.get('content-type'), 'application/x-protobuf');
    assert.equal(headers.get('content-encoding'), null);
  });

  it('keeps the valid part of a rejected request', async () => {
    await using store = await startFakeStore(cortex());
    await write(store, [line('a', [[t, 1]])]);
    const refused = await write(store, [
      line('b', [[t, 1]]),
      line('a', [
        [t - 1000, 1],
        [t + 1000, 1],
      ]),
    ]);
    assert.equal(refused.status, 400);
    assert.match(refused.text, /out of order sample.*series=\{__name__="a"\}/);
    assert.deepEqual(await readTimes(store, 0, t + hourMs), [t, t + 1000, t]);
  });

  it('keeps all bits but −0', async () => {
    await using store = await startFakeStore(cortex());
    const values = [staleBits, 0x7ff8_0000_dead_beefn, 0x7ff0_0000_0000_0000n, 1n, 1n << 63n];
    await write(store, [
      line(
        'a',
        values.map((bits, i) => [t + i, bits] as const),
      ),
    ]);
    assert.deepEqual(
      (await read(store, t, t + 9))[0]!.samples.map(({ bits }) => bits),
      values.with(4, 0n),
    );
  });

  it('drops native histograms with a 2xx unless they are enabled', async () => {
    for (const nativeHistograms of [false, true]) {
      await using store = await startFakeStore(cortex({ nativeHistograms }));
      assert.equal((await write(store, [histograms('h', [t, t + 1000]), line('a', [[t, 1]])])).status, 200);
      assert.deepEqual(store.counts(), { floats: 1, histograms: nativeHistograms ? 2 : 0, twice: 0 });
    }
  });

  it('drops a whole request of a replica that its HA tracker does not follow, with a 202', async () => {
    await using store = await startFakeStore(cortex({ electedReplica: 'r1' }));
    const from = (replica: string) => line('a', [[t, 1]], { cluster: 'c', __replica__: replica });
    const dropped = await write(store, [from('r2'), line('b', [[t, 1]])]);
    assert.deepEqual(
      [dropped.status, dropped.text],
      [202, 'replicas did not match, rejecting sample: replica=r2, elected=r1'],
    );
    assert.deepEqual(store.series(), []);
    assert.equal((await write(store, [from('r1')])).status, 200);
    assert.deepEqual(store.series()[0]!.labels, [
      ['__name__', 'a'],
      ['cluster', 'c'],
    ]);
  });

  it('always returns 429 when its burst is smaller than the request', async () => {
    await using store = await startFakeStore(cortex({ ingestionBurst: 2 }));
    const request = [
      line('a', [
        [t, 1],
        [t + 1, 1],
      ]),
      line('b', [[t, 1]]),
    ];
    for (let i = 0; i < 3; i++) {
      const { status, headers } = await write(store, request);
      assert.deepEqual([status, headers.get('retry-after')], [429, '1']);
    }
    assert.equal((await write(store, request.slice(0, 1))).status, 200);
  });

  it('rejects too many series or bytes however short the range', async () => {
    for (const limit of [{ maxFetchedSeries: 2 }, { maxFetchedBytes: 12 }]) {
      await using store = await startFakeStore(cortex(limit));
      store.put(
        ['a', 'b', 'c'].map((name) =>
          line(name, [
            [t, 1],
            [t + hourMs, 1],
          ]),
        ),
      );
      for (const toMs of [t + hourMs, t]) {
        const { status, text } = await readBytes(store, t, toMs);
        assert.equal(status, 400);
        assert.match(text, /the query hit the (?:max number of series|aggregated data size) limit/);
      }
      const matchers = [{ kind: '=', name: '__name__', value: 'a' }] as const;
      assert.equal((await read(store, t, t, { matchers })).length, 1);
      const { status, error } = await query(store, '{__name__=~".+"}[1s]', t);
      assert.equal(status, 422);
      assert.match(error!, /the query hit the/);
    }
  });

  it('with chunks storage queries by exact names only', async () => {
    await using store = await startFakeStore(cortex({ storage: 'chunks' }));
    await write(store, [line('a', [[t, 1]])]);
    assert.deepEqual((await readBytes(store, t, t)).text, 'query must contain metric name');
    assert.match((await query(store, '{__name__=~"a|b"}[1s]', t)).error!, /must contain metric name/);
    assert.equal((await query(store, 'a[1s]', t)).data!.result.length, 1);
  });

  it('limits series and labels, and keeps the rest', async () => {
    await using store = await startFakeStore(cortex({ maxSeriesPerUser: 1, maxLabelValueLength: 5 }));
    const { status, text } = await write(store, [
      line('a', [[t, 1]], { long: 'longer' }),
      line('b', [[t, 1]]),
      line('c', [[t, 1]]),
    ]);
    assert.equal(status, 400);
    assert.match(text, /label value too long/);
    assert.match((await write(store, [line('c', [[t, 1]])])).text, /per-user series limit of 1 exceeded/);
    assert.deepEqual(
      store.series().map(({ labels }) => labels),
      [[['__name__', 'b']]],
    );
  });

  it('isolates tenants, and requires one', async () => {
    await using store = await startFakeStore(cortex({ multitenancy: true }));
    assert.equal((await write(store, [line('a', [[t, 1]])])).status, 401);
    await write(store, [line('a', [[t, 1]])], { 'x-scope-orgid': 'one' });
    assert.equal(store.counts('one').floats, 1);
    assert.equal(store.counts('two').floats, 0);
    assert.deepEqual(await read(store, t, t, { headers: { 'x-scope-orgid': 'two' } }), []);
  });
});
