import assert from 'node:assert/strict';
import { missingOf, readBack, showsLater } from '../../../src/migration/write/read-back.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { formatLabels } from '../../../src/wire/label-text.ts';
import { WriteBatch } from '../../../src/wire/requests/write-batch.ts';
import { writeRequestSeries } from '../../../src/wire/requests/write-request.ts';
import { FakeView } from '../support/fake-view.ts';

const [up, down] = ['up', 'down'].map((name) => encodeLabels([['__name__', name]])) as [Uint8Array, Uint8Array];

function requestOf(...series: [labels: Uint8Array, ...timesMs: number[]][]): Uint8Array {
  const batch = new WriteBatch(64);
  for (const [labels, ...timesMs] of series) for (const timeMs of timesMs) batch.appendSample(labels, timeMs, timeMs);
  return batch.request();
}

const signal = new AbortController().signal;

describe('the read-back of a write request', () => {
  it('returns what the destination does not show after it has settled', async () => {
    const view = new FakeView([
      [up, 1, 3],
      [down, 4],
    ]);
    const request = requestOf([up, 1, 2, 3], [down, 4]);
    const missing = missingOf(request, await readBack(view, request, signal));
    assert.deepEqual(
      [...writeRequestSeries(missing)].map(({ labels, timesMs }) => [formatLabels(labels), timesMs]),
      [['{__name__="up"}', [2]]],
    );
    assert.equal(view.waits, 1);
  });

  it('returns nothing when everything is present, and the same request when nothing is', async () => {
    const request = requestOf([up, 1, 2]);
    assert.equal(missingOf(request, await readBack(new FakeView([[up, 1, 2]]), request, signal)).length, 0);
    assert.equal(missingOf(request, await readBack(new FakeView([[down, 1, 2]]), request, signal)), request);
  });

  it('finds later samples of a series within a stretch', async () => {
    const view = new FakeView([
      [up, 5],
      [down, 1],
    ]);
    assert.equal(await showsLater(view, up, { afterMs: 3, stretchMs: 10 }, signal), true);
    assert.equal(await showsLater(view, up, { afterMs: 3, stretchMs: 2 }, signal), false, 'not within the stretch');
    assert.equal(await showsLater(view, down, { afterMs: 3, stretchMs: 10 }, signal), false, 'only what is earlier');
  });
});
