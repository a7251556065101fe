// How far each shard has come, as every kind of store shows it.

import assert from 'node:assert/strict';
import { COUNT_LABEL, COVERED_COUNT, seriesOfCounts } from '../../../src/migration/progress/mark-counts.ts';
import { markLabels } from '../../../src/migration/progress/progress-mark.ts';
import { type Counts, NO_COUNTS } from '../../../src/migration/report/counts.ts';
import { everyStore, marks, nowMs, open, signal } from '../support/opened-view.ts';
import { dayMs, epochMs, hourMs, minuteMs } from '../support/plan.ts';
import { bitsOf, type Series } from '../support/remote-messages.ts';

const plan = { migration: 'test/copy', id: 'abc123', progressLabels: {} };

function countsAfter(windows: number): Counts {
  return { ...NO_COUNTS, samplesRead: 10 * windows, samplesWritten: 10 * windows, windows, series: 3 };
}

/** The marks of a shard after each of its windows, with the counts beside them. */
function shardSeries(shard: string, startMs: number, windowMs: number, windows: number): Series[] {
  const labels = markLabels({ ...plan, stretch: { shard, frozenEndMs: undefined } }, undefined);
  const all = new Map<string | undefined, Series['samples'][number][]>();
  for (let window = 0; window <= windows; window++) {
    const timeMs = startMs + window * windowMs - 1;
    const values: [count: string | undefined, value: number][] = [
      [undefined, 10 * window],
      [COVERED_COUNT, window * windowMs],
      ...seriesOfCounts(countsAfter(window)),
    ];
    for (const [count, value] of values) all.set(count, [...(all.get(count) ?? []), { timeMs, bits: bitsOf(value) }]);
  }
  return [...all].map(([count, samples]) => ({
    labels: [...Object.entries(labels), ...(count === undefined ? [] : [[COUNT_LABEL, count] as const])],
    samples,
  }));
}

const nameOf = (startMs: number) => new Date(startMs).toISOString();
const byShard = (a: { shard: string }, b: { shard: string }) => (a.shard < b.shard ? -1 : 1);

for (const [name, protocol, behaviour] of everyStore) {
  describe(`the ledger of ${name} by ${protocol}`, () => {
    it('has the furthest mark of each shard, with its counts', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      const [second, third] = [epochMs + 6 * hourMs, epochMs + 2 * dayMs];
      store.put([
        ...shardSeries('0', epochMs, hourMs, 4),
        ...shardSeries(nameOf(second), second, hourMs, 2),
        ...shardSeries(nameOf(third), third, hourMs, 0),
      ]);
      const found = await view.ledger(epochMs + 3 * dayMs, signal);
      assert.deepEqual(found.toSorted(byShard), [
        { shard: '0', throughMs: epochMs + 4 * hourMs - 1, samples: 40, endMs: undefined, counts: countsAfter(4) },
        {
          shard: nameOf(second),
          throughMs: second + 2 * hourMs - 1,
          samples: 20,
          endMs: undefined,
          counts: countsAfter(2),
        },
        { shard: nameOf(third), throughMs: third - 1, samples: 0, endMs: undefined, counts: countsAfter(0) },
      ]);
    });

    it('finds the marks of a version that wrote no counts beside them', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      store.put([marks([epochMs + minuteMs, epochMs + hourMs])]);
      const [found, ...others] = await view.ledger(nowMs, signal);
      assert.equal(found?.throughMs, epochMs + hourMs);
      assert.equal(found?.counts, undefined);
      assert.deepEqual(others, []);
    });

    it('finds the mark of an older version that went on after a newer one', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      const later = shardSeries('0', epochMs, hourMs, 6).filter(
        ({ labels }) => new Map(labels).get(COUNT_LABEL) !== COVERED_COUNT,
      );
      store.put(shardSeries('0', epochMs, hourMs, 4));
      store.put(later.map((one) => ({ ...one, samples: one.samples.slice(5) })));
      const found = await view.ledger(nowMs, signal);
      assert.deepEqual(
        found.map(({ throughMs, counts }) => [throughMs, counts]),
        [[epochMs + 6 * hourMs - 1, countsAfter(6)]],
      );
    });

    it('is empty without a mark', async () => {
      await using opened = await open(behaviour(), protocol);
      assert.deepEqual(await opened.view.ledger(nowMs, signal), []);
    });
  });
}

describe('the ledger of many windows', () => {
  for (const [name, protocol, behaviour] of everyStore) {
    it(`takes as few requests as that of a few windows: ${name} by ${protocol}`, async () => {
      const requests: number[] = [];
      for (const windows of [3, 900]) {
        await using opened = await open(behaviour(), protocol);
        const { store, view } = opened;
        const starts = Array.from({ length: 8 }, (_, index) => epochMs + index * dayMs);
        store.put(starts.flatMap((startMs) => shardSeries(nameOf(startMs), startMs, minuteMs, windows)));
        const found = await view.ledger(epochMs + 8 * dayMs, signal);
        assert.deepEqual(
          found.map(({ shard, throughMs }) => throughMs + 1 - Date.parse(shard)),
          starts.map(() => windows * minuteMs),
        );
        requests.push(store.requests.length);
      }
      assert.equal(requests[0], requests[1]);
    });
  }

  it('does not take a mark further than its counts say', async () => {
    await using opened = await open(everyStore[2]![2](), 'PromQL');
    const { store, view } = opened;
    const series = shardSeries('0', epochMs, hourMs, 4);
    // The destination accepted only the mark of the last window, without the counts beside it.
    const last = epochMs + 5 * hourMs - 1;
    store.put(series);
    store.put([{ ...series[0]!, samples: [{ timeMs: last, bits: bitsOf(50) }] }]);
    const found = await view.ledger(nowMs, signal);
    assert.deepEqual(
      found.map(({ throughMs, counts }) => [throughMs, counts]),
      [[last, undefined]],
    );
  });
});
