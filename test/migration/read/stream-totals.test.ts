import assert from 'node:assert/strict';
import { StreamTotals } from '../../../src/migration/read/stream-totals.ts';

const HOUR = 3_600_000;
const part = { series: 10, samples: 100, bytes: 1000, fixedBytes: 700, streamed: true };

describe('the total of a response in parts', () => {
  it('adds up what the parts contain; its bytes are those of the largest part', () => {
    const total = new StreamTotals().begin(HOUR);
    total.add(500, part);
    total.add(700, { ...part, bytes: 1300, fixedBytes: 600 });
    assert.deepEqual(total.end(), { series: 20, samples: 200, bytes: 1300, fixedBytes: 700, streamed: true });
  });

  it('claims little of a response about which nothing is known', () => {
    const total = new StreamTotals().begin(HOUR);
    for (let i = 0; i < 100; i++) {
      total.add(500, part);
      assert.equal(total.share, 0.05);
    }
  });

  it('estimates the share by the response before, scaled to the length, and never claims all of it', () => {
    const totals = new StreamTotals();
    const first = totals.begin(HOUR);
    first.add(1000, part);
    first.end();
    const second = totals.begin(2 * HOUR);
    const shares = [500, 500, 500, 500, 5000].map((bytes) => {
      second.add(bytes, part);
      return second.share;
    });
    assert.deepEqual(shares, [0.25, 0.5, 0.75, 0.9, 0.9]);
  });
});
