import assert from 'node:assert/strict';
import { line, readBytes, write } from './exchange.ts';
import { type FakeStore, startFakeStore } from './fake-store.ts';
import type { Fault } from './faults.ts';
import { bytesOf, textOf } from './label-text.ts';
import { victoriametrics } from './victoriametrics.ts';
import { prometheus } from './prometheus.ts';

const t = Date.UTC(2024, 0, 1);

async function outcome(store: FakeStore, fault: Fault): Promise<{ status: number | 'no response'; stored: number }> {
  store.onRequest = () => fault;
  const status = await write(store, [line('a', [[t, 1]])]).then(
    (response) => response.status,
    () => 'no response' as const,
  );
  await store.settled();
  return { status, stored: store.counts().floats };
}

describe('a fake store', () => {
  const faults: readonly (readonly [Fault, number | 'no response', stored: number])[] = [
    [{ status: 503, body: 'busy' }, 503, 0],
    [{ status: 503, commits: true }, 503, 1],
    [{ disconnects: 'before commit' }, 'no response', 0],
    [{ disconnects: 'after commit' }, 'no response', 1],
    [{ repeats: true }, 204, 2],
    [{ delayMs: 1 }, 204, 1],
  ];
  for (const [fault, status, stored] of faults) {
    it(`has a fault for one request: ${JSON.stringify(fault)}`, async () => {
      await using store = await startFakeStore(victoriametrics());
      assert.deepEqual(await outcome(store, fault), { status, stored });
      assert.deepEqual(store.failures, []);
    });
  }

  it('damages or truncates a response', async () => {
    await using store = await startFakeStore(prometheus());
    await write(store, [line('a', [[t, 1]])]);
    const whole = (await readBytes(store, t, t, { streamed: true })).body;
    store.onRequest = () => ({ damage: (body) => body.fill(0xff, 5, 9) });
    const damaged = (await readBytes(store, t, t, { streamed: true })).body;
    assert.deepEqual(damaged, Buffer.from(whole).fill(0xff, 5, 9));
    store.onRequest = () => ({ cutAfterBytes: 7 });
    await assert.rejects(readBytes(store, t, t, { streamed: true }));
  });

  it('logs every request with its query and its status', async () => {
    await using store = await startFakeStore(prometheus());
    await write(store, [
      line('a', [
        [t, 1],
        [t + 1, 1],
      ]),
    ]);
    await readBytes(store, t, t + 5);
    await fetch(`${store.url}/nothing`);
    assert.deepEqual(
      store.requests.map(({ kind, samples, query, status }) => [kind, samples, query?.endMs, status]),
      [
        ['write', 2, undefined, 204],
        ['read', 0, t + 5, 200],
        ['unknown', 0, undefined, 404],
      ],
    );
  });

  it('reports what it does not support', async () => {
    await using store = await startFakeStore(prometheus());
    await assert.rejects(fetch(store.writeUrl, { method: 'POST', body: 'nonsense' }));
    assert.equal(store.failures.length, 1);
  });
});

describe('the text of a label', () => {
  it('represents the same bytes, UTF-8 or not', () => {
    for (const bytes of [
      [],
      [0x63, 0xc3, 0xa9],
      [0xff],
      [0x61, 0xe9, 0x62],
      [0xc3, 0x28],
      [0xf0, 0x9f, 0x98, 0x80, 0x80],
    ]) {
      assert.deepEqual([...bytesOf(textOf(Uint8Array.from(bytes)))], bytes);
    }
    assert.equal(textOf(Uint8Array.of(0x61, 0xe9)), 'a\udce9');
  });
});
