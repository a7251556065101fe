import assert from 'node:assert/strict';
import { FLOAT_RANK, histogramCommitRank } from '../../../src/wire/requests/commit-rank.ts';
import { encodeMessage } from '../support/oracle.ts';

const integer = { countInt: 3, sum: 1.5, schema: 3, zeroThreshold: 1e-128, zeroCountInt: 1, timestamp: 1 };
const float = { countFloat: 3, sum: 1.5, schema: 3, zeroThreshold: 1e-128, zeroCountFloat: 1, timestamp: 1 };
const custom = { schema: -53, customValues: [1, 2] };

/** A histogram whose sum, nine bytes with its tag 0x19, has the bits of a stale marker. */
function stale(content: object): Uint8Array {
  const bytes = encodeMessage('Histogram', { ...content, sum: 1.5 });
  const at = bytes.indexOf(0x19);
  bytes.set([0x02, 0, 0, 0, 0, 0, 0xf0, 0x7f], at + 1);
  return bytes;
}

describe('histogramCommitRank', () => {
  const cases: [name: string, message: Uint8Array, first: number, last: number][] = [
    ['an integer histogram', encodeMessage('Histogram', integer), 1, 1],
    ['an integer histogram with custom buckets', encodeMessage('Histogram', { ...integer, ...custom }), 2, 2],
    ['a float histogram', encodeMessage('Histogram', float), 3, 3],
    ['a float histogram with custom buckets', encodeMessage('Histogram', { ...float, ...custom }), 4, 4],
    ['an empty integer histogram', encodeMessage('Histogram', { countInt: 0, timestamp: 5 }), 1, 1],
    ['the end of an integer series', stale({ countInt: 0, zeroCountInt: 0 }), 1, 1],
    ['the end of a series with custom buckets', stale({ countInt: 0, zeroCountInt: 0, schema: -53 }), 1, 1],
    ['the end of a float series, which 2.42 treats as an integer one', stale({ countFloat: 0 }), 1, 3],
  ];
  for (const [name, message, first, last] of cases) {
    it(`ranks ${name} ${first === last ? `at ${first}` : `between ${first} and ${last}`}, after all floats`, () => {
      assert.deepEqual(histogramCommitRank(message), { first, last });
      assert.ok(FLOAT_RANK.last < first);
    });
  }
});
