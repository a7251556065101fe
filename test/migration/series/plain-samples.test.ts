import assert from 'node:assert/strict';
import { alteredAtMost } from '../../../src/migration/series/plain-samples.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { encodeMessage } from '../../wire/support/oracle.ts';
import { bitsOf, staleBits } from '../support/remote-messages.ts';

function altered(values: readonly bigint[], histograms: readonly Uint8Array[] = []): number {
  const columns = new SampleColumns(1);
  for (const [i, bits] of values.entries()) columns.addFloat(i, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  for (const [i, message] of histograms.entries()) columns.addHistogram(i, message);
  return alteredAtMost(columns);
}

describe('the values that a plain response may have changed', () => {
  it('are the zeros, which may have been −0, and no other value', () => {
    const others = [1, -1, 5e-324, -5e-324, Number.NaN, Number.POSITIVE_INFINITY, 2 ** -1000].map(bitsOf);
    assert.equal(altered([...others, bitsOf(-0), staleBits]), 0, 'a −0 that arrived is one');
    assert.equal(altered([bitsOf(0), ...others, bitsOf(0)]), 2);
    assert.equal(altered([]), 0);
  });

  const histogram = { countInt: 3, sum: 4.5, schema: 3, positiveDeltas: [1, 2], timestamp: 1000 };
  const custom = { ...histogram, schema: -53 };
  const table: [string, object, number][] = [
    ['a histogram', histogram, 0],
    ['one whose sum is 0', { ...histogram, sum: 0 }, 1],
    ['one with custom buckets and their bounds', { ...custom, customValues: [0.1, 1] }, 0],
    ['one with custom buckets without bounds', custom, 1],
    ['one of schema −4', { ...histogram, schema: -4 }, 0],
    ['one of schema 0', { ...histogram, schema: 0 }, 0],
  ];
  for (const [what, fields, expected] of table) {
    it(`${expected === 0 ? 'is not' : 'may be'} ${what}`, () => {
      const { sum, schema, ...rest } = fields as { sum: number; schema: number };
      // As Go writes it: fields that are 0 are omitted.
      const present = { ...rest, ...(sum !== 0 && { sum }), ...(schema !== 0 && { schema }) };
      assert.equal(altered([], [encodeMessage('Histogram', present)]), expected);
    });
  }
});
