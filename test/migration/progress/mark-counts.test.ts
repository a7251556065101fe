import assert from 'node:assert/strict';
import fc from 'fast-check';
import { addCounts, type Counts, countsOfAllRuns, NO_COUNTS } from '../../../src/migration/report/counts.ts';
import { countsBesideMark, seriesOfCounts } from '../../../src/migration/progress/mark-counts.ts';

const many = fc.integer({ min: 0, max: 2 ** 48 });
const reason = fc.constantFrom('too_old', 'out_of_order', 'invalid_labels', 'ha-tracker');

/** Counts that add up as documented. */
const countsArbitrary: fc.Arbitrary<Counts> = fc
  .record({
    samplesWritten: many,
    samplesFiltered: many,
    samplesAlreadyPresent: many,
    samplesConflicting: many,
    samplesRejected: fc.dictionary(reason, fc.integer({ min: 1, max: 2 ** 40 }), { noNullPrototype: true }),
    samplesReadPlain: many,
    samplesAlteredAtMost: many,
    samplesRejectedUnproven: many,
    series: fc.nat(),
    windows: fc.nat(),
    bytesRead: many,
    bytesWritten: many,
    retries: fc.nat(),
  })
  .map((counts) => {
    const { samplesWritten, samplesFiltered, samplesAlreadyPresent, samplesConflicting, samplesRejected } = counts;
    const rejected = Object.values(samplesRejected).reduce((sum, samples) => sum + samples, 0);
    const samplesRead = samplesWritten + samplesFiltered + samplesAlreadyPresent + samplesConflicting + rejected;
    return { ...counts, samplesRead };
  });

const inDestination = (counts: Counts) => counts.samplesWritten + counts.samplesAlreadyPresent;
const rounded = (value: number, digits: number) => Number(value.toPrecision(digits));
const someCounts: Counts = { ...NO_COUNTS, samplesRead: 30, samplesWritten: 20, samplesFiltered: 10, windows: 2 };

describe('the counts beside a mark', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(countsArbitrary, (counts) => {
        assert.deepEqual(countsBesideMark(new Map(seriesOfCounts(counts)), inDestination(counts)), counts);
      }),
    );
  });

  it('need few series: zeros are omitted, except the one that shows that there are counts', () => {
    assert.deepEqual(seriesOfCounts(NO_COUNTS), [
      ['read', 0],
      ['windows', 0],
    ]);
    const counts = { ...someCounts, samplesRejected: { too_old: 0, other: 1 } };
    assert.deepEqual(
      seriesOfCounts(counts).map(([count]) => count),
      ['read', 'written', 'filtered', 'windows', 'rejected_other'],
    );
  });

  it('add up although the store rounds each to twelve digits', () => {
    fc.assert(
      fc.property(countsArbitrary, (counts) => {
        const stored = seriesOfCounts(counts).map(([count, value]) => [count, rounded(value, 12)] as const);
        const read = countsBesideMark(new Map(stored), rounded(inDestination(counts), 12));
        assert.ok(read !== undefined);
        assert.ok(Math.abs(read.samplesRead - counts.samplesRead) <= 1e-10 * counts.samplesRead);
        const rejected = Object.values(read.samplesRejected).reduce((sum, samples) => sum + samples, 0);
        assert.equal(read.samplesRead, inDestination(read) + read.samplesFiltered + read.samplesConflicting + rejected);
      }),
    );
  });

  it('are whole numbers, even when the store rounds them', () => {
    const stored = new Map(seriesOfCounts(someCounts).map(([count, value]) => [count, value + 1e-12] as const));
    assert.deepEqual(countsBesideMark(stored, 20), someCounts);
  });

  it('are unknown when a series is missing, is invalid, or belongs to another mark', () => {
    const stored = new Map(seriesOfCounts(someCounts));
    const without = (count: string) => new Map([...stored].filter(([name]) => name !== count));
    for (const count of ['read', 'windows', 'written', 'filtered']) {
      assert.equal(countsBesideMark(without(count), 20), undefined, `without ${count}`);
    }
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      assert.equal(countsBesideMark(new Map([...stored, ['retries', value]]), 20), undefined, String(value));
    }
    assert.equal(countsBesideMark(stored, 21), undefined, 'another mark');
    assert.equal(countsBesideMark(new Map(), 0), undefined, 'an older version');
  });

  it('may include counts that only a newer version defines', () => {
    assert.deepEqual(countsBesideMark(new Map([...seriesOfCounts(someCounts), ['novelties', 4]]), 20), someCounts);
  });
});

describe('counts', () => {
  it('are added up, except the number of series, which is the maximum', () => {
    const a = { ...someCounts, series: 5, samplesRejected: { too_old: 1, other: 2 } };
    const b = { ...someCounts, series: 3, samplesRejected: { other: 3 } };
    const sum = addCounts(a, b);
    assert.equal(sum.samplesRead, 60);
    assert.equal(sum.windows, 4);
    assert.equal(sum.series, 5);
    assert.deepEqual(sum.samplesRejected, { too_old: 1, other: 5 });
    assert.deepEqual(addCounts(NO_COUNTS, a), a);
  });

  it('of all runs are unknown when those of earlier runs are unknown', () => {
    assert.equal(countsOfAllRuns({ ...someCounts, earlier: 'unknown' }), undefined);
    assert.deepEqual(countsOfAllRuns({ ...someCounts, earlier: NO_COUNTS }), someCounts);
  });
});
