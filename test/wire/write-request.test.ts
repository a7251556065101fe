import assert from 'node:assert/strict';
import fc from 'fast-check';
import { encodeLabels, type LabelBytes, labelKey } from '../../src/wire/labels.ts';
import { SamplesCursor } from '../../src/wire/read-response.ts';
import { SampleColumns } from '../../src/wire/sample-columns.ts';
import {
  bisectWriteRequest,
  summarizeWriteRequest,
  WriteBatch,
  withoutSamples,
  writeRequestSeries,
} from '../../src/wire/write-request.ts';
import type { ChunkSample } from './support/chunk-encoder.ts';
import { addFloats, anyBits, floatsOf, notableBits } from './support/float-bits.ts';
import { decodeMessage, encodeMessage } from './support/oracle.ts';

const up = encodeLabels([
  ['__name__', 'up'],
  ['job', 'node'],
]);

// Every length of a varint, the borders between them, and negative times.
const times = fc.oneof(
  fc.integer({ min: 1_600_000_000_000, max: 1_800_000_000_000 }),
  fc.maxSafeInteger(),
  fc.tuple(fc.integer({ min: 0, max: 52 }), fc.integer({ min: -1, max: 1 })).map(([power, more]) => 2 ** power + more),
  fc.constantFrom(0, -1, -(2 ** 53) + 1),
);
const samples = fc.array(fc.record({ timeMs: times, bits: anyBits }, { noNullPrototype: true }), {
  minLength: 1,
  maxLength: 20,
});
const histogramMessages = fc.array(
  times.map((timestamp) => ({ timestamp, message: encodeMessage('Histogram', { countInt: 3, sum: 1.5, timestamp }) })),
  { minLength: 1, maxLength: 9 },
);
const labelSets = fc.nat(1000).map((index) =>
  encodeLabels([
    ['__name__', `metric_${index}`],
    ['x', 'y'.repeat(index)],
  ]),
);

function columnsOf(list: readonly ChunkSample[]): SampleColumns {
  const columns = new SampleColumns();
  addFloats(columns, list);
  return columns;
}

function floatBatch(labels: LabelBytes, list: readonly ChunkSample[], capacityBytes = 64): WriteBatch {
  const batch = new WriteBatch(capacityBytes);
  batch.appendFloats(labels, columnsOf(list), 0, list.length);
  return batch;
}

/** The samples of a WriteRequest by protobufjs, their bits read from the double that it decoded into a Float64Array. */
function timeSeriesOf(bytes: Uint8Array) {
  return decodeMessage('WriteRequest', bytes)['timeseries'] as {
    labels: { name: string; value: string }[];
    samples: { value: number; timestamp: number }[];
    histograms: { timestamp: number }[];
  }[];
}

/** Every (labels, time, kind) of a request, in order. */
function contentOf(bytes: Uint8Array): string[] {
  return timeSeriesOf(bytes).flatMap(({ labels, samples: floats, histograms }) => [
    ...floats.map(({ timestamp, value }) => `${JSON.stringify(labels)} ${timestamp} ${value}`),
    ...histograms.map((histogram) => `${JSON.stringify(labels)} ${JSON.stringify(histogram)}`),
  ]);
}

