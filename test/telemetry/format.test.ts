import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatExact,
  formatPercent,
  formatRate,
  formatTime,
  formatTimeShort,
} from '../../src/telemetry/format.ts';

const tables: [string, (value: number) => string | undefined, [number, string | undefined][]][] = [
  [
    'counts',
    formatCount,
    [
      [0, '0'],
      [1, '1'],
      [999, '999'],
      [1000, '1.0k'],
      [12_449, '12.4k'],
      [99_949, '99.9k'],
      [99_951, '100k'],
      [999_400, '999k'],
      [999_600, '1.0M'],
      [12_400_000, '12.4M'],
      [2_000_000_000, '2.0G'],
      [3e12, '3.0T'],
      [Number.NaN, '-'],
      [-1, '-'],
    ],
  ],
  [
    'rates',
    formatRate,
    [
      [0, '0/s'],
      [0.42, '0.4/s'],
      [9.949, '9.9/s'],
      [9.96, '10/s'],
      [1_800_000, '1.8M/s'],
    ],
  ],
  [
    'bytes',
    formatBytes,
    [
      [0, '0 B'],
      [1023, '1023 B'],
      [1024, '1.0 KiB'],
      [4 * 1024 * 1024, '4.0 MiB'],
      [300 * 1024 * 1024, '300 MiB'],
    ],
  ],
  [
    'durations',
    formatDuration,
    [
      [0, '0s'],
      [0.2, '0ms'],
      [850, '850ms'],
      [999.6, '1s'],
      [1499, '1s'],
      [12_000, '12s'],
      [59_600, '1m'],
      [60_000, '1m'],
      [200_000, '3m20s'],
      [3_600_000, '1h'],
      [7_200_000, '2h'],
      [9_000_000, '2h30m'],
      [86_399_999, '1d'],
      [100_800_000, '1d4h'],
      [400 * 86_400_000, '400d'],
      [Number.POSITIVE_INFINITY, '-'],
      [-5, '-'],
    ],
  ],
  [
    'times',
    formatTime,
    [
      [0, '1970-01-01T00:00:00.000Z'],
      [Date.UTC(2026, 0, 2, 3, 4, 5, 678), '2026-01-02T03:04:05.678Z'],
      [-1, '1969-12-31T23:59:59.999Z'],
      [9e15, undefined],
      [Number.NaN, undefined],
    ],
  ],
  [
    'short times',
    formatTimeShort,
    [
      [Date.UTC(2026, 0, 2, 3, 4, 5, 678), '2026-01-02 03:04:05'],
      [Number.NaN, '-'],
    ],
  ],
  [
    'percentages',
    formatPercent,
    [
      [0, '0.0%'],
      [0.29, '29.0%'],
      [0.4239, '42.3%'],
      [0.99999, '99.9%'],
      [1, '100.0%'],
      [1.2, '100.0%'],
      [-1, '0.0%'],
    ],
  ],
  [
    'exact counts',
    formatExact,
    [
      [12_400_000, '12,400,000'],
      [0, '0'],
    ],
  ],
];

describe('formatting for people', () => {
  for (const [name, format, rows] of tables) {
    describe(name, () => {
      for (const [value, text] of rows) it(`formats ${value} as ${text}`, () => assert.equal(format(value), text));
    });
  }

  it('uses at most six columns for a count below a thousand peta', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 9.9e17, noNaN: true }), (count) => formatCount(count).length <= 6));
  });

  it('shows 100.0% only when nothing is left', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999999, noNaN: true }), (ratio) => formatPercent(ratio) !== '100.0%'),
    );
  });
});
