import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeLabels, type LabelBytes } from '../../../src/wire/labels.ts';
import { SamplesCursor } from '../../../src/wire/answers/read-response.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import type { ChunkSample } from '../support/chunk-encoder.ts';
import { anyBits, floatsOf, notableBits } from '../support/float-bits.ts';
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
  it('writes what protobufjs would write for the same series', () => {
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
        assert.equal(batch.series, series.length);
        assert.equal(
          batch.samples,
          series.reduce((sum, [, points]) => sum + points.length, 0),
        );
      }),
    );
  });

  it('writes labels beyond the reach of a copy, and gives back memory that only they needed', () => {
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
    assert.equal(batch.series, 1);
    assert.equal(batch.request().length, batch.byteLength);
  });

  it('carries every bit of a value from a SAMPLES answer and back', () => {
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

  it('writes the stale marker and +0 as their eight bytes, little end first', () => {
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

  it('writes only the part that it is asked for, and no series for an empty part', () => {
    const list = [10, 20, 30, 40].map((timeMs) => ({ timeMs, bits: 1n }));
    const batch = new WriteBatch(100);
    batch.appendFloats(up, columnsOf(list), 2, 2);
    batch.appendHistograms(up, columnsOf(list), 0, 0);
    assert.deepEqual([batch.byteLength, batch.series, batch.samples], [0, 0, 0]);
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

  it('writes one sample of the migrator itself', () => {
    for (const [timeMs, value] of [
      [1_700_000_000_000, 123456],
      [-1, 0],
      [2 ** 43, 0.1],
    ] as const) {
      const batch = new WriteBatch(0);
      batch.appendSample(up, timeMs, value);
      const [series] = timeSeriesOf(batch.request());
      assert.deepEqual(series?.samples, [{ timestamp: timeMs, value }]);
      assert.deepEqual(series?.labels, [
        { name: '__name__', value: 'up' },
        { name: 'job', value: 'node' },
      ]);
      assert.deepEqual([batch.samples, batch.series], [1, 1]);
    }
  });

  it('starts anew after clear()', () => {
    const batch = floatBatch(up, [{ timeMs: 1, bits: 1n }]);
    const first = Buffer.from(batch.request());
    batch.clear();
    assert.deepEqual([batch.byteLength, batch.series, batch.samples, batch.request().length], [0, 0, 0, 0]);
    batch.appendFloats(up, columnsOf([{ timeMs: 1, bits: 1n }]), 0, 1);
    assert.deepEqual(Buffer.from(batch.request()), first);
  });

  it('grows over any number of samples', () => {
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

/** A TimeSeries as the protobuf specification has it, byte after byte: nothing of the fast path is in it. */
function plainSeries(labels: LabelBytes, list: readonly ChunkSample[]): Buffer {
  const content = [...labels];
  for (const { timeMs, bits } of list) {
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(bits);
    const time = varint(BigInt.asUintN(64, BigInt(timeMs)));
    content.push(0x12, 10 + time.length, 0x09, ...value, 0x10, ...time);
  }
  return Buffer.from([0x0a, ...varint(BigInt(content.length)), ...content]);
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

describe('the snappy block of a write batch', () => {
  // Values of which some repeat, some share low bytes and some high ones with those before.
  const values = fc.oneof(
    anyBits,
    fc.integer({ min: 0, max: 70_000 }).map((value) => new BigUint64Array(new Float64Array([value]).buffer)[0]!),
    fc.constantFrom(0n, 0x3ff0_0000_0000_0000n, 0x3ff0_0000_0000_0100n, 0x3ff1_0000_0000_0000n),
  );
  // Where the varint's upper bytes change: every 2^28 ms, at its ends, and an ordinary day.
  const firstTimes = fc.oneof(
    fc.constantFrom(1_767_225_600_000, 2 ** 35, 2 ** 35 - 30_000, 2 ** 42 - 100_000, 0, -60_000),
    fc.integer({ min: 128, max: 16_000 }).map((upper) => upper * 2 ** 28 - 45_000),
  );
  const steps = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(15_000, 1000, 60_000, 128, 16_384) },
    fc.integer({ min: 1, max: 40_000 }),
    fc.constantFrom(2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 30),
  );
  const scrapes = fc.record({ firstMs: firstTimes, steps: fc.array(steps, { maxLength: 40 }) });
  const names = fc.constantFrom('a', 'http_requests_total', 'x'.repeat(200), 'né\u{1F600}');
  const series = fc.record({
    scrape: fc.nat(2),
    skipped: fc.nat(3),
    most: fc.integer({ min: 1, max: 41 }),
    values: fc.array(values, { minLength: 1, maxLength: 5 }),
    labels: fc.array(fc.tuple(names, names), { maxLength: 4 }),
    clears: fc.boolean(),
  });

  it('holds what the plain encoding holds, whatever repeats', () => {
    fc.assert(
      fc.property(
        fc.array(scrapes, { minLength: 3, maxLength: 3 }),
        fc.array(series, { maxLength: 12 }),
        (all, list) => {
          const batch = new WriteBatch(16);
          const expected: Buffer[] = [];
          for (const [index, one] of list.entries()) {
            if (one.clears && index % 5 === 4) {
              batch.clear();
              expected.length = 0;
            }
            const scrape = all[one.scrape]!;
            const timesMs = [scrape.firstMs];
            for (const step of scrape.steps) timesMs.push(timesMs.at(-1)! + step);
            const points = timesMs
              .slice(one.skipped, one.skipped + one.most)
              .map((timeMs, at) => ({ timeMs, bits: one.values[at % one.values.length]! }));
            if (points.length === 0) continue;
            const labels = encodeLabels(new Map([['__name__', `m${index}`], ...one.labels]));
            batch.appendFloats(labels, columnsOf(points), 0, points.length);
            expected.push(plainSeries(labels, points));
          }
          assert.deepEqual(Buffer.from(batch.request()), Buffer.concat(expected));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('copies from no farther than snappy reaches, over many series and long ones', () => {
    const batch = new WriteBatch(16);
    const expected: Buffer[] = [];
    for (let index = 0; index < 60; index++) {
      const labels = encodeLabels([
        ['__name__', 'long'],
        ['instance', `host-${index}`],
      ]);
      const length = index % 7 === 0 ? 5000 : 300 + index;
      const points = Array.from({ length }, (_, i) => ({
        timeMs: 1_767_225_600_000 + (index % 4) + 15_000 * i,
        bits: BigInt(i % 3 === 0 ? 7 : i * index),
      }));
      batch.appendFloats(labels, columnsOf(points), 0, length);
      expected.push(plainSeries(labels, points));
    }
    assert.deepEqual(Buffer.from(batch.request()), Buffer.concat(expected));
  });

  it('makes a third of regular counters that were scraped together', () => {
    const batch = new WriteBatch(16);
    for (let index = 0; index < 20; index++) {
      const points = Array.from({ length: 240 }, (_, i) => ({
        timeMs: 1_767_225_600_000 + 15_000 * i,
        bits: new BigUint64Array(new Float64Array([1000 * index + 37 * i]).buffer)[0]!,
      }));
      batch.appendFloats(encodeLabels([['__name__', `counter_${index}`]]), columnsOf(points), 0, points.length);
    }
    const ratio = batch.byteLength / batch.body().length;
    assert.ok(ratio > 2.5, `${ratio}`);
  });

  it('finds repetitions in histograms, of which it knows nothing', () => {
    const columns = new SampleColumns();
    const message = encodeMessage('Histogram', { countInt: 3, sum: 1.5, positiveDeltas: Array(40).fill(5) });
    for (let i = 0; i < 100; i++) columns.addHistogram(i, message);
    const batch = new WriteBatch(16);
    batch.appendHistograms(up, columns, 0, 100);
    assert.equal(batch.request().length, batch.byteLength);
    assert.ok(batch.body().length * 8 < batch.byteLength, `${batch.body().length} of ${batch.byteLength} bytes`);
  });
});