describe('WriteBatch', () => {
  it('writes what protobufjs would write for the same series', () => {
    const numbers = fc.double({ noNaN: true }).filter((value) => value !== 0);
    const list = fc.array(
      fc.tuple(
        times.filter((timeMs) => timeMs !== 0),
        numbers,
      ),
      { minLength: 1, maxLength: 20 },
    );
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
        assert.deepEqual(Buffer.from(batch.bytes()), Buffer.from(expected));
        assert.equal(batch.byteLength, expected.length);
        assert.equal(batch.series, series.length);
        assert.equal(
          batch.samples,
          series.reduce((sum, [, points]) => sum + points.length, 0),
        );
      }),
    );
  });

  it('carries every bit of a value from a SAMPLES answer and back', () => {
    const roundTrip = (list: readonly ChunkSample[]) => {
      // A WriteRequest's timeseries have the field number of a QueryResult's: wrapped once, it is a ReadResponse.
      const request = floatBatch(up, list).bytes();
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
      assert.deepEqual(Buffer.from(again.bytes()), Buffer.from(request));
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
    assert.equal(Buffer.from(batch.bytes()).toString('hex'), `0a1b ${stale} ${zero}`.replaceAll(' ', ''));
  });

  it('writes only the part that it is asked for, and no series for an empty part', () => {
    const list = [10, 20, 30, 40].map((timeMs) => ({ timeMs, bits: 1n }));
    const batch = new WriteBatch(100);
    batch.appendFloats(up, columnsOf(list), 2, 2);
    batch.appendHistograms(up, columnsOf(list), 0, 0);
    assert.deepEqual([batch.byteLength, batch.series, batch.samples], [0, 0, 0]);
    batch.appendFloats(up, columnsOf(list), 1, 3);
    assert.deepEqual(
      timeSeriesOf(batch.bytes())[0]?.samples.map(({ timestamp }) => timestamp),
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
        assert.deepEqual(Buffer.from(batch.bytes()), Buffer.from(expected));
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
      const [series] = timeSeriesOf(batch.bytes());
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
    const first = Buffer.from(batch.bytes());
    batch.clear();
    assert.deepEqual([batch.byteLength, batch.series, batch.samples, batch.bytes().length], [0, 0, 0, 0]);
    batch.appendFloats(up, columnsOf([{ timeMs: 1, bits: 1n }]), 0, 1);
    assert.deepEqual(Buffer.from(batch.bytes()), first);
  });

  it('grows over any number of samples', () => {
    const list = Array.from({ length: 20_000 }, (_, index) => ({
      timeMs: 1_700_000_000_000 + index,
      bits: BigInt(index),
    }));
    assert.deepEqual(
      timeSeriesOf(floatBatch(up, list, 1).bytes())[0]?.samples.map(({ timestamp }) => timestamp),
      list.map(({ timeMs }) => timeMs),
    );
  });
});

const requests = fc
  .array(fc.tuple(labelSets, fc.option(samples, { nil: [] }), fc.option(histogramMessages, { nil: [] })), {
    maxLength: 6,
  })
  .map((series) => {
    const batch = new WriteBatch(100);
    for (const [labels, floats, histograms] of series) {
      const columns = columnsOf(floats);
      for (const { timestamp, message } of histograms) columns.addHistogram(timestamp, message);
      batch.appendFloats(labels, columns, 0, columns.floats);
      batch.appendHistograms(labels, columns, 0, histograms.length);
    }
    return batch;
  });

describe('bisectWriteRequest', () => {
  it('keeps every sample exactly once, in order, down to single samples', () => {
    fc.assert(
      fc.property(requests, (batch) => {
        const leaves: string[] = [];
        const descend = (bytes: Uint8Array): void => {
          const halves = bisectWriteRequest(bytes);
          if (halves === undefined) {
            const content = contentOf(bytes);
            assert.ok(content.length <= 1);
            leaves.push(...content);
            return;
          }
          for (const half of halves) {
            assert.ok(summarizeWriteRequest(half).samples < summarizeWriteRequest(bytes).samples);
            descend(half);
          }
        };
        descend(batch.bytes());
        assert.deepEqual(leaves, contentOf(batch.bytes()));
        assert.equal(leaves.length, batch.samples);
      }),
    );
  });

  it('halves by series first, then by samples', () => {
    const batch = new WriteBatch(0);
    const columns = columnsOf([1, 2, 3, 4].map((timeMs) => ({ timeMs, bits: 1n })));
    for (let count = 0; count < 4; count++) batch.appendFloats(up, columns, 0, 4);
    const halves = bisectWriteRequest(batch.bytes());
    assert.deepEqual(
      halves?.map((half) => summarizeWriteRequest(half).series),
      [2, 2],
    );
    const one = new WriteBatch(0);
    one.appendFloats(up, columns, 0, 4);
    assert.deepEqual(
      bisectWriteRequest(one.bytes())?.map((half) => [...writeRequestSeries(half)].map(({ timesMs }) => timesMs)),
      [[[1, 2]], [[3, 4]]],
    );
  });

  it('keeps the bits of values when it splits a series', () => {
    const list = notableBits.map((bits, index) => ({ timeMs: 1_700_000_000_000 + index, bits }));
    const middle = list.length >>> 1;
    assert.deepEqual(
      bisectWriteRequest(floatBatch(up, list).bytes())?.map((half) => Buffer.from(half)),
      [list.slice(0, middle), list.slice(middle)].map((half) => Buffer.from(floatBatch(up, half).bytes())),
    );
  });

  it('has no halves of a single sample, a single histogram, or nothing', () => {
    const batch = new WriteBatch(0);
    assert.equal(bisectWriteRequest(batch.bytes()), undefined);
    batch.appendSample(up, 1, 1);
    assert.equal(bisectWriteRequest(batch.bytes()), undefined);
    batch.clear();
    const columns = new SampleColumns();
    columns.addHistogram(1, encodeMessage('Histogram', { timestamp: 1 }));
    batch.appendHistograms(up, columns, 0, 1);
    assert.equal(bisectWriteRequest(batch.bytes()), undefined);
  });

  it('refuses bytes that are no message', () => {
    assert.throws(() => bisectWriteRequest(Uint8Array.of(0x0a, 5, 1)), { name: 'WireError', code: 'truncated' });
  });
});

