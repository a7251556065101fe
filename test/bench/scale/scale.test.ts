import assert from 'node:assert/strict';
import { efficiency, scaleFailures, scaleGoals, type ScaleRun, scaleText } from '../../../bench/scale/scale.ts';
import { divide } from '../../../bench/scale/stretches.ts';
import { BLOCK_MS } from '../../../bench/scale/synthetic.ts';

const RUN: ScaleRun = {
  processes: 1,
  wallMs: 100_000,
  cpuMs: 1_000,
  peakRssBytes: 1e8,
  received: { hash: 'aa', samples: 1000, marks: 3, writes: 4, reads: 5, middleHalfMs: 40_000 },
  sourceCpuMs: 10,
  sinkCpuMs: 20,
};
const FOUR: ScaleRun = {
  ...RUN,
  processes: 4,
  wallMs: 50_000,
  received: { ...RUN.received, middleHalfMs: 12_500 },
};
const FIGURES = { expected: { hash: 'aa', samples: 1000 }, runs: [RUN, FOUR] };

describe('the parts of a range', () => {
  it('begin and end at borders of two hours, cover the range, and differ by at most one block', () => {
    const range = { fromMs: 100 * BLOCK_MS, toMs: 137 * BLOCK_MS };
    const parts = divide(range, 16);
    assert.equal(parts.length, 16);
    assert.equal(parts[0]!.fromMs, range.fromMs);
    assert.equal(parts.at(-1)!.toMs, range.toMs);
    for (const [i, { fromMs, toMs }] of parts.entries()) {
      assert.equal(fromMs % BLOCK_MS, 0);
      assert.equal(parts[i + 1]?.fromMs ?? range.toMs, toMs);
      assert.ok([2, 3].includes((toMs - fromMs) / BLOCK_MS));
    }
  });

  it('do not exist for a range that ends inside a block, or has too few', () => {
    assert.throws(() => divide({ fromMs: 0, toMs: BLOCK_MS + 1 }, 1), /borders/);
    assert.throws(() => divide({ fromMs: 0, toMs: BLOCK_MS }, 2), /too few/);
  });
});

describe('the result of the case scale', () => {
  it('has an efficiency of 1 if N processes need an N-th of the time of one', () => {
    assert.deepEqual(efficiency(FIGURES, RUN), { copying: 1, overall: 1 });
    assert.deepEqual(efficiency(FIGURES, FOUR), { copying: 0.8, overall: 0.5 });
    assert.deepEqual(
      scaleGoals(FIGURES).map(({ name, value }) => [name, value]),
      [['scale: efficiency of 4 processes while copying', 0.8]],
    );
  });

  it('is none if the sink received other samples', () => {
    assert.deepEqual(scaleFailures(FIGURES), []);
    const other = { ...FOUR, received: { ...FOUR.received, hash: 'ab' } };
    const fewer = { ...FOUR, received: { ...FOUR.received, samples: 999 } };
    assert.equal(scaleFailures({ ...FIGURES, runs: [RUN, other, fewer] }).length, 2);
  });

  it('is a table with a row for each number of processes', () => {
    const [, title, head, one, four, ...rest] = scaleText(FIGURES).split('\n');
    assert.match(title!, /^scale: 0\.00 M samples/);
    assert.match(head!, /processes +wall s .* samples$/);
    assert.match(one!, /^ {2}1 +100\.0 +10 +1\.00 .* equal$/);
    assert.match(four!, /^ {2}4 +50\.0 +20 +0\.50 +40 +0\.80 .* equal$/);
    assert.deepEqual(rest, []);
  });
});
