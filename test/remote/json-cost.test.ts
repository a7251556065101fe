import assert from 'node:assert/strict';
import fc from 'fast-check';
import { JsonCost } from '../../src/remote/json-cost.ts';

function costOf(text: string): number {
  const cost = new JsonCost();
  cost.add(Buffer.from(text));
  return cost.bytes;
}

/** The heap memory of the text and the result of JSON.parse, measured by V8. */
function takenBy(text: string): number {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const parsed = JSON.parse(text) as unknown;
  const taken = process.memoryUsage().heapUsed - before;
  assert.notEqual(parsed, undefined);
  return taken;
}

describe('JsonCost', () => {
  it('is the same however the text is split', () => {
    fc.assert(
      fc.property(fc.json(), fc.array(fc.nat(20)), (text, sizes) => {
        const bytes = Buffer.from(text);
        const cost = new JsonCost();
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          cost.add(bytes.subarray(at, at + size));
          at += size;
        }
        assert.equal(cost.bytes, costOf(text));
      }),
    );
  });

  it('ignores structural characters inside strings', () => {
    assert.equal(costOf('"[[{{,,::\\"[[\\\\"') - costOf('"aaaaaaaaaaaaaa"'), 0);
    assert.ok(costOf('"\\\\",[]') > costOf('"\\\\aaaa"'));
  });

  const texts: [string, (count: number) => string][] = [
    ['empty objects', (count) => `[${'{},'.repeat(count)}{}]`],
    ['empty arrays', (count) => `[${'[],'.repeat(count)}[]]`],
    ['numbers', (count) => `[${'1.5,'.repeat(count)}1]`],
    ['short strings', (count) => `[${Array.from({ length: count }, (_, i) => `"s${i}"`).join(',')}]`],
    ['objects with unique keys', (count) => `[${Array.from({ length: count }, (_, i) => `{"k${i}":1}`).join(',')}]`],
    [
      'samples',
      (count) => `[${Array.from({ length: count }, (_, i) => `[${1_700_000_000 + i}.123,"${i}.5"]`).join(',')}]`,
    ],
  ];
  for (const [what, textOf] of texts) {
    it(`is at least the size of ${what}`, () => {
      const text = textOf(20_000);
      assert.ok(takenBy(text) <= costOf(text), `${takenBy(text)} bytes, counted as ${costOf(text)}`);
    });
  }

  it('can be reset', () => {
    const cost = new JsonCost();
    cost.add(Buffer.from('["'));
    cost.clear();
    cost.add(Buffer.from('[[]]'));
    assert.equal(cost.bytes, costOf('[[]]'));
  });
});
