import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseTime } from '../../src/api/time.ts';

describe('RFC 3339 times', () => {
  const good: readonly [string, number][] = [
    ['1970-01-01T00:00:00Z', 0],
    ['2024-02-29T12:34:56Z', Date.UTC(2024, 1, 29, 12, 34, 56)],
    ['2024-01-31T01:00:00.25+01:00', Date.UTC(2024, 0, 31, 0, 0, 0, 250)],
    ['2024-01-31T00:00:00.007-05:30', Date.UTC(2024, 0, 31, 5, 30, 0, 7)],
    ['2024-01-31t00:00:00z', Date.UTC(2024, 0, 31)],
    ['2024-01-31T00:00:00.999999999Z', Date.UTC(2024, 0, 31, 0, 0, 0, 999)],
    ['0001-01-01T00:00:00Z', -62135596800000],
  ];
  for (const [text, ms] of good) it(`parses ${text}`, () => assert.equal(parseTime(text), ms));

  const bad = [
    '',
    '2024-01-31',
    '2024-01-31 00:00:00Z',
    '2024-01-31T00:00:00',
    '2024-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-00-01T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-01-01T23:59:60Z',
    '2024-01-01T00:60:00Z',
    '2024-01-01T00:00:00.Z',
    '2024-01-01T00:00:00+0100',
    '2024-01-01T00:00:00+24:00',
    'yesterday',
  ];
  for (const text of bad) it(`rejects ${JSON.stringify(text)}`, () => assert.equal(parseTime(text), undefined));

  it('parses the output of Date', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62135596800000, max: 253402300799999 }), (ms) =>
        assert.equal(parseTime(new Date(ms).toISOString()), ms),
      ),
    );
  });
});
