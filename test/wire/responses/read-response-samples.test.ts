import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SamplesCursor } from '../../../src/wire/responses/read-response.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import type { ChunkSample } from '../support/chunk-encoder.ts';
import { notableBits } from '../support/float-bits.ts';
import { encodeMessage, labelRegion } from '../support/oracle.ts';
import {
  ALWAYS,
  concat,
  corrupt,
  expectedEntries,
  field,
  labelsOf,
  read,
  type Series,
  seriesLists,
  truncated,
} from '../support/read-responses.ts';

describe('SamplesCursor', () => {
  // A plain object stores a value as a double, which would lose a signalling NaN: Samples are encoded by hand.
  function sampleField({ timeMs, bits }: ChunkSample, omitZeros: boolean): Uint8Array {
    const value = Buffer.alloc(9, 0x09);
    value.writeBigUInt64LE(bits, 1);
    const time: number[] = [0x10];
    let rest = BigInt.asUintN(64, BigInt(timeMs));
    for (; rest >= 0x80n; rest >>= 7n) time.push(Number(rest & 0x7fn) | 0x80);
    time.push(Number(rest));
    return field(
      2,
      concat(
        omitZeros && bits === 0n ? new Uint8Array(0) : value,
        omitZeros && timeMs === 0 ? new Uint8Array(0) : Uint8Array.from(time),
      ),
    );
  }

  function response(series: readonly Series[], omitZeros = true): Uint8Array {
    const entries = series.map(({ labels, samples }) =>
      field(1, concat(labelRegion(labels), ...samples.map((sample) => sampleField(sample, omitZeros)))),
    );
    return field(1, concat(...entries));
  }

  it('returns every series with every bit of every sample, zeros explicit or omitted', () => {
    fc.assert(
      fc.property(seriesLists, fc.boolean(), (series, omitZeros) => {
        const entries = read(new SamplesCursor(response(series, omitZeros)));
        assert.deepEqual(
          entries,
          expectedEntries(series, (one) => one.samples.length),
        );
      }),
    );
    const notable = notableBits.map((bits, index) => ({ timeMs: index - 3, bits }));
    const [entry] = read(new SamplesCursor(response([{ labels: labelsOf('up'), samples: notable }])));
    assert.deepEqual(entry?.samples, notable);
  });

  it('reads what protobufjs writes', () => {
    const message = encodeMessage('ReadResponse', {
      results: [
        {
          timeseries: [
            {
              labels: labelsOf('up'),
              samples: [{ value: 1.5, timestamp: -1 }, { timestamp: 5 }, { value: 2 }, {}],
              exemplars: [{ value: 3, timestamp: 4 }],
            },
            { labels: labelsOf('down') },
          ],
        },
        {},
        { timeseries: [{ samples: [{ value: 1.5, timestamp: 1_700_000_000_000 }] }] },
      ],
    });
    const half = 0x3ff8_0000_0000_0000n;
    const two = 0x4000_0000_0000_0000n;
    assert.deepEqual(read(new SamplesCursor(message)), [
      {
        labels: [
          ['__name__', 'up'],
          ['job', 'node'],
        ],
        parts: 4,
        samples: [
          { timeMs: -1, bits: half },
          { timeMs: 5, bits: 0n },
          { timeMs: 0, bits: two },
          { timeMs: 0, bits: 0n },
        ],
      },
      {
        labels: [
          ['__name__', 'down'],
          ['job', 'node'],
        ],
        parts: 0,
        samples: [],
      },
      { labels: [], parts: 1, samples: [{ timeMs: 1_700_000_000_000, bits: half }] },
    ]);
  });

  it('returns a histogram byte for byte, as in the message, with its time', () => {
    const histograms = [
      {
        countInt: 7,
        sum: 18.5,
        schema: -53,
        zeroThreshold: 1e-128,
        positiveSpans: [{ offset: -3, length: 2 }],
        positiveDeltas: [1, -4],
        customValues: [0.5, 1],
        resetHint: 3,
        timestamp: 1_700_000_000_000,
      },
      { countFloat: 0.25, timestamp: -5 },
      { sum: 1 },
    ];
    const message = encodeMessage('ReadResponse', {
      results: [{ timeseries: [{ labels: labelsOf('h'), histograms }] }],
    });
    const cursor = new SamplesCursor(message);
    assert.ok(cursor.next());
    assert.equal(cursor.parts, 3);
    assert.equal(cursor.sampleBound, 3);
    const columns = new SampleColumns();
    cursor.decode(...ALWAYS, columns);
    assert.deepEqual(columns.histogramTimesMs, [1_700_000_000_000, -5, 0]);
    assert.deepEqual(
      columns.histograms,
      histograms.map((histogram) => encodeMessage('Histogram', histogram)),
    );
    for (const bytes of columns.histograms) assert.equal(bytes.buffer, message.buffer);

    columns.clear();
    cursor.decode(-5, 0, columns);
    assert.deepEqual(columns.histogramTimesMs, [-5]);
  });

  it('returns only the samples of a half-open window', () => {
    const samples = [1, 1000, 1999, 2000].map((timeMs) => ({ timeMs, bits: 9n }));
    const cursor = new SamplesCursor(response([{ labels: labelsOf('up'), samples }]));
    assert.deepEqual(read(cursor, 1000, 2000)[0]?.samples, samples.slice(1, 3));
  });

  it('keeps the order of the response, even when times decrease', () => {
    const samples = [5, 3, 3, 9, -1].map((timeMs, index) => ({ timeMs, bits: BigInt(index) }));
    const cursor = new SamplesCursor(response([{ labels: labelsOf('up'), samples }]));
    assert.deepEqual(read(cursor)[0]?.samples, samples);
  });

  it('can be iterated again, from anywhere, over several results', () => {
    const one = (name: string) => response([{ labels: labelsOf(name), samples: [{ timeMs: 1, bits: 1n }] }]);
    const cursor = new SamplesCursor(concat(one('a'), one('b'), one('c')));
    assert.ok(cursor.next() && cursor.next());
    cursor.rewind();
    const first = read(cursor);
    assert.deepEqual(
      first.map(({ labels }) => labels[0]),
      [
        ['__name__', 'a'],
        ['__name__', 'b'],
        ['__name__', 'c'],
      ],
    );
    cursor.rewind();
    assert.deepEqual(read(cursor), first);
  });

  it('moves back to an entry by its place, over several results', () => {
    const one = (name: string) => response([{ labels: labelsOf(name), samples: [{ timeMs: 1, bits: 1n }] }]);
    const cursor = new SamplesCursor(concat(one('a'), one('b'), one('c')));
    const found: [place: number, labels: string][] = [];
    while (cursor.next()) found.push([cursor.place, Buffer.from(cursor.labels).toString('latin1')]);
    for (const [place, labels] of found.reverse()) {
      cursor.seek(place);
      assert.equal(Buffer.from(cursor.labels).toString('latin1'), labels);
    }
  });

  it('returns nothing for an empty message', () => {
    assert.deepEqual(read(new SamplesCursor(new Uint8Array(0))), []);
    assert.deepEqual(read(new SamplesCursor(Uint8Array.of(0x0a, 0))), []);
  });

  it('rejects a message that is truncated or invalid', () => {
    const message = response([{ labels: labelsOf('up'), samples: [{ timeMs: 1, bits: 7n }] }]);
    for (let end = 1; end < message.length; end++) {
      assert.throws(() => read(new SamplesCursor(message.subarray(0, end))), truncated, `${end} bytes`);
    }
    const withSample = (...sample: number[]) => field(1, field(1, field(2, Uint8Array.from(sample))));
    assert.throws(() => read(new SamplesCursor(withSample(0x09, 1, 2, 3))), truncated);
    assert.throws(() => read(new SamplesCursor(withSample(0x10, 0x80))), truncated);
    assert.throws(() => read(new SamplesCursor(withSample(0x08, 1))), corrupt, 'a value that is a varint');
    assert.throws(() => read(new SamplesCursor(withSample(0x10, ...new Array(10).fill(0xff), 1))), corrupt);
    assert.equal(read(new SamplesCursor(withSample(0x10, ...new Array(9).fill(0xff), 1)))[0]?.samples[0]?.timeMs, -1);
  });

  it('returns or throws a WireError, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        seriesLists,
        fc.nat(),
        fc.nat(255),
        (noise, series, place, value) => {
          const flipped = response(series);
          flipped[place % flipped.length] = value;
          for (const message of [noise, flipped]) {
            const cursor = new SamplesCursor(message);
            const columns = new SampleColumns();
            try {
              while (cursor.next()) cursor.decode(...ALWAYS, columns);
            } catch (error) {
              assert.ok(error instanceof Error && error.name === 'WireError', String(error));
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
