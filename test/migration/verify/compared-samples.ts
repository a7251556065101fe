// Samples of both sides of a comparison, and how they compare.
import assert from 'node:assert/strict';
import type { Lens } from '../../../src/migration/verify/float-comparison.ts';
import { SampleComparison, SeriesTally } from '../../../src/migration/verify/sample-comparison.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { STALE_HIGH, STALE_LOW } from '../../../src/wire/stale-marker.ts';
import { encodeMessage } from '../../wire/support/oracle.ts';

const EXACT: Lens = { victoriaMetrics: false, influxdb: false, promql: false, samples: false };
export const STALE = 'stale';

export type Value = number | typeof STALE | bigint | object;
export type Samples = readonly (readonly [timeMs: number, value: Value])[];

function columnsOf(samples: Samples): SampleColumns {
  const columns = new SampleColumns(1);
  const bits = new DataView(new ArrayBuffer(8));
  for (const [timeMs, value] of samples) {
    if (typeof value === 'object') {
      const message =
        value instanceof Uint8Array ? value : encodeMessage('Histogram', { ...value, timestampMs: timeMs });
      columns.addHistogram(timeMs, message);
    } else if (value === STALE) columns.addFloat(timeMs, STALE_LOW, STALE_HIGH);
    else {
      if (typeof value === 'bigint') bits.setBigUint64(0, value);
      else bits.setFloat64(0, value);
      columns.addFloat(timeMs, bits.getUint32(4), bits.getUint32(0));
    }
  }
  return columns;
}

/** The end of a series of histograms. JavaScript numbers cannot hold its sum, so its bytes replace those of 1. */
export function staleHistogram(): Uint8Array {
  const message = Buffer.from(encodeMessage('Histogram', { countInt: 0, sum: 1 }));
  const one = Buffer.alloc(8);
  one.writeDoubleLE(1);
  const at = message.indexOf(one);
  message.writeUInt32LE(STALE_LOW, at);
  message.writeUInt32LE(STALE_HIGH, at + 4);
  return message;
}

export function compared(source: Samples, destination: Samples, lens: Partial<Lens> = {}, countsRepeats = true) {
  const tally = new SeriesTally();
  const found: unknown[] = [];
  const comparison = new SampleComparison({ lens: { ...EXACT, ...lens }, countsRepeats, countsExtra: true });
  comparison.compare(columnsOf(source), columnsOf(destination), tally, ({ kind, timeMs }) =>
    found.push([kind, timeMs]),
  );
  const { samples, equal, missing, extra, different, repeated } = tally;
  const expected = Object.fromEntries(tally.expected);
  assert.equal(samples, equal + missing + different + Object.values(expected).reduce((sum, count) => sum + count, 0));
  return { counts: [equal, missing, extra, different, repeated], expected, found };
}
