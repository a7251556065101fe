import assert from 'node:assert/strict';
import { parseQuantity } from '../../src/api/quantity.ts';

describe('Kubernetes quantities', () => {
  const good: readonly [string | number, number][] = [
    [1048576, 1048576],
    ['1048576', 1048576],
    ['256Mi', 268435456],
    ['1.5Gi', 1610612736],
    ['10M', 10_000_000],
    ['1k', 1000],
    ['1Ki', 1024],
    ['1e6', 1_000_000],
    ['1E', 1e18],
    ['1E3', 1000],
    ['.5k', 500],
    ['5.', 5],
    ['+2', 2],
    ['-1', -1],
    ['500m', 0.5],
  ];
  for (const [text, number] of good) {
    it(`reads ${JSON.stringify(text)} as ${number}`, () => assert.equal(parseQuantity(text), number));
  }

  for (const text of ['', 'Mi', '1 Mi', '1MB', '1mi', '1K', '0x10', '1e', '1e1.5', '1,5', 'lots', '1e999']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseQuantity(text), undefined));
  }

  it('refuses what is no number', () => assert.equal(parseQuantity(Number.NaN), undefined));
});
