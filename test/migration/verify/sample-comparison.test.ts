import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Lens } from '../../../src/migration/verify/float-comparison.ts';
import { compared, type Samples, STALE, staleHistogram, type Value } from './compared-samples.ts';

describe('SampleComparison', () => {
  it('finds two sides with the same bits equal, whatever the values', () => {
    const samples: Samples = [
      [1, 1.5],
      [2, STALE],
      [3, 0x7ff8000000000001n],
      [4, Number.POSITIVE_INFINITY],
      [5, -0],
      [6, { countInt: 3, sum: 1, schema: 1 }],
    ];
    assert.deepEqual(compared(samples, samples), { counts: [6, 0, 0, 0, 0], expected: {}, found: [] });
  });

  it('names what is missing, extra, different and repeated', () => {
    const source: Samples = [
      [1, 1],
      [2, 2],
      [3, 3],
      [5, 5],
      [6, STALE],
    ];
    const destination: Samples = [
      [1, 1],
      [3, 3],
      [3, 3],
      [4, 4],
      [5, 5.000000000000001],
      [6, 0x7ff8000000000000n],
    ];
    assert.deepEqual(compared(source, destination), {
      counts: [2, 1, 1, 2, 1],
      expected: {},
      found: [
        ['missing', 2],
        ['repeated', 3],
        ['extra', 4],
        ['different', 5],
        ['different', 6],
      ],
    });
  });

  it('finds the same in any order of the destination', () => {
    const value = fc.constantFrom<Value>(1, 2, STALE);
    const sides = fc.uniqueArray(fc.tuple(fc.nat(20), value), { selector: ([timeMs]) => timeMs });
    fc.assert(
      fc.property(sides, fc.array(fc.tuple(fc.nat(20), value)), fc.infiniteStream(fc.nat()), (mine, theirs, keys) => {
        const source = mine.toSorted(([a], [b]) => a - b);
        const shuffled = theirs.map((sample) => ({ sample, key: keys.next().value as number }));
        shuffled.sort((a, b) => a.key - b.key);
        const sorted = theirs.toSorted(([a], [b]) => a - b);
        const { counts } = compared(source, sorted);
        assert.deepEqual(
          compared(
            source,
            shuffled.map(({ sample }) => sample),
          ).counts,
          counts,
        );
        // The truth, in the plainest way.
        const at = (side: Samples, timeMs: number) => side.filter(([time]) => time === timeMs).map(([, one]) => one);
        let [equal, missing, extra, different, repeated] = [0, 0, 0, 0, 0];
        for (let timeMs = 0; timeMs <= 20; timeMs++) {
          const [one] = at(source, timeMs);
          const others = at(sorted, timeMs);
          if (one === undefined) extra += others.length;
          else if (others.length === 0) missing++;
          else {
            if (others.includes(one)) equal++;
            else different++;
            repeated += others.length - 1;
          }
        }
        assert.deepEqual(counts, [equal, missing, extra, different, repeated]);
      }),
    );
  });

  it('takes a float for a histogram as different', () => {
    const histogram = { countInt: 3, sum: 1, schema: 1 };
    assert.deepEqual(
      compared(
        [
          [1, 1],
          [2, histogram],
        ],
        [
          [1, histogram],
          [2, 1],
        ],
      ).counts,
      [0, 0, 0, 2, 0],
    );
  });

  it('counts no repeats where the protocol may repeat what is stored once', () => {
    assert.deepEqual(
      compared(
        [[1, 1]],
        [
          [1, 1],
          [1, 1],
        ],
        {},
        false,
      ).counts,
      [1, 0, 0, 0, 0],
    );
  });

  const vm = { victoriaMetrics: true };
  const changes: [string, Partial<Lens>, Value, Value | undefined, Record<string, number>][] = [
    ['decimals of VictoriaMetrics', vm, 0.1 + 0.2, 0.3, { victoriametrics_decimals: 1 }],
    ['−0 in VictoriaMetrics', vm, -0, 0, { victoriametrics_decimals: 1 }],
    ['NaN in VictoriaMetrics', vm, Number.NaN, undefined, { victoriametrics_nan: 1 }],
    ['a histogram in VictoriaMetrics', vm, { countInt: 1 }, undefined, { victoriametrics_histograms: 1 }],
    ['NaN in InfluxDB', { influxdb: true }, Number.NaN, undefined, { influxdb_nan_inf: 1 }],
    ['±Inf in InfluxDB', { influxdb: true }, Number.NEGATIVE_INFINITY, undefined, { influxdb_nan_inf: 1 }],
    ['a stale marker in InfluxDB', { influxdb: true }, STALE, undefined, { influxdb_nan_inf: 1 }],
    ['a histogram in InfluxDB', { influxdb: true }, { countInt: 1, sum: 1 }, undefined, { influxdb_histograms: 1 }],
    ['−0 in SAMPLES', { samples: true }, -0, 0, { samples_negative_zero: 1 }],
    ['a stale marker in PromQL', { promql: true }, STALE, undefined, { promql_stale_markers: 1 }],
    ['a stale histogram in PromQL', { promql: true }, staleHistogram(), undefined, { promql_stale_markers: 1 }],
    ['a NaN payload in PromQL', { promql: true }, 0x7ff8000000000005n, Number.NaN, { promql_nan_payloads: 1 }],
    [
      'bounds of custom buckets in SAMPLES',
      { samples: true },
      { countInt: 1, schema: -53, customValues: [1, 2], positiveSpans: [{ length: 1 }], positiveDeltas: [1] },
      { countInt: 1, schema: -53, positiveSpans: [{ length: 1 }], positiveDeltas: [1] },
      { samples_histogram_bounds: 1 },
    ],
  ];
  for (const [name, lens, source, destination, expected] of changes) {
    it(`expects ${name}, and only there`, () => {
      const there: Samples = destination === undefined ? [] : [[1, destination]];
      assert.deepEqual(compared([[1, source]], there, lens).expected, expected);
      assert.deepEqual(compared([[1, source]], there).expected, {});
    });
  }

  it('expects no change that is larger than the store makes', () => {
    const lens = { victoriaMetrics: true };
    assert.deepEqual(compared([[1, 1]], [[1, 1 + 2e-11]], lens).counts, [0, 0, 0, 1, 0]);
    assert.deepEqual(compared([[1, STALE]], [], lens).counts, [0, 1, 0, 0, 0]);
    assert.deepEqual(compared([[1, { countInt: 1, sum: 1 }]], [], { promql: true }).counts, [0, 1, 0, 0, 0]);
    assert.deepEqual(compared([[1, Number.POSITIVE_INFINITY]], [[1, Number.MAX_VALUE]], lens).counts, [0, 0, 0, 1, 0]);
    assert.deepEqual(compared([[1, 1]], [[1, 0]], lens).counts, [0, 0, 0, 1, 0]);
    assert.deepEqual(compared([[1, Number.NaN]], [[1, STALE]], lens).counts, [0, 0, 0, 1, 0]);
  });

  describe('of histograms', () => {
    const base = {
      countInt: 7,
      sum: 2.5,
      schema: 3,
      zeroThreshold: 0.001,
      zeroCountInt: 1,
      positiveSpans: [
        { offset: -2, length: 2 },
        { offset: 3, length: 1 },
      ],
      positiveDeltas: [1, 1, 1],
      negativeSpans: [{ offset: 0, length: 1 }],
      negativeDeltas: [1],
      resetHint: 0,
    };
    const same = (other: object) => compared([[1, base]], [[1, { ...base, ...other }]]).counts[0] === 1;

    it('looks through empty buckets, other spans and reset hints of counters', () => {
      assert.ok(same({}));
      assert.ok(same({ resetHint: 2 }));
      assert.ok(
        same({ positiveSpans: [{ offset: -2, length: 6 }], positiveDeltas: [1, 1, -2, 0, 0, 3] }),
        'empty buckets in between',
      );
      assert.ok(
        same({
          positiveSpans: [
            { offset: -2, length: 1 },
            { offset: 0, length: 1 },
            { offset: 3, length: 1 },
          ],
        }),
      );
    });

    for (const [name, other] of Object.entries({
      'a bucket': { positiveDeltas: [1, 1, 2] },
      'a negative bucket': { negativeDeltas: [2] },
      'the place of a bucket': {
        positiveSpans: [
          { offset: -1, length: 2 },
          { offset: 3, length: 1 },
        ],
      },
      'the count': { countInt: 8 },
      'the sum': { sum: 2.5000000000000004 },
      'the schema': { schema: 2 },
      'the zero bucket': { zeroCountInt: 2 },
      'the zero threshold': { zeroThreshold: 0.01 },
      'a gauge': { resetHint: 3 },
      'custom bounds': { customValues: [1] },
    })) {
      it(`sees a change of ${name}`, () => assert.ok(!same(other)));
    }

    it('sees the difference between integer and float histograms', () => {
      assert.deepEqual(compared([[1, { countInt: 2 }]], [[1, { countFloat: 2 }]]).counts, [0, 0, 0, 1, 0]);
    });

    it('keeps all 64 bits of a count', () => {
      const count = (low: number) => ({ countInt: { low, high: 2 ** 21, unsigned: true } });
      assert.equal(compared([[1, count(1)]], [[1, count(0)]]).counts[3], 1);
      assert.equal(compared([[1, count(1)]], [[1, count(1)]]).counts[0], 1);
    });
  });

  it('finds the same in samples that are in the order of time and in the opposite order', () => {
    // Samples in the opposite order take the way that handles all cases.
    const value = fc.constantFrom<Value>(
      1,
      1 + 1e-13,
      1 + 1e-9,
      0,
      -0,
      STALE,
      0x7ff8000000000001n,
      Number.POSITIVE_INFINITY,
    );
    const values = fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(values, fc.boolean(), fc.boolean(), (pairs, victoriaMetrics, promql) => {
        const source: Samples = pairs.map(([mine], i) => [i, mine]);
        const destination: Samples = pairs.map(([, theirs], i) => [i, theirs]);
        const lens = { victoriaMetrics, promql };
        assert.deepEqual(compared(source, destination, lens), compared(source, [...destination].reverse(), lens));
      }),
    );
  });
});
