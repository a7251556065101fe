import assert from 'node:assert/strict';
import { encodeHistograms, shownHistogram } from '../../src/remote/range-histogram.ts';
import { randomNumbers } from '../support/dataset.ts';
import {
  CUSTOM_BUCKETS_SCHEMA,
  histogramText,
  type NativeHistogram,
  observations,
} from '../support/native-histogram.ts';
import { decodeMessage } from '../wire/support/oracle.ts';

const TIME_MS = Date.UTC(2025, 0, 1);

const numberOf = (text: unknown): number | undefined => {
  if (typeof text !== 'string') return undefined;
  const number = Number(text.replace('Inf', 'Infinity'));
  return Number.isNaN(number) ? undefined : number;
};

/** Of one series, as they are copied. */
function copied(values: readonly unknown[], known?: 'exponential' | 'custom') {
  const histograms = values.map((value) => {
    const histogram = shownHistogram(value, TIME_MS, numberOf);
    assert.ok(histogram !== undefined, JSON.stringify(value));
    return histogram;
  });
  const { messages, ...about } = encodeHistograms(histograms, known);
  return { ...about, histograms: messages.map(decodedHistogram) };
}

/** As Prometheus shows it. */
function shown(histogram: NativeHistogram): object {
  const { schema, sum, zeroThreshold, zeroCount, positive, negative, customValues } = histogram;
  const text = (value: number) => (Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf');
  const bound = (index: number) => {
    if (schema !== CUSTOM_BUCKETS_SCHEMA) return 2 ** (index / 2 ** schema);
    return customValues[index] ?? (index < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
  };
  const isFirst = (index: number) => schema === CUSTOM_BUCKETS_SCHEMA && index === 0;
  const buckets = [
    ...[...negative].reverse().map(([i, count]) => [1, text(-bound(i)), text(-bound(i - 1)), text(count)]),
    ...(zeroCount === 0 ? [] : [[3, text(-zeroThreshold), text(zeroThreshold), text(zeroCount)]]),
    ...positive.map(([i, count]) => [isFirst(i) ? 3 : 0, text(bound(i - 1)), text(bound(i)), text(count)]),
  ];
  return { count: text(observations(histogram)), sum: text(sum), buckets };
}

const EMPTY: NativeHistogram = {
  ...{ kind: 'float', gauge: false, schema: 0, sum: 0, zeroThreshold: 0, zeroCount: 0 },
  ...{ positive: [], negative: [], customValues: [] },
};

/** What the message means, read by protobufjs. */
function decodedHistogram(message: Uint8Array): NativeHistogram & { readonly timeMs: number } {
  const decoded = decodeMessage('Histogram', message);
  const indexed = (spans: readonly { offset: number; length: number }[], counts: readonly number[]) => {
    const indexes: number[] = [];
    let next = 0;
    for (const { offset, length } of spans) {
      next += offset;
      for (let i = 0; i < length; i++) indexes.push(next++);
    }
    assert.equal(indexes.length, counts.length);
    return indexes.map((index, i) => [index, counts[i] as number] as const);
  };
  return {
    kind: 'float',
    gauge: decoded['resetHint'] === 'GAUGE',
    schema: decoded['schema'],
    sum: decoded['sum'],
    zeroThreshold: decoded['zeroThreshold'],
    zeroCount: decoded['zeroCountFloat'],
    positive: indexed(decoded['positiveSpans'], decoded['positiveCounts']),
    negative: indexed(decoded['negativeSpans'], decoded['negativeCounts']),
    customValues: decoded['customValues'],
    timeMs: decoded['timestamp'],
  };
}

function assertFoundAgain(histogram: NativeHistogram): void {
  const [found] = copied([shown(histogram)]).histograms;
  assert.ok(found !== undefined, histogramText(histogram));
  const { timeMs, ...decoded } = found;
  assert.equal(histogramText(decoded), histogramText(histogram));
  assert.equal(timeMs, TIME_MS);
}

describe('a native histogram in the result of a query', () => {
  it('is found again from its bounds, for every schema', () => {
    const random = randomNumbers(7);
    for (let schema = -4; schema <= 8; schema++) {
      for (let round = 0; round < 50; round++) {
        const buckets = () => {
          const start = Math.round((random() - 0.5) * 100 * 2 ** Math.max(0, schema));
          const indexes = [
            ...new Set(Array.from({ length: 1 + (round % 9) }, (_, i) => start + i * (1 + (round % 3)))),
          ];
          const inside = indexes.filter((index) => Math.abs(index / 2 ** schema) < 1000);
          return inside.map((index) => [index, 1 + round] as const);
        };
        const zeroCount = round % 2;
        assertFoundAgain({
          ...{ ...EMPTY, schema, sum: random(), zeroCount, zeroThreshold: zeroCount === 0 ? 0 : 2 ** -128 },
          ...{ positive: buckets(), negative: round % 5 === 0 ? buckets() : [] },
        });
      }
    }
  });

  it('is found again if it has only a zero bucket, or nothing', () => {
    assertFoundAgain(EMPTY);
    assertFoundAgain({ ...EMPTY, zeroCount: 5, zeroThreshold: 1e-10 });
    assertFoundAgain({ ...EMPTY, zeroCount: 5, zeroThreshold: 0, sum: -1.5 });
  });

  it('is found again with custom bounds that are shown', () => {
    const customValues = [-3, 0, 0.1, 2.5, 7];
    const positive = customValues.map((_, index) => [index, index + 1] as const);
    assertFoundAgain({ ...EMPTY, schema: CUSTOM_BUCKETS_SCHEMA, positive, customValues });
    assertFoundAgain({ ...EMPTY, schema: CUSTOM_BUCKETS_SCHEMA, positive: [...positive, [5, 9]], customValues });
  });

  describe('with bounds that are powers of two', () => {
    const custom = { ...EMPTY, schema: CUSTOM_BUCKETS_SCHEMA, customValues: [1, 2, 4, 8] };
    const middle = shown({
      ...custom,
      positive: [
        [1, 5],
        [2, 6],
      ],
    });
    const whole = shown({ ...custom, positive: [0, 1, 2, 3, 4].map((index) => [index, index + 1] as const) });
    const first = shown({ ...custom, positive: [[0, 1]] });
    const last = shown({ ...custom, positive: [[4, 1]] });
    const narrowZero = shown({ ...EMPTY, zeroCount: 1, zeroThreshold: 2 ** -128, positive: [[1, 2]] });
    const schemas = (result: ReturnType<typeof copied>) => result.histograms.map(({ schema }) => schema);

    it('has custom buckets if one of the series ends at infinity', () => {
      for (const proof of [whole, first, last]) {
        const result = copied([middle, proof]);
        assert.deepEqual(schemas(result), [-53, -53]);
        assert.equal(result.proven, 'custom');
        assert.equal(result.assumed, 0);
      }
      // The bounds of all histograms of the series are those of each.
      assert.deepEqual(copied([middle, whole]).histograms[0]?.customValues, [1, 2, 4, 8]);
      assert.deepEqual(copied([middle, whole]).histograms[0]?.positive, [
        [1, 5],
        [2, 6],
      ]);
    });

    it('has exponential buckets if one of the series has a narrow zero bucket', () => {
      const result = copied([middle, narrowZero]);
      assert.deepEqual(schemas(result), [0, 0]);
      assert.deepEqual([result.proven, result.assumed, result.isWorthKnowing], ['exponential', 0, true]);
    });

    it('is what earlier histograms of the series have proven', () => {
      assert.deepEqual(schemas(copied([middle], 'custom')), [-53]);
      assert.deepEqual(schemas(copied([middle], 'exponential')), [0]);
      assert.equal(copied([middle], 'custom').assumed, 0);
      // A proof counts for more than what was known.
      assert.deepEqual(schemas(copied([middle, narrowZero], 'custom')), [0, 0]);
    });

    it('counts if nothing is known, or the series has had both kinds', () => {
      const result = copied([middle, middle]);
      assert.deepEqual([schemas(result), result.proven, result.assumed], [[0, 0], undefined, 2]);
      const mixed = copied([whole, middle, narrowZero]);
      assert.deepEqual([schemas(mixed), mixed.proven, mixed.assumed], [[-53, 0, 0], undefined, 1]);
      const empty = copied([shown(EMPTY)]);
      assert.deepEqual([schemas(empty), empty.assumed], [[0], 0]);
    });

    it('is not assumed of bounds that only come close to those of a schema', () => {
      const value = { count: '1', sum: '1', buckets: [[0, '1.4142136', '2', '1']] };
      assert.deepEqual(schemas(copied([value])), [-53]);
      assert.equal(copied([{ ...value, buckets: [[0, String(Math.SQRT2), '2', '1']] }]).proven, 'exponential');
    });

    it('ends an exponential schema at the largest number only', () => {
      const largest = String(Number.MAX_VALUE);
      const value = { count: '1', sum: '1', buckets: [[0, largest, '+Inf', '1']] };
      assert.deepEqual(copied([value, narrowZero]).histograms[0]?.positive, [[1025, 1]]);
    });
  });

  it('is none if it has another form', () => {
    const bad = [
      undefined,
      {},
      { count: '1' },
      { count: '1', sum: 'x' },
      { count: '1', sum: '1', buckets: {} },
      { count: '1', sum: '1', buckets: [[0, '1', '2']] },
      { count: '1', sum: '1', buckets: [['0', '1', '2', '1']] },
      { count: '1', sum: '1', buckets: [[0, '2', '1', '1']] },
      // Two buckets that overlap.
      {
        count: '2',
        sum: '1',
        buckets: [
          [0, '1', '3', '1'],
          [0, '2', '5', '1'],
        ],
      },
    ];
    for (const value of bad) assert.equal(shownHistogram(value, TIME_MS, numberOf), undefined, JSON.stringify(value));
  });
});
