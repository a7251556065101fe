import assert from 'node:assert/strict';
import { decodeLabels } from '../../../src/wire/labels.ts';
import { RequestCursor } from '../../../src/wire/requests/request-cursor.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { columnsOf, up } from '../support/write-requests.ts';

const STALE = 0x7ff0_0000_0000_0002n;
const NAN = 0x7ff8_0000_0000_0001n;

interface Kind {
  readonly isStaleMarker: boolean;
  readonly isOrdinaryNan: boolean;
  readonly isFiniteFloat: boolean;
}

const FINITE: Kind = { isStaleMarker: false, isOrdinaryNan: false, isFiniteFloat: true };
const INFINITE: Kind = { ...FINITE, isFiniteFloat: false };
const STALE_MARKER: Kind = { ...INFINITE, isStaleMarker: true };
const ORDINARY_NAN: Kind = { ...INFINITE, isOrdinaryNan: true };

/** Everything that the cursor says about the samples, in order. */
function samplesOf(request: Uint8Array) {
  const found: object[] = [];
  const cursor = new RequestCursor(request);
  while (cursor.nextSeries()) {
    while (cursor.nextSample()) {
      const { timeMs, isHistogram, isStaleMarker, isOrdinaryNan, isFiniteFloat } = cursor;
      found.push({ timeMs, isHistogram, isStaleMarker, isOrdinaryNan, isFiniteFloat });
    }
  }
  return found;
}

describe('the cursor over a write request', () => {
  it('distinguishes the kinds of floats by their bits', () => {
    const cases: [bigint, Kind][] = [
      [0n, FINITE],
      [0x8000_0000_0000_0000n, FINITE],
      [0x7fef_ffff_ffff_ffffn, FINITE],
      [0x7ff0_0000_0000_0000n, INFINITE],
      [0xfff0_0000_0000_0000n, INFINITE],
      [STALE, STALE_MARKER],
      [NAN, ORDINARY_NAN],
      [0xfff0_0000_0000_0002n, ORDINARY_NAN],
    ];
    const batch = new WriteBatch(64);
    const columns = columnsOf(cases.map(([bits], timeMs) => ({ timeMs: timeMs - 1, bits })));
    batch.appendFloats(up, columns, 0, cases.length);
    assert.deepEqual(
      samplesOf(batch.request()),
      cases.map(([, kind], timeMs) => ({ timeMs: timeMs - 1, isHistogram: false, ...kind })),
    );
  });

  it('takes a histogram as a stale marker by its sum, and never as a float', () => {
    const columns = columnsOf([]);
    const sums = [STALE, NAN, 0n];
    for (const [timeMs, sum] of sums.entries()) {
      const message = Buffer.from([0x08, 0, 0x19, ...Array(8).fill(0), 0x78, timeMs]);
      message.writeBigUInt64LE(sum, 3);
      columns.addHistogram(timeMs, message);
    }
    // Go omits a sum of 0.
    columns.addHistogram(3, Uint8Array.of(0x08, 0, 0x78, 3));
    const batch = new WriteBatch(64);
    batch.appendHistograms(up, columns, 0, 4);
    assert.deepEqual(
      samplesOf(batch.request()),
      [STALE_MARKER, INFINITE, INFINITE, INFINITE].map((kind, timeMs) => ({ timeMs, isHistogram: true, ...kind })),
    );
  });

  it('takes a missing value as 0 and a missing time as 0', () => {
    // TimeSeries { samples: [{ timestamp: 5 }, {}] }
    const request = Uint8Array.of(0x0a, 6, 0x12, 2, 0x10, 5, 0x12, 0);
    assert.deepEqual(samplesOf(request), [
      { timeMs: 5, isHistogram: false, ...FINITE },
      { timeMs: 0, isHistogram: false, ...FINITE },
    ]);
  });

  it('keeps its place when the labels are read in between, and returns positions', () => {
    const batch = new WriteBatch(64);
    batch.appendFloats(up, columnsOf([1, 2].map((timeMs) => ({ timeMs, bits: 1n }))), 0, 2);
    const request = batch.request();
    const cursor = new RequestCursor(request);
    assert.equal(cursor.nextSeries(), true);
    assert.deepEqual([cursor.seriesStart, cursor.seriesEnd], [0, request.length]);
    assert.equal(cursor.nextSample(), true);
    const { sampleStart, sampleEnd } = cursor;
    assert.deepEqual(decodeLabels(cursor.labels), decodeLabels(up));
    assert.equal(cursor.timeMs, 1);
    assert.equal(cursor.nextSample(), true);
    assert.equal(cursor.sampleStart, sampleEnd);
    assert.equal(sampleEnd - sampleStart, 13);
    assert.equal(cursor.timeMs, 2);
    assert.equal(cursor.nextSample(), false);
    assert.equal(cursor.nextSeries(), false);
  });

  it('rejects a request that ends inside a sample', () => {
    const batch = new WriteBatch(64);
    batch.appendSample(up, 1, 1);
    const request = batch.request();
    assert.throws(() => samplesOf(request.subarray(0, -1)), { name: 'WireError', code: 'truncated' });
  });
});
