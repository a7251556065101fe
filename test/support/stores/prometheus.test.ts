import assert from 'node:assert/strict';
import { FrameCollector } from '../../../src/wire/responses/frames.ts';
import { ChunkedCursor } from '../../../src/wire/responses/read-response.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { staleBits } from '../../migration/support/remote-messages.ts';
import { line, query, queryTimes, read, readBytes, readTimes, write } from './exchange.ts';
import { startFakeStore } from './fake-store.ts';
import { decodeHistogram, encodeHistogram } from './messages.ts';
import { prometheus } from './prometheus.ts';

const t = Date.UTC(2024, 0, 1);
const hourMs = 3_600_000;

describe('the fake Prometheus', () => {
  it('accepts samples in order, and rejects a whole request at its first invalid sample', async () => {
    await using store = await startFakeStore(prometheus());
    assert.equal(
      (
        await write(store, [
          line('a', [
            [t, 1],
            [t + 1000, 2],
          ]),
        ])
      ).status,
      204,
    );
    const refused = await write(store, [line('b', [[t, 1]]), line('a', [[t + 500, 9]]), line('c', [[t, 1]])]);
    assert.deepEqual([refused.status, refused.text], [400, 'out of order sample']);
    assert.deepEqual(store.counts(), { floats: 2, histograms: 0, twice: 0 });
  });

  it('ignores a repeated last sample, and rejects another value at its timestamp, and samples an hour behind the newest', async () => {
    await using store = await startFakeStore(prometheus());
    await write(store, [line('a', [[t, 1]]), line('new', [[t + 2 * hourMs, 1]])]);
    assert.equal((await write(store, [line('new', [[t + 2 * hourMs, 1]])])).status, 204);
    assert.match((await write(store, [line('new', [[t + 2 * hourMs, 2]])])).text, /^duplicate sample/);
    assert.equal((await write(store, [line('other', [[t + hourMs, 1]])])).status, 204);
    assert.equal((await write(store, [line('third', [[t + hourMs - 1, 1]])])).text, 'out of bounds');
    assert.equal(store.counts().floats, 3);
  });

  it('accepts old samples within its window, once each, and rejects older ones as too old', async () => {
    for (const [major, status] of [
      [3, 400],
      [2, 500],
    ] as const) {
      await using store = await startFakeStore(prometheus({ outOfOrderWindowMs: 10 * hourMs, major }));
      await write(store, [line('a', [[t, 1]])]);
      for (const value of [5, 6])
        assert.equal((await write(store, [line('a', [[t - 9 * hourMs, value]])])).status, 204);
      assert.deepEqual(
        (await read(store, 0, t))[0]!.samples.map(({ timeMs }) => timeMs),
        [t - 9 * hourMs, t],
      );
      const refused = await write(store, [line('a', [[t - 11 * hourMs, 1]])]);
      assert.deepEqual([refused.status, refused.text], [status, 'too old sample']);
    }
  });

  it('silently drops what is out of order within a request', async () => {
    await using store = await startFakeStore(prometheus());
    assert.equal(
      (
        await write(store, [
          line('a', [
            [t + 1000, 1],
            [t, 1],
          ]),
        ])
      ).status,
      204,
    );
    assert.deepEqual(await readTimes(store, 0, t + hourMs), [t + 1000]);
  });

  it('drops a series with labels that are not UTF-8, a duplicate label or no name, with a 204', async () => {
    await using store = await startFakeStore(prometheus());
    const bad = [
      line('a', [[t, 1]], { host: 'caf\udce9' }),
      line('', [[t, 1]]),
      {
        ...line('a', [[t, 1]]),
        labels: [
          ['__name__', 'a'],
          ['x', '1'],
          ['x', '2'],
        ] as const,
      },
    ];
    assert.equal((await write(store, [...bad, line('good', [[t, 1]], { host: 'café' })])).status, 204);
    assert.deepEqual(
      store.series().map(({ labels }) => labels),
      [
        [
          ['__name__', 'good'],
          ['host', 'café'],
        ],
      ],
    );
  });

  it('keeps every bit, but SAMPLES have no −0', async () => {
    const values = [staleBits, 0x7ff8_0000_dead_beefn, 1n << 63n, 1n];
    await using store = await startFakeStore(prometheus());
    await write(store, [
      line(
        'odd',
        values.map((bits, i) => [t + i, bits] as const),
      ),
    ]);
    const bitsOf = (series: readonly { samples: readonly { bits: bigint }[] }[]) =>
      series[0]!.samples.map(({ bits }) => bits);
    assert.deepEqual(bitsOf(store.series()), values);
    assert.deepEqual(bitsOf(await read(store, t, t + 10)), values.with(2, 0n));
  });

  it('streams floats and native histograms that the project decodes to the stored values', async () => {
    await using store = await startFakeStore(prometheus());
    const fields = {
      countInt: 12,
      sum: 3.5,
      schema: -53,
      zeroCountInt: 0,
      positiveSpans: [{ offset: 0, length: 2 }],
      positiveDeltas: [5, 2],
      customValues: [0.1, 2],
      timestamp: t + 500,
    };
    const float = {
      countFloat: 7.5,
      sum: -1,
      schema: 3,
      zeroThreshold: 0.001,
      zeroCountFloat: 1.5,
      negativeSpans: [{ offset: -2, length: 1 }],
      negativeCounts: [6],
      resetHint: 3,
      timestamp: t + 700,
    };
    const messages = [fields, float].map(encodeHistogram);
    store.put([
      {
        labels: [['__name__', 'mixed']],
        samples: [{ timeMs: t, bits: 1n << 63n }],
        histograms: messages.map((message, i) => ({ timeMs: t + 500 + i * 200, message })),
      },
    ]);
    const { status, headers, body } = await readBytes(store, t, t + 1000, { streamed: true });
    assert.equal(status, 200);
    assert.match(headers.get('content-type')!, /^application\/x-streamed-protobuf/);
    const decoded = decodeOnlySeries(body);
    assert.deepEqual([...decoded.floatTimesMs.subarray(0, decoded.floats)], [t]);
    assert.deepEqual([...decoded.floatBits.subarray(0, 2)], [0, 0x8000_0000]);
    for (const [i, message] of messages.entries()) {
      assert.deepEqual(decodeHistogram(decoded.histograms[i]!), decodeHistogram(message));
    }
    const { samples } = (await read(store, t, t + 1000))[0]!;
    assert.deepEqual(decodeHistogram(samples[1]!.histogram!)['customValues'], []);
  });

  it('trims to a closed range; the query API excludes the start of a range since version 3', async () => {
    for (const [major, times] of [
      [3, [t + 1000]],
      [2, [t, t + 1000]],
    ] as const) {
      await using store = await startFakeStore(prometheus({ major }));
      await write(store, [
        line('a', [
          [t, 1],
          [t + 500, staleBits],
          [t + 1000, 1],
          [t + 1001, 1],
        ]),
      ]);
      assert.deepEqual(await readTimes(store, t, t + 1000), [t, t + 500, t + 1000]);
      assert.deepEqual(await queryTimes(store, 1000, t + 1000), times);
      const { data } = await query(store, 'count_over_time({__name__="a"}[1s])', t + 1000);
      assert.deepEqual(data!.result, [{ metric: {}, value: [(t + 1000) / 1000, String(times.length)] }]);
    }
  });

  it('adds external labels to reads, and accepts only a matcher that equals one', async () => {
    await using store = await startFakeStore(prometheus({ externalLabels: { cluster: 'eu' } }));
    await write(store, [line('a', [[t, 1]])]);
    const by = (kind: '=' | '=~') => read(store, t, t, { matchers: [{ kind, name: 'cluster', value: 'eu' }] });
    assert.deepEqual((await by('='))[0]!.labels, [
      ['__name__', 'a'],
      ['cluster', 'eu'],
    ]);
    assert.deepEqual(await by('=~'), []);
  });

  it('rejects an unknown query', async () => {
    await using store = await startFakeStore(prometheus());
    const { status, error } = await query(store, 'rate({a="b"}[5m]) > 1', t);
    assert.equal(status, 400);
    assert.match(error!, /parse error/);
  });
});

function decodeOnlySeries(body: Uint8Array): SampleColumns {
  const collector = new FrameCollector({ maxFrameBytes: 1 << 20 });
  collector.push(new Uint8Array(body));
  collector.end();
  const cursor = new ChunkedCursor(collector.segments);
  const columns = new SampleColumns();
  assert.ok(cursor.next());
  cursor.decode(0, Number.MAX_SAFE_INTEGER, columns);
  assert.equal(cursor.next(), false);
  return columns;
}
