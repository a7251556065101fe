import assert from 'node:assert/strict';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { hasOnlyStaleMarkers } from '../../../src/wire/requests/only-stale-markers.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';

const up = encodeLabels([['__name__', 'up']]);
const STALE = [2, 0x7ff0_0000] as const;
const ONE = [0, 0x3ff0_0000] as const;
const OTHER_NAN = [1, 0x7ff8_0000] as const;
const STALE_BYTES = [2, 0, 0, 0, 0, 0, 0xf0, 0x7f];

type Bits = readonly [low: number, high: number];

/** One TimeSeries with these floats, and another with a histogram of these sums, byte by byte. */
function requestOf(floats: readonly Bits[], sums: readonly (readonly number[])[] = []): Uint8Array {
  const columns = new SampleColumns();
  for (const [i, [low, high]] of floats.entries()) columns.addFloat(1_700_000_000_000 + i, low, high);
  for (const [i, sum] of sums.entries())
    columns.addHistogram(1_700_000_000_000 + i, Uint8Array.of(0x08, 0, 0x19, ...sum, 0x30, 0, 0x78, 5));
  const batch = new WriteBatch(64);
  batch.appendFloats(up, columns, 0, floats.length);
  batch.appendHistograms(up, columns, 0, sums.length);
  return batch.request();
}

describe('a request of stale markers only', () => {
  it('is distinguished from one with any other sample', () => {
    const cases: [string, Uint8Array, boolean][] = [
      ['a float stale marker', requestOf([STALE]), true],
      ['several', requestOf([STALE, STALE]), true],
      ['a number', requestOf([ONE]), false],
      ['a NaN that is none', requestOf([OTHER_NAN]), false],
      ['a number behind one', requestOf([STALE, ONE]), false],
      ['a stale histogram', requestOf([], [STALE_BYTES]), true],
      ['both', requestOf([STALE], [STALE_BYTES]), true],
      ['another histogram', requestOf([], [[0, 0, 0, 0, 0, 0, 0xf0, 0x3f]]), false],
      ['another histogram behind a stale one', requestOf([], [STALE_BYTES, [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]]), false],
      ['nothing', requestOf([]), false],
    ];
    for (const [name, request, expected] of cases) assert.equal(hasOnlyStaleMarkers(request), expected, name);
  });

  it('does not include a series without a value, which is 0 by default', () => {
    // TimeSeries { samples: [{ timestamp: 5 }] }
    assert.equal(hasOnlyStaleMarkers(Uint8Array.of(0x0a, 4, 0x12, 2, 0x10, 5)), false);
  });
});
