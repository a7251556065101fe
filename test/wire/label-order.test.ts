import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compareLabels } from '../../src/wire/label-order.ts';
import { encodeLabels } from '../../src/wire/labels.ts';

type Pairs = [name: string, value: string][];

/** As labels.Compare of Prometheus: name by name and value by value; if all are the same, the shorter set comes first. */
function expected(a: Pairs, b: Pairs): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    for (const part of [0, 1] as const) {
      const order = Buffer.compare(Buffer.from(a[i]![part]), Buffer.from(b[i]![part]));
      if (order !== 0) return order;
    }
  }
  return Math.sign(a.length - b.length);
}

const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', 'é', '😀'), minLength: 1, maxLength: 3 }),
  fc.string({ unit: fc.constant('a'), minLength: 120, maxLength: 300 }),
);
const labels = fc
  .uniqueArray(fc.tuple(text, text), { maxLength: 5, selector: ([name]) => name })
  .map((pairs) => pairs.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));

describe('the order of labels', () => {
  it('is that of their names and values, one label after the other', () => {
    fc.assert(
      fc.property(labels, labels, (a, b) => {
        assert.equal(Math.sign(compareLabels(encodeLabels(a), encodeLabels(b))), expected(a, b));
        assert.equal(compareLabels(encodeLabels(a), encodeLabels(a)), 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('is not that of the bytes, which begin with lengths', () => {
    const [short, long] = [encodeLabels([['a', 'z']]), encodeLabels([['a', 'bbb']])];
    assert.ok(compareLabels(long, short) < 0);
    assert.ok(Buffer.compare(long, short) > 0);
  });
});
