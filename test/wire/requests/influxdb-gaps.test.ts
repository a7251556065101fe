import assert from 'node:assert/strict';
import { countLostInInfluxdb } from '../../../src/wire/requests/influxdb-gaps.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { SampleColumns } from '../../../src/wire/sample-columns.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { encodeMessage } from '../support/oracle.ts';

describe('countLostInInfluxdb', () => {
  const labels = encodeLabels([['__name__', 'up']]);

  function requestOf(highHalves: readonly number[], histograms: number): Uint8Array {
    const columns = new SampleColumns();
    for (const [i, high] of highHalves.entries()) columns.addFloat(1_700_000_000_000 + i, 2, high);
    for (let i = 0; i < histograms; i++) columns.addHistogram(i, encodeMessage('Histogram', { timestamp: i }));
    const batch = new WriteBatch(64);
    batch.appendFloats(labels, columns, 0, columns.floats);
    batch.appendHistograms(labels, columns, 0, columns.histograms.length);
    return batch.request();
  }

  it('counts NaN of every payload and sign, infinities and stale markers', () => {
    assert.equal(countLostInInfluxdb(requestOf([0x7ff80000, 0xfff80000, 0x7ff00000, 0xfff00000, 0x7ff12345], 0)), 5);
  });

  it('counts no finite value, whether the largest, the smallest or −0', () => {
    assert.equal(countLostInInfluxdb(requestOf([0x7fefffff, 0xffefffff, 0, 0x80000000, 0x3ff00000, 0x000fffff], 0)), 0);
  });

  it('counts native histograms as well as floats', () => {
    assert.equal(countLostInInfluxdb(requestOf([0x3ff00000, 0x7ff80000], 3)), 4);
  });
});
