import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mergeByTime, removePresent } from '../../../src/migration/series/series-merge.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { encodeMessage } from '../../wire/support/oracle.ts';

interface Float {
  readonly timeMs: number;
  readonly bits: bigint;
}
interface Histogram {
  readonly timeMs: number;
  readonly message: Uint8Array;
}

const stale = 0x7ff0_0000_0000_0002n;

/** Values that a numeric comparison would confuse: stale marker, other NaNs, both zeros, both infinities. */
const bits = fc.constantFrom(
  stale,
  0x7ff8_0000_0000_0001n,
  0x7ff8_0000_0000_0000n,
  0xfff8_0000_0000_0000n,
  0x0000_0000_0000_0000n,
  0x8000_0000_0000_0000n,
  0x7ff0_0000_0000_0000n,
  0xfff0_0000_0000_0000n,
  0x3ff0_0000_0000_0000n,
);
const timeMs = fc.integer({ min: -3, max: 6 });
const float: fc.Arbitrary<Float> = fc.record({ timeMs, bits }, { noNullPrototype: true });
const histogram: fc.Arbitrary<Histogram> = fc.record(
  { timeMs, message: fc.uint8Array({ minLength: 1, maxLength: 1, max: 2 }) },
  { noNullPrototype: true },
);

function columnsOf(floats: readonly Float[], histograms: readonly Histogram[] = []): SampleColumns {
  const columns = new SampleColumns(1);
  for (const { timeMs, bits } of floats) columns.addFloat(timeMs, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  for (const { timeMs, message } of histograms) columns.addHistogram(timeMs, message);
  return columns;
}

function floatsOf(columns: SampleColumns): Float[] {
  return Array.from({ length: columns.floats }, (_, i) => ({
    timeMs: columns.floatTimesMs[i]!,
    bits: (BigInt(columns.floatBits[2 * i + 1]!) << 32n) | BigInt(columns.floatBits[2 * i]!),
  }));
}

function histogramsOf(columns: SampleColumns): Histogram[] {
  assert.equal(columns.histogramTimesMs.length, columns.histograms.length);
  return columns.histograms.map((message, i) => ({ timeMs: columns.histogramTimesMs[i]!, message }));
}

/** The rules of the merge, implemented with a Map. */
function naive(floats: readonly Float[], histograms: readonly Histogram[]) {
  const keptFloats = new Map<number, Float>();
  const keptHistograms = new Map<number, Histogram>();
  let conflicts = 0;
  let repeats = 0;
  for (const sample of floats) {
    const kept = keptFloats.get(sample.timeMs);
    if (kept === undefined) keptFloats.set(sample.timeMs, sample);
    else if (kept.bits === sample.bits) repeats++;
    else {
      conflicts++;
      if (kept.bits === stale) keptFloats.set(sample.timeMs, sample);
    }
  }
  for (const sample of histograms) {
    const kept = keptHistograms.get(sample.timeMs);
    if (kept === undefined) keptHistograms.set(sample.timeMs, sample);
    else if (kept.message[0] === sample.message[0]) repeats++;
    else conflicts++;
  }
  for (const timeMs of keptFloats.keys()) if (keptHistograms.delete(timeMs)) conflicts++;
  const byTime = (a: { timeMs: number }, b: { timeMs: number }) => a.timeMs - b.timeMs;
  return {
    conflicts,
    repeats,
    floats: [...keptFloats.values()].sort(byTime),
    histograms: [...keptHistograms.values()].sort(byTime),
  };
}

describe('merging the samples of one series', () => {
  it('is equivalent to a Map by timestamp, bit for bit', () => {
    fc.assert(
      fc.property(fc.array(float), fc.array(histogram), (floats, histograms) => {
        const columns = columnsOf(floats, histograms);
        const { conflicts, repeats } = mergeByTime(columns, 'repeat');
        const merged = { conflicts, repeats, floats: floatsOf(columns), histograms: histogramsOf(columns) };
        assert.deepEqual(merged, naive(floats, histograms));
      }),
    );
  });

  it('counts every sample once: kept, conflicting or repeated', () => {
    fc.assert(
      fc.property(
        fc.array(float),
        fc.array(histogram),
        fc.constantFrom('repeat', 'conflict'),
        (floats, histograms, meaning) => {
          const columns = columnsOf(floats, histograms);
          const { conflicts, repeats } = mergeByTime(columns, meaning);
          assert.equal(
            columns.floats + columns.histograms.length + conflicts + repeats,
            floats.length + histograms.length,
          );
          if (meaning === 'conflict') assert.equal(repeats, 0);
        },
      ),
    );
  });

  it('leaves ordered samples unchanged', () => {
    const floats = [1, 2, 4].map((timeMs) => ({ timeMs, bits: stale }));
    const columns = columnsOf(floats);
    const { floatTimesMs } = columns;
    assert.deepEqual(mergeByTime(columns, 'repeat'), { conflicts: 0, repeats: 0 });
    assert.equal(columns.floatTimesMs, floatTimesMs);
    assert.deepEqual(floatsOf(columns), floats);
  });

  it('prefers a value to a stale marker, whichever came first', () => {
    const value = { timeMs: 5, bits: 0x3ff0_0000_0000_0000n };
    const marker = { timeMs: 5, bits: stale };
    for (const floats of [
      [value, marker],
      [marker, value],
    ]) {
      const columns = columnsOf(floats);
      assert.equal(mergeByTime(columns, 'repeat').conflicts, 1);
      assert.deepEqual(floatsOf(columns), [value]);
    }
  });

  it('takes a histogram whose chunk was encoded again for the same one, and leaves the hint to the receiver', () => {
    const one = { countInt: 5, sum: 2.5, schema: 3, zeroThreshold: 0.1, zeroCountInt: 1, timestampMs: 5 };
    const plain = { positiveSpans: [{ offset: 2, length: 2 }], positiveDeltas: [1, 2] };
    const withEmpty = { positiveSpans: [{ offset: 1, length: 4 }], positiveDeltas: [0, 1, 2, -3] };
    const NO = 2;
    const GAUGE = 3;
    const messages = [
      { ...one, ...plain, resetHint: NO },
      { ...one, ...withEmpty },
      { ...one, ...plain, resetHint: GAUGE },
      { ...one, ...plain, sum: -2.5 },
    ].map((histogram) => encodeMessage('Histogram', histogram));
    const columns = columnsOf(
      [],
      messages.map((message) => ({ timeMs: 5, message })),
    );
    assert.deepEqual(mergeByTime(columns, 'repeat'), { conflicts: 2, repeats: 1 });
    assert.deepEqual(histogramsOf(columns), [{ timeMs: 5, message: messages[1] }]);
  });
});

describe('removing the samples that are already present', () => {
  it('keeps exactly those with other timestamps', () => {
    const distinct = fc.uniqueArray(fc.integer({ min: -20, max: 40 }));
    fc.assert(
      fc.property(distinct, distinct, distinct, (floatTimes, histogramTimes, present) => {
        const floats = floatTimes.sort((a, b) => a - b).map((timeMs) => ({ timeMs, bits: BigInt(timeMs + 100) }));
        const histograms = histogramTimes
          .sort((a, b) => a - b)
          .map((timeMs) => ({ timeMs, message: Uint8Array.of(timeMs + 100) }));
        const columns = columnsOf(floats, histograms);
        const removed = removePresent(columns, Float64Array.from(present).sort());
        assert.deepEqual(
          floatsOf(columns),
          floats.filter(({ timeMs }) => !present.includes(timeMs)),
        );
        assert.deepEqual(
          histogramsOf(columns),
          histograms.filter(({ timeMs }) => !present.includes(timeMs)),
        );
        assert.equal(removed, floats.length + histograms.length - columns.floats - columns.histograms.length);
      }),
    );
  });
});
