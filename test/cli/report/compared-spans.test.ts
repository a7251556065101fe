import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ComparedSpans } from '../../../src/cli/report/compared-spans.ts';

const MINUTE_MS = 60_000;
const NOTHING = { samplesCompared: 0, missing: 0, different: 0, extra: 0 };
const window = (index: number, counts: Partial<typeof NOTHING>) => ({
  ...{ fromMs: index * MINUTE_MS, toMs: (index + 1) * MINUTE_MS },
  ...NOTHING,
  ...counts,
});

describe('the compared spans of a report', () => {
  it('take what is found in a part of an earlier window', () => {
    const spans = new ComparedSpans();
    spans.add(window(0, { samplesCompared: 90 }));
    spans.add(window(1, { samplesCompared: 100, extra: 2 }));
    spans.add({ ...window(0, { samplesCompared: 10, missing: 3, different: 1 }), fromMs: 20_000, toMs: 40_000 });
    assert.deepEqual(spans.all, [
      { ...window(0, { samplesCompared: 100, missing: 3, different: 1 }), windows: 1 },
      { ...window(1, { samplesCompared: 100, extra: 2 }), windows: 1 },
    ]);
  });

  it('have exact sums, touch each other and are bounded, however many windows there are', () => {
    const count = fc.oneof(fc.constant(0), fc.nat(1000));
    const windows = fc.array(fc.tuple(count, count, fc.nat()), { minLength: 1, maxLength: 3_000, size: 'max' });
    fc.assert(
      fc.property(windows, (all) => {
        const spans = new ComparedSpans();
        all.forEach(([samplesCompared, missing, at], index) => {
          spans.add(window(index, { samplesCompared }));
          spans.add(window(at % (index + 1), { samplesCompared: missing, missing }));
        });
        const found = spans.all;
        assert.ok(found.length <= 480);
        const sum = (of: (one: (typeof found)[number]) => number) => found.reduce((total, one) => total + of(one), 0);
        const missing = all.reduce((total, one) => total + one[1], 0);
        assert.equal(
          sum((one) => one.missing),
          missing,
        );
        assert.equal(
          sum((one) => one.samplesCompared),
          missing + all.reduce((total, one) => total + one[0], 0),
        );
        assert.equal(
          sum((one) => one.windows),
          all.length,
        );
        assert.deepEqual(
          [0, ...found.map(({ toMs }) => toMs)],
          [...found.map(({ fromMs }) => fromMs), all.length * MINUTE_MS],
        );
      }),
      { numRuns: 40 },
    );
  });
});
