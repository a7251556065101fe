import assert from 'node:assert/strict';
import { parseQuantity, quantityNanos } from '../../src/api/quantity.ts';

describe('Kubernetes quantities', () => {
  const good: readonly [string, number][] = [
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
    it(`parses ${JSON.stringify(text)} as ${number}`, () => assert.equal(parseQuantity(text), number));
  }

  for (const text of ['', 'Mi', '1 Mi', '1MB', '1mi', '1K', '0x10', '1e', '1e1.5', '1,5', 'lots', '1e2147483648', '']) {
    it(`rejects ${JSON.stringify(text)}`, () => assert.equal(parseQuantity(text), undefined));
  }

  const exact: readonly [string, bigint][] = [
    ['0', 0n],
    ['-0', 0n],
    ['1n', 1n],
    ['0.1n', 1n],
    ['-0.1n', -1n],
    ['1e-99999', 1n],
    ['1.0000000001', 1_000_000_001n],
    ['0.9999999999Gi', 1_073_741_823_892_625_818n],
    ['1e18', 10n ** 27n],
    ['9223372036854775807', 9223372036854775807n * 10n ** 9n],
    ['9223372036854775808', 9223372036854775807n * 10n ** 9n],
    ['1e99999', 9223372036854775807n * 10n ** 9n],
    ['-8Ei', -9223372036854775807n * 10n ** 9n],
    [`0.${'0'.repeat(300)}1`, 1n],
  ];
  for (const [text, nanos] of exact) {
    const shown = text.slice(0, 30);
    it(`rounds ${shown} up to the next billionth`, () => assert.equal(quantityNanos(text), nanos));
  }
});
