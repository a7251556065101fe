import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseDuration } from '../../src/api/duration.ts';

const UNITS = ['y', 'w', 'd', 'h', 'm', 's', 'ms'];

describe('Prometheus durations', () => {
  const good: readonly [string, number][] = [
    ['0', 0],
    ['0s', 0],
    ['1ms', 1],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
    ['1y', 31_536_000_000],
    ['1y2w3d4h5m6s7ms', 31_536_000_000 + 14 * 86_400_000 + 3 * 86_400_000 + 4 * 3_600_000 + 5 * 60_000 + 6007],
    ['007m', 420_000],
    // The longest lag that the CRD accepts, unit by unit.
    ['9999y', 9999 * 31_536_000_000],
    ['999999999999999ms', 999_999_999_999_999],
  ];
  for (const [text, ms] of good) {
    it(`parses ${text} as ${ms} ms`, () => assert.equal(parseDuration(text), ms));
  }

  for (const text of ['', '5', '1.5h', '-1m', '1m1h', '1m1m', ' 1m', '1 m', '1M', '1us', '00', '99999999999y', 'abc']) {
    it(`rejects ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), undefined));
  }

  it('sums the units of any duration, longest first', () => {
    const units = [365 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000, 1];
    const counts = fc.tuple(...units.map(() => fc.option(fc.nat(9_999))));
    fc.assert(
      fc.property(counts, (numbers) => {
        const text = numbers.map((number, i) => (number === null ? '' : `${number}${UNITS[i]}`)).join('');
        fc.pre(text !== '');
        assert.equal(
          parseDuration(text),
          numbers.reduce<number>((sum, number, i) => sum + (number ?? 0) * (units[i] as number), 0),
        );
      }),
    );
  });
});
