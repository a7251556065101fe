import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { SamplesCursor } from '../../../src/wire/responses/read-response.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import type { ChunkSample } from '../support/chunk-encoder.ts';
import { floatsOf, notableBits } from '../support/float-bits.ts';
import { decodeMessage, encodeMessage } from '../support/oracle.ts';
import {
  columnsOf,
  floatBatch,
  histogramMessages,
  labelSets,
  samples,
  timeSeriesOf,
  times,
  up,
} from '../support/write-requests.ts';

describe('WriteBatch', () => {
  it('writes what protobufjs writes for the same series', () => {
    const numbers = fc.double({ noNaN: true }).filter((value) => value !== 0);
    const list = fc
      .uniqueArray(
        fc.tuple(
          times.filter((timeMs) => timeMs !== 0),
          numbers,
        ),
        { minLength: 1, maxLength: 20, selector: ([timeMs]) => timeMs },
      )
      .map((points) => points.toSorted(([a], [b]) => a - b));
    fc.assert(
      fc.property(fc.array(fc.tuple(labelSets, list), { maxLength: 4 }), (series) => {
        const batch = new WriteBatch(16);
        for (const [labels, points] of series) {
          const bits = new BigUint64Array(new Float64Array(points.map(([, value]) => value)).buffer);
          const columns = columnsOf(points.map(([timeMs], index) => ({ timeMs, bits: bits[index]! })));
          batch.appendFloats(labels, columns, 0, points.length);
        }
        const expected = encodeMessage('WriteRequest', {
          timeseries: series.map(([labels, points]) => ({
            labels: decodeMessage('TimeSeries', labels)['labels'],
            samples: points.map(([timestamp, value]) => ({ timestamp, value })),
          })),
        });
        assert.deepEqual(Buffer.from(batch.request()), Buffer.from(expected));
        assert.equal(batch.byteLength, expected.length);
        assert.equal(
          batch.samples,
          series.reduce((sum, [, points]) => sum + points.length, 0),
        );
      }),
    );
  });

  it('takes memory for what was written since its memory was allocated, whatever it has reserved', () => {
    const batch = new WriteBatch(1024 * 1024);
    assert.ok(batch.memoryBytes < 10_000);
    const labels = encodeLabels([['__name__', 'x'.repeat(500_000)]]);
    const columns = columnsOf([{ timeMs: 1_700_000_000_000, bits: 1n }]);
    batch.appendFloats(labels, columns, 0, 1);
    const { memoryBytes } = batch;
    assert.ok(memoryBytes > 500_000 && memoryBytes < 600_000);
    batch.clear();
    assert.equal(batch.memoryBytes, memoryBytes);
    for (let i = 0; i < 5; i++) batch.appendFloats(labels, columns, 0, 1);
    assert.ok(batch.memoryBytes > 2_500_000);
    batch.clear();
    assert.ok(batch.memoryBytes < 10_000);
  });

  it('writes labels beyond the range of a copy, and frees the memory that only they needed', () => {
    const labelsOf = (bytes: number) => encodeLabels([['__name__', 'x'.repeat(bytes)]]);
    const batch = new WriteBatch(1024);
    const columns = columnsOf([{ timeMs: 1_700_000_000_000, bits: 1n }]);
    const sizes = [10, 70_000, 10, 3_000_000, 65_530, 65_530, 20];
    for (const size of sizes) batch.appendFloats(labelsOf(size), columns, 0, 1);
    const decoded = decodeMessage('WriteRequest', batch.request()) as {
      timeseries: { labels: { name: string; value: string }[] }[];
    };
    assert.deepEqual(
      decoded.timeseries.map(({ labels }) => labels.map(({ name, value }) => [name, value.length])),
      sizes.map((size) => [['__name__', size]]),
    );
    assert.ok(batch.body().buffer.byteLength > 3_000_000);
    batch.clear();
    assert.ok(batch.body().buffer.byteLength < 2_000);
    batch.appendFloats(labelsOf(10), columns, 0, 1);
    assert.equal(timeSeriesOf(batch.request()).length, 1);
    assert.equal(batch.request().length, batch.byteLength);
  });

  it('preserves every bit of a value from a SAMPLES response and back', () => {
    const roundTrip = (list: readonly ChunkSample[]) => {
      // A WriteRequest's timeseries have the field number of a QueryResult's: wrapped once, it is a ReadResponse.
      const request = floatBatch(up, list).request();
      const head = [0x0a];
      let rest = request.length;
      for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
      const cursor = new SamplesCursor(new Uint8Array(Buffer.concat([Buffer.from([...head, rest]), request])));
      assert.ok(cursor.next());
      const columns = new SampleColumns();
      cursor.decode(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER + 1, columns);
      assert.deepEqual(floatsOf(columns), list);
      assert.deepEqual(Buffer.from(cursor.labels), Buffer.from(up));
      const again = new WriteBatch(0);
      again.appendFloats(cursor.labels, columns, 0, columns.floats);
      assert.deepEqual(Buffer.from(again.request()), Buffer.from(request));
    };
    roundTrip(notableBits.map((bits, index) => ({ timeMs: 1_700_000_000_000 + index, bits })));
    fc.assert(fc.property(samples, roundTrip));
  });

  it('writes the stale marker and +0 as their eight bytes in little-endian order', () => {
    const list = [
      { timeMs: 1, bits: 0x7ff0_0000_0000_0002n },
      { timeMs: 300, bits: 0n },
    ];
    const batch = new WriteBatch(0);
    batch.appendFloats(new Uint8Array(0), columnsOf(list), 0, 2);
    const stale = '120b 09 020000000000f07f 1001';
    const zero = '120c 09 0000000000000000 10ac02';
    assert.equal(Buffer.from(batch.request()).toString('hex'), `0a1b ${stale} ${zero}`.replaceAll(' ', ''));
  });

  it('writes only the requested part, and no series for an empty part', () => {
    const list = [10, 20, 30, 40].map((timeMs) => ({ timeMs, bits: 1n }));
    const batch = new WriteBatch(100);
    batch.appendFloats(up, columnsOf(list), 2, 2);
    batch.appendHistograms(up, columnsOf(list), 0, 0);
    assert.deepEqual([batch.byteLength, batch.samples], [0, 0]);
    batch.appendFloats(up, columnsOf(list), 1, 3);
    assert.deepEqual(
      timeSeriesOf(batch.request())[0]?.samples.map(({ timestamp }) => timestamp),
      [20, 30],
    );
    assert.equal(batch.samples, 2);
  });

  it('writes histograms byte for byte', () => {
    fc.assert(
      fc.property(labelSets, histogramMessages, fc.nat(8), (labels, histograms, from) => {
        const columns = new SampleColumns();
        for (const { timestamp, message } of histograms) columns.addHistogram(timestamp, message);
        const batch = new WriteBatch(8);
        batch.appendHistograms(labels, columns, from, histograms.length);
        const part = histograms.slice(from);
        const expected = encodeMessage('WriteRequest', {
          timeseries:
            part.length === 0
              ? []
              : [
                  {
                    labels: decodeMessage('TimeSeries', labels)['labels'],
                    histograms: part.map(({ timestamp }) => ({ countInt: 3, sum: 1.5, timestamp })),
                  },
                ],
        });
        assert.deepEqual(Buffer.from(batch.request()), Buffer.from(expected));
        assert.equal(batch.samples, part.length);
      }),
    );
  });

  it("writes a single sample of the program's own", () => {
    for (const [timeMs, value] of [
      [1_700_000_000_000, 123456],
      [-1, 0],
      [2 ** 43, 0.1],
    ] as const) {
      const batch = new WriteBatch(0);
      batch.appendSample(up, timeMs, value);
      const [series, ...others] = timeSeriesOf(batch.request());
      assert.deepEqual(series?.samples, [{ timestamp: timeMs, value }]);
      assert.deepEqual(series?.labels, [
        { name: '__name__', value: 'up' },
        { name: 'job', value: 'node' },
      ]);
      assert.equal(batch.samples, 1);
      assert.deepEqual(others, []);
    }
  });

  it('starts over after clear()', () => {
    const batch = floatBatch(up, [{ timeMs: 1, bits: 1n }]);
    const first = Buffer.from(batch.request());
    batch.clear();
    assert.deepEqual([batch.byteLength, batch.samples, batch.request().length], [0, 0, 0]);
    batch.appendFloats(up, columnsOf([{ timeMs: 1, bits: 1n }]), 0, 1);
    assert.deepEqual(Buffer.from(batch.request()), first);
  });

  it('grows to any number of samples', () => {
    const list = Array.from({ length: 20_000 }, (_, index) => ({
      timeMs: 1_700_000_000_000 + index,
      bits: BigInt(index),
    }));
    assert.deepEqual(
      timeSeriesOf(floatBatch(up, list, 1).request())[0]?.samples.map(({ timestamp }) => timestamp),
      list.map(({ timeMs }) => timeMs),
    );
  });
});
