// The kernel's comparison of floats gives the counts of the JavaScript path.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EXACT } from '../../../src/migration/verify/destination-reader.ts';
import { SampleComparison, SeriesTally } from '../../../src/migration/verify/sample-comparison.ts';
import { openKernel } from '../../../src/wire/kernel/kernel.ts';
import type { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { addFloats, anyBits } from '../../wire/support/float-bits.ts';

const kernel = openKernel();
const VICTORIA = { ...EXACT, victoriaMetrics: true };
const FACTORS = [1 + 0.5e-11, 1 - 0.5e-11, 1 + 2e-11, 1 - 2e-11];

interface Pair {
  readonly mine: bigint;
  readonly theirs: bigint;
}

/** Two values: the same, next to each other, near the limit, zeros with either sign, or any. */
const anyPair: fc.Arbitrary<Pair> = fc.oneof(
  anyBits.map((bits) => ({ mine: bits, theirs: bits })),
  anyBits.map((bits) => ({ mine: bits, theirs: bits ^ 1n })),
  fc.tuple(fc.double({ noNaN: true }), fc.constantFrom(...FACTORS)).map(([value, factor]) => {
    return { mine: bitsOf(value), theirs: bitsOf(value * factor) };
  }),
  fc.constantFrom({ mine: 0n, theirs: 1n << 63n }, { mine: 1n << 63n, theirs: 0n }),
);
const closePair = fc.double({ noNaN: true, noDefaultInfinity: true }).chain((value) =>
  fc.constantFrom(1, 1 + 0.5e-11, -0, 1 - 0.5e-11).map((factor) => {
    return { mine: bitsOf(value), theirs: factor === 0 ? bitsOf(value) : bitsOf(value * factor) };
  }),
);

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0] as bigint;
}

function fill(columns: SampleColumns, values: readonly bigint[]): void {
  columns.clear();
  addFloats(
    columns,
    values.map((bits, i) => ({ timeMs: 1000 * i, bits })),
  );
}

function compared(pairs: readonly Pair[], lens = VICTORIA, shift?: number) {
  using borrowedMine = kernel.blocks.borrowColumns()!;
  using borrowedTheirs = kernel.blocks.borrowColumns()!;
  const [mine, theirs] = [borrowedMine.columns, borrowedTheirs.columns];
  const values = pairs.map((pair) => pair.mine);
  fill(mine, values);
  fill(
    theirs,
    pairs.map((pair) => pair.theirs),
  );
  if (shift !== undefined) theirs.floatTimesMs[shift]!++;
  const options = { lens, countsRepeats: true, countsExtra: true };
  const [tally, oracle] = [new SeriesTally(), new SeriesTally()];
  new SampleComparison(options, kernel).compare(mine, theirs, tally);
  new SampleComparison(options, null).compare(mine, theirs, oracle);
  const changed = kernel.blocks.compareFloats(mine, theirs, lens.victoriaMetrics ? 1e-11 : Number.NaN);
  return { tally, oracle, changed };
}

describe('the comparison of floats in the kernel', () => {
  it('counts what JavaScript counts', () => {
    const pairs = fc.array(fc.oneof({ weight: 3, arbitrary: closePair }, anyPair), { maxLength: 20 });
    fc.assert(
      fc.property(pairs, fc.constantFrom(VICTORIA, EXACT), fc.option(fc.nat(19)), (list, lens, shift) => {
        const { tally, oracle, changed } = compared(
          list,
          lens,
          shift !== null && shift < list.length ? shift : undefined,
        );
        assert.deepEqual(tally, oracle);
        // It leaves to JavaScript only what differs.
        const isUsual =
          !oracle.differs && oracle.equal + (oracle.expected.get('victoriametrics_decimals') ?? 0) === list.length;
        if (isUsual) assert.equal(changed, list.length - oracle.equal);
        else assert.equal(changed, undefined);
      }),
      { numRuns: 5000 },
    );
  });

  it('sees one bit, one time and one sample more, wherever they are', () => {
    const one = bitsOf(1.5);
    const same: Pair[] = Array.from({ length: 9 }, () => ({ mine: one, theirs: one }));
    assert.equal(compared(same).changed, 0);
    for (let at = 0; at < same.length; at++) {
      const other = same.with(at, { mine: one, theirs: bitsOf(1.5 + 1e-9) });
      assert.equal(compared(other).changed, undefined);
      assert.equal(compared(other).tally.different, 1);
      const close = same.with(at, { mine: one, theirs: one ^ 1n });
      assert.equal(compared(close).changed, 1);
      assert.equal(compared(close, EXACT).changed, undefined);
      assert.equal(compared(same, VICTORIA, at).changed, undefined);
    }
  });
});