describe('summarizeWriteRequest and writeRequestSeries', () => {
  it('tell what the batch holds', () => {
    fc.assert(
      fc.property(requests, (batch) => {
        const oracle = timeSeriesOf(batch.bytes());
        const found = [...writeRequestSeries(batch.bytes())];
        assert.deepEqual(
          found.map(({ timesMs }) => timesMs),
          oracle.map((series) => [...series.samples, ...series.histograms].map(({ timestamp }) => timestamp)),
        );
        assert.deepEqual(
          found.map(({ labels }) => decodeMessage('TimeSeries', labels)['labels']),
          oracle.map(({ labels }) => labels),
        );
        const summary = summarizeWriteRequest(batch.bytes());
        assert.equal(summary.series, batch.series);
        assert.equal(summary.samples, batch.samples);
        assert.equal(summary.firstTimeMs, found[0]?.timesMs[0] ?? Number.NaN);
        assert.deepEqual(Buffer.from(summary.firstLabels), Buffer.from(found[0]?.labels ?? []));
      }),
    );
  });

  it('gives labels that outlive the batch', () => {
    const batch = floatBatch(up, [{ timeMs: 7, bits: 1n }]);
    const summary = summarizeWriteRequest(batch.bytes());
    batch.bytes().fill(0);
    assert.deepEqual(Buffer.from(summary.firstLabels), Buffer.from(up));
  });

  it('refuse bytes that are no message', () => {
    const bytes = floatBatch(up, [{ timeMs: 7, bits: 1n }]).bytes();
    const cut = bytes.subarray(0, bytes.length - 1);
    assert.throws(() => summarizeWriteRequest(cut), { name: 'WireError', code: 'truncated' });
    assert.throws(() => [...writeRequestSeries(cut)], { name: 'WireError', code: 'truncated' });
  });
});

describe('withoutSamples', () => {
  it('leaves out the times that are given for a series, and nothing else', () => {
    fc.assert(
      fc.property(requests, fc.infiniteStream(fc.boolean()), (batch, coins) => {
        const bytes = batch.bytes();
        const before = [...writeRequestSeries(bytes)].map(
          ({ labels, timesMs }) => [labelKey(labels), timesMs] as const,
        );
        const chosen = new Map<string, Set<number>>();
        for (const [key, timesMs] of before) {
          const times = chosen.get(key) ?? new Set();
          chosen.set(key, times);
          for (const timeMs of timesMs) if (coins.next().value) times.add(timeMs);
        }
        const left = withoutSamples(bytes, (labels) => chosen.get(labelKey(labels)));
        assert.deepEqual(
          [...writeRequestSeries(left)].map(({ labels, timesMs }) => [labelKey(labels), timesMs]),
          before
            .map(([key, timesMs]) => [key, timesMs.filter((timeMs) => !chosen.get(key)?.has(timeMs))] as const)
            .filter(([, timesMs]) => timesMs.length > 0),
        );
      }),
    );
  });

  it('gives the very same bytes when there is nothing to leave out', () => {
    const bytes = floatBatch(up, [{ timeMs: 7, bits: 1n }]).bytes();
    assert.equal(
      withoutSamples(bytes, () => [8]),
      bytes,
    );
    assert.equal(
      withoutSamples(bytes, () => undefined),
      bytes,
    );
  });

  it('keeps the bits of what stays', () => {
    const list = [
      { timeMs: 7, bits: 0x7ff0000000000002n },
      { timeMs: 8, bits: 1n },
    ];
    const left = withoutSamples(floatBatch(up, list).bytes(), () => [8]);
    assert.deepEqual(Buffer.from(left), Buffer.from(floatBatch(up, list.slice(0, 1)).bytes()));
  });

  it('refuses bytes that are no message', () => {
    assert.throws(() => withoutSamples(Uint8Array.of(0x0a, 5, 1), () => undefined), { name: 'WireError' });
  });
});
