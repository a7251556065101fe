import assert from 'node:assert/strict';
import snappy from 'snappyjs';
import { DifferenceFinder, type Exactness } from '../../storm/differences.ts';
import type { SeenRequest } from '../../storm/proxy/fault-proxy.ts';
import { findCarriers } from '../../storm/write-history.ts';
import { bitsOf, labelText, SeriesBuilder, type SeriesSet } from '../support/series-set.ts';
import { encodeMessage } from '../wire/support/oracle.ts';

type Sample = readonly [timeMs: number, value: number | string];

function seriesSet(...series: readonly (readonly [name: string, ...samples: Sample[]])[]): SeriesSet {
  return new Map(
    series.map(([name, ...samples]) => {
      const builder = new SeriesBuilder([['__name__', name]]);
      for (const [timeMs, value] of samples) {
        if (typeof value === 'string') builder.addHistogram(timeMs, value);
        else builder.add(timeMs, bitsOf(value));
      }
      const finished = builder.finish();
      return [labelText(finished.labels), finished];
    }),
  );
}

const expected = seriesSet(['up', [10, 1], [20, -0], [30, 3]], ['h', [10, 'one'], [20, 'two']]);

interface Row {
  readonly title: string;
  readonly actual: SeriesSet;
  readonly exactness?: Exactness;
  readonly counts: Readonly<Record<string, number>>;
}

const ROWS: readonly Row[] = [
  { title: 'nothing when everything is there once', actual: expected, counts: {} },
  {
    title: 'a lost sample',
    actual: seriesSet(['up', [10, 1], [30, 3]], ['h', [10, 'one'], [20, 'two']]),
    counts: { missing: 1 },
  },
  { title: 'a lost series', actual: seriesSet(['up', [10, 1], [20, -0], [30, 3]]), counts: { missing: 2 } },
  {
    title: 'a sample that is there three times',
    actual: seriesSet(['up', [10, 1], [10, 1], [10, 1], [20, -0], [30, 3]], ['h', [10, 'one'], [20, 'two']]),
    counts: { doubled: 2 },
  },
  {
    title: 'samples that should not be there, at every place',
    actual: seriesSet(
      ['up', [5, 0], [10, 1], [15, 0], [20, -0], [30, 3], [40, 0]],
      ['h', [10, 'one'], [20, 'two']],
      ['x', [1, 1]],
    ),
    counts: { extra: 4 },
  },
  {
    title: 'the sign of a zero and another histogram',
    actual: seriesSet(['up', [10, 1], [20, 0], [30, 3]], ['h', [10, 'one'], [20, 'three']]),
    counts: { different: 2 },
  },
  {
    title: 'no relative difference below 10⁻¹¹ when the store keeps decimals',
    actual: seriesSet(['up', [10, 1 + 1e-12], [20, 0], [30, 3]], ['h', [10, 'one'], [20, 'two']]),
    exactness: 'relative-1e-11',
    counts: {},
  },
  {
    title: 'a larger difference when the store keeps decimals',
    actual: seriesSet(['up', [10, 1 + 1e-10], [20, 0], [30, Number.NaN]], ['h', [10, 'one'], [20, 'two']]),
    exactness: 'relative-1e-11',
    counts: { different: 2 },
  },
];

describe('the differences between two sides', () => {
  for (const { title, actual, exactness = 'bits', counts } of ROWS) {
    it(`show ${title}`, () => {
      const found = new DifferenceFinder(exactness).compare(expected, actual);
      assert.deepEqual(found.counts, { missing: 0, extra: 0, doubled: 0, different: 0, ...counts });
      assert.equal(found.samplesCompared, 5);
      assert.equal(
        found.first.length,
        Object.values(counts).reduce((sum, count) => sum + count, 0),
      );
    });
  }
});

describe('the history of writes', () => {
  it('finds every request that contained a sample, and skips an invalid one', () => {
    const seen = (request: number, body: Buffer): SeenRequest => ({
      way: 'write',
      request,
      run: 1,
      path: '/api/v1/write',
      atMs: 0,
      fault: undefined,
      goodBefore: false,
      stored: [204],
      lagMs: undefined,
      undelivered: false,
      brokenBy: undefined,
      body,
    });
    const writeOf = (timestamp: number) =>
      Buffer.from(
        snappy.compress(
          encodeMessage('WriteRequest', {
            timeseries: [
              {
                labels: [
                  { name: 'a', value: 'b' },
                  { name: '__name__', value: 'up' },
                ],
                samples: [{ value: 1, timestamp }],
              },
            ],
          }),
        ),
      );
    const requests = [seen(1, writeOf(10)), seen(2, writeOf(20)), seen(3, Buffer.from('x')), seen(4, writeOf(10))];
    const difference = {
      kind: 'doubled',
      labels: [
        ['__name__', 'up'],
        ['a', 'b'],
      ],
      timeMs: 10,
      text: '',
    } as const;
    const carriers = findCarriers([difference], requests).get(difference);
    assert.deepEqual(
      carriers?.map(({ request }) => request),
      [1, 4],
    );
  });
});
