// How many requests the latest mark takes: each is a round trip to a destination that may be far away.

import assert from 'node:assert/strict';
import { prometheus } from '../../support/stores/prometheus.ts';
import { dayMs, epochMs, hourMs, minuteMs } from '../support/plan.ts';
import { everyStore, marks, nowMs, open, signal } from '../support/opened-view.ts';

describe('the way to a distant destination', () => {
  for (const [name, protocol, behaviour] of everyStore) {
    it(`takes few requests for a mark of last month in ${name} by ${protocol}, and for none`, async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      assert.equal(await view.latestMark(epochMs, nowMs, signal), undefined);
      // The look from the end goes on until the one in the whole range has its response. Alone, it would take more than ten for a month.
      assert.ok(store.requests.length <= 4, `${store.requests.length} requests`);
      store.requests.length = 0;
      store.put([marks([epochMs + minuteMs])]);
      assert.equal((await view.latestMark(epochMs, nowMs, signal))?.throughMs, epochMs + minuteMs);
      // The last one or two find out whether the store shows old ranges.
      assert.ok(store.requests.length <= 6 + 2, `${store.requests.length} requests`);
    });
  }

  it('is found if the store never returns anything for long queries', async () => {
    await using opened = await open(prometheus(), 'RemoteRead');
    const { store, view } = opened;
    store.put([marks([nowMs - 5 * hourMs])]);
    store.onRequest = ({ query }) =>
      query !== undefined && query.endMs - query.startMs > dayMs ? { status: 503, body: 'not now' } : undefined;
    assert.equal((await view.latestMark(epochMs, nowMs, signal))?.throughMs, nowMs - 5 * hourMs);
  });

  it('is longer when the store refuses long queries', async () => {
    await using opened = await open(prometheus(), 'RemoteRead');
    const { store, view } = opened;
    store.put([marks([nowMs - 5 * hourMs])]);
    store.onRequest = ({ query }) => {
      const isLong = query !== undefined && query.endMs - query.startMs > dayMs;
      return isLong ? { status: 400, body: 'the query time range exceeds the limit' } : undefined;
    };
    assert.equal((await view.latestMark(epochMs, nowMs, signal))?.throughMs, nowMs - 5 * hourMs);
  });
});
