import assert from 'node:assert/strict';
import { BufferPool } from '../../../src/migration/limits/buffer-pool.ts';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../../src/migration/limits/reservation.ts';
import { EarlierSeries, isDivisible, SeriesInTwoParts } from '../../../src/migration/read/earlier-series.ts';
import { epochMs, planFor } from '../support/plan.ts';

const { signal } = new AbortController();

describe('the series of the parts before', () => {
  it('accept each series once, within the memory that is reserved for them', async () => {
    const reservation = new Reservation(new MemoryBudget(1 << 24), new BufferPool());
    const earlier = new EarlierSeries();
    for (let part = 0; part < 10; part++) {
      await earlier.makeRoom(5000, reservation, signal);
      for (let i = 0; i < 5000; i++) earlier.add(part * 5000 + i);
      assert.equal(reservation.bytes, earlier.bytes);
    }
    assert.ok(earlier.bytes >= 50_000 * 16 && earlier.bytes <= 2 * 50_000 * 16);
    for (const hash of [0, 25_000, 49_999]) assert.throws(() => earlier.add(hash), SeriesInTwoParts);
    earlier.free();
    assert.equal(earlier.bytes, 0);
  });
});

describe('a response', () => {
  const sides = {
    source: { readUrl: 'http://127.0.0.1:1' },
    destination: { writeUrl: 'http://127.0.0.1:1', readUrl: 'http://127.0.0.1:1', queryUrl: 'http://127.0.0.1:1' },
  };
  const rule = {
    action: 'labeldrop' as const,
    sourceLabels: [],
    separator: ';',
    regex: 'pod',
    modulus: 0,
    targetLabel: '',
    replacement: '',
  };
  const selectors = planFor(sides).selectors;
  const table: [string, Parameters<typeof planFor>[1], boolean][] = [
    ['with its labels unchanged can be written in parts', {}, true],
    ['with relabelling can be, in any order', { relabelings: [rule], destination: { ordering: 'Any' } }, true],
    ['with relabelling cannot be, in order', { relabelings: [rule] }, false],
    ['with external labels cannot be, in order', { externalLabels: { cluster: 'a' } }, false],
    ['that is one of several cannot be', { selectors: [...selectors, ...selectors], startMs: epochMs }, false],
  ];
  for (const [title, changes, expected] of table) {
    it(title, () => {
      assert.equal(isDivisible(planFor(sides, changes)), expected);
    });
  }
});
