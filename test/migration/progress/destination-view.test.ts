// The views of a readable destination against each kind of store: what ranges show, with which labels; how damaged responses are handled.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { openConnections } from '../../../src/migration/connections.ts';
import { encodeLabels } from '../../../src/wire/labels.ts';
import { cortex } from '../../support/stores/cortex.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { FastClock } from '../support/fake-clock.ts';
import { dayMs, emptyProgress, epochMs, hourMs, minuteMs, planFor, RecordingObserver } from '../support/plan.ts';
import { type Series, staleBits } from '../support/remote-messages.ts';
import { type Labels, signal, nowMs, open, series, marks, up, timesOf, everyStore } from '../support/opened-view.ts';
import { KERNEL_BYTES } from '../../../src/wire/kernel/kernel.ts';

for (const [name, protocol, behaviour] of everyStore) {
  describe(`the view of ${name} by ${protocol}`, () => {
    it('returns exactly the marks of a range, whichever end of it the store excludes', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      store.put([marks([epochMs, epochMs + minuteMs, epochMs + hourMs])]);
      const latest = async (fromMs: number, toMs: number) => (await view.latestMark(fromMs, toMs, signal))?.throughMs;
      assert.equal(await latest(epochMs, nowMs), epochMs + hourMs);
      assert.equal(await latest(epochMs, epochMs + hourMs), epochMs + minuteMs);
      assert.equal(await latest(epochMs, epochMs + hourMs + 1), epochMs + hourMs);
      assert.equal(await latest(epochMs + 1, epochMs + minuteMs), undefined);
      assert.equal(await latest(epochMs, epochMs + 1), epochMs);
      for (const timeMs of [epochMs, epochMs + minuteMs, epochMs + hourMs]) {
        assert.equal(await view.showsMark(timeMs, signal), true);
        assert.equal(await view.showsMark(timeMs - 1, signal), false);
        assert.equal(await view.showsMark(timeMs + 1, signal), false);
      }
    });

    it('returns exactly the timestamps of a range', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      const all = Array.from({ length: 40 }, (_, i) => epochMs + i);
      store.put([marks([epochMs]), series(up, all)]);
      await view.latestMark(epochMs, nowMs, signal);
      const offset = fc.integer({ min: -2, max: 42 });
      await fc.assert(
        fc.asyncProperty(offset, offset, async (a, b) => {
          const [fromMs, toMs] = [epochMs + Math.min(a, b), epochMs + Math.max(a, b) + 1];
          const [times] = await timesOf(view, [up], fromMs, toMs);
          assert.deepEqual(
            times,
            all.filter((timeMs) => timeMs >= fromMs && timeMs < toMs),
          );
        }),
        { numRuns: 30 },
      );
    });

    it('does not confuse the wanted series with others of the same metric', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      store.put([marks([epochMs]), series([...up, ['zone', 'x']], [epochMs]), series([['__name__', 'up']], [epochMs])]);
      await view.latestMark(epochMs, nowMs, signal);
      assert.deepEqual(await timesOf(view, [up], epochMs, epochMs + 1), [[]]);
      assert.notEqual(view.hides(encodeLabels(up)), 'everything');
    });

    it('reads again, with an event, when a response is damaged', async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view, observer } = opened;
      store.put([marks([epochMs]), series(up, [epochMs, epochMs + 5])]);
      for (const faults of [1, 4]) {
        for (const damage of [
          (body: Buffer) => body.subarray(0, -3),
          (body: Buffer) => body.map((byte) => byte ^ 0x55),
        ]) {
          let left = faults;
          store.onRequest = ({ kind }) => (kind !== 'flush' && left-- > 0 ? { damage } : undefined);
          assert.equal((await view.latestMark(epochMs, nowMs, signal))?.throughMs, epochMs);
          left = faults;
          assert.equal(await view.isEmpty(epochMs, epochMs + 6, signal), false);
          left = faults;
          assert.deepEqual(await timesOf(view, [up], epochMs, epochMs + 6), [[epochMs, epochMs + 5]]);
        }
      }
      const retries = observer.all('retry');
      assert.ok(retries.length > 10, `${retries.length} retries`);
      assert.ok(retries.every(({ side, code }) => side === 'progress' && code === 'bad-response'));
    });

    it('fails with the side and a hint when every response is damaged', async () => {
      await using opened = await open(behaviour(), protocol);
      opened.store.onRequest = () => ({ damage: (body) => Buffer.concat([body, Buffer.from('}{\x00\xff')]) });
      opened.store.put([marks([epochMs])]);
      await assert.rejects(opened.view.latestMark(epochMs, nowMs, signal), {
        code: 'bad-response',
        side: 'progress',
        hint: /spec\.destination\.progress\.url/,
      });
      assert.ok(opened.observer.all('retry').length >= 10);
    });
  });
}

describe('a Thanos Receive that already has newer data', () => {
  const behaviour = () => thanos({ outOfOrderWindowMs: 60 * dayMs });
  const live = series(up, [nowMs - hourMs, nowMs - minuteMs]);

  for (const protocol of ['PromQL', 'RemoteRead'] as const) {
    it(`shows its marks and samples by ${protocol} in ranges that extend to now`, async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      store.put([live]);
      // Older than the head, so through the receiver.
      store.tenant('').write([marks([epochMs + minuteMs]), series(up, [epochMs + 1, epochMs + 2])], {
        bytes: 1,
        headers: {},
      });
      assert.equal((await view.latestMark(epochMs, nowMs, signal))?.throughMs, epochMs + minuteMs);
      assert.equal(await view.showsMark(epochMs + minuteMs, signal), true);
      assert.deepEqual(await timesOf(view, [up], epochMs, epochMs + 9), [[epochMs + 1, epochMs + 2]]);
      assert.equal(await view.isEmpty(epochMs, epochMs + 9, signal), false);
    });

    it(`is detected by ${protocol} when a stretch compares whose marks were not looked at`, async () => {
      const stretch = { shard: new Date(epochMs).toISOString(), frozenEndMs: undefined };
      await using opened = await open(behaviour(), protocol, { stretch });
      const { store, view } = opened;
      store.put([live]);
      store.tenant('').write([series(up, [epochMs + 1])], { bytes: 1, headers: {} });
      assert.deepEqual(await timesOf(view, [up], epochMs, epochMs + 9), [[epochMs + 1]]);
    });

    it(`is detected by ${protocol} with a probe before the first mark`, async () => {
      await using first = await open(behaviour(), protocol);
      first.store.put([live]);
      assert.equal(await first.view.isEmpty(epochMs, epochMs + 9, signal), true, 'no run of this copy has begun');
      assert.equal(await first.view.isEmpty(epochMs, epochMs + 9, signal), true, 'its own probe proves nothing');
      first.store.tenant('').write([series(up, [epochMs + 1])], { bytes: 1, headers: {} });

      const plan = planFor({ source: first.store, destination: first.store }, { protocol });
      const context = { clock: new FastClock({ nowMs }), random: () => 0.5, stop: signal, abort: signal };
      const observer = new RecordingObserver();
      const again = openConnections(plan, { ...context, observer, startupDeadlineMs: 60_000 }, emptyProgress());
      assert.equal(await again.view.isEmpty(epochMs, epochMs + 9, signal), false, 'a run of this copy has begun');
      assert.deepEqual(await timesOf(again.view, [up], epochMs, epochMs + 9), [[epochMs + 1]]);
      again.close();
    });
  }
});

describe('a destination that hides nothing', () => {
  for (const [name, protocol, behaviour] of [
    ['Prometheus', 'RemoteRead', () => prometheus({ outOfOrderWindowMs: 60 * dayMs })],
    ['VictoriaMetrics', 'PromQL', () => victoriametrics({ hiddenForMs: 2000 })],
  ] as const) {
    it(`is empty when ${name} has no sample by ${protocol}, whether it has newer data or marks`, async () => {
      await using opened = await open(behaviour(), protocol);
      const { store, view } = opened;
      store.put([series(up, [nowMs - hourMs]), marks([epochMs + 5])]);
      assert.equal(await view.isEmpty(epochMs, epochMs + hourMs, signal), true);
      store.put([series(up, [epochMs + hourMs - 1])]);
      assert.equal(await view.isEmpty(epochMs, epochMs + hourMs, signal), false);
    });
  }

  it('is read only for the range of a read-back', async () => {
    await using opened = await open(prometheus(), 'RemoteRead');
    const { store, view } = opened;
    store.put([series(up, [epochMs, nowMs - hourMs]), marks([epochMs])]);
    await view.latestMark(epochMs, nowMs, signal);
    const before = store.requests.length;
    await timesOf(view, [up], epochMs, epochMs + 9);
    const [request, ...others] = store.requests.slice(before);
    assert.deepEqual(others, []);
    assert.ok(request!.query!.endMs <= epochMs + 10);
  });
});

describe('a response without content', () => {
  for (const [name, behaviour] of [
    ['Cortex', () => cortex()],
    ['M3', () => m3()],
  ] as const) {
    it(`of ${name} is treated as damaged, not as an empty destination`, async () => {
      await using opened = await open(behaviour(), 'RemoteRead');
      opened.store.put([series(up, [epochMs])]);
      let left = 2;
      opened.store.onRequest = () => (left-- > 0 ? { damage: () => Buffer.alloc(0) } : undefined);
      assert.equal(await opened.view.isEmpty(epochMs, epochMs + 1, signal), false);
      assert.equal(opened.observer.all('retry').length, 2);
    });
  }
});

describe('a read-back that exceeds a limit', () => {
  /** Series of one metric that share a timestamp, with labels of about 2 KB, and as many unwanted series of a neighbor. */
  const crowd: Labels[] = Array.from({ length: 700 }, (_, i) => [
    ['__name__', 'kube_pod_labels'],
    ['namespace', `team-${i % 7}`],
    ['note', 'x'.repeat(2000)],
    ['pod', `pod-${i.toString(36)}`],
  ]);
  const neighbours: Labels[] = crowd.map((labels) => [...labels, ['uid', '1']]);

  for (const [name, protocol, behaviour] of everyStore) {
    it(`because many series share a timestamp is split, from ${name} by ${protocol}`, async () => {
      await using opened = await open(behaviour(), protocol, {
        limits: { memoryBytes: 11 * 1024 * 1024 + KERNEL_BYTES },
      });
      const { store, view } = opened;
      store.put([marks([epochMs]), ...[...crowd, ...neighbours].map((labels) => series(labels, [epochMs + 1]))]);
      await view.latestMark(epochMs, nowMs, signal);
      const times = await timesOf(view, crowd, epochMs, epochMs + minuteMs);
      assert.ok(times.every(([only, ...others]) => only === epochMs + 1 && others.length === 0));
    });
  }

  for (const [protocol, seriesCount, samples] of [
    ['RemoteRead', 400, 200],
    // Only the labels of one series are in memory at a time, however much newer data it has.
    ['PromQL', 2, 100_000],
  ] as const) {
    it(`because the range has to extend to now is split, by ${protocol}`, async () => {
      const limits = { memoryBytes: 11 * 1024 * 1024 + KERNEL_BYTES };
      await using opened = await open(thanos({ outOfOrderWindowMs: 60 * dayMs }), protocol, { limits });
      const { store, view } = opened;
      const live = Array.from({ length: samples }, (_, i) => nowMs - dayMs + i * 500);
      const few = crowd.slice(0, seriesCount);
      store.put(few.map((labels) => series(labels, live)));
      store.tenant('').write([marks([epochMs]), ...few.map((labels) => series(labels, [epochMs + 1]))], {
        bytes: 1,
        headers: {},
      });
      await view.latestMark(epochMs, nowMs, signal);
      const times = await timesOf(view, few, epochMs, epochMs + minuteMs);
      assert.ok(times.every(([only, ...others]) => only === epochMs + 1 && others.length === 0));
    });
  }

  it('with a single series fails with the side and a hint', async () => {
    const long: Labels = [...up, ['note', 'x'.repeat(2_000_000)]];
    await using opened = await open(prometheus(), 'RemoteRead', {
      limits: { memoryBytes: 11 * 1024 * 1024 + KERNEL_BYTES },
    });
    opened.store.put([marks([epochMs]), series(long, [epochMs + 1])]);
    await assert.rejects(timesOf(opened.view, [long], epochMs, epochMs + 4), {
      name: 'MigrationError',
      code: 'read-back-too-large',
      side: 'progress',
      hint: /spec\.limits\.memory/,
    });
  });

  it('finds the latest mark even when not all marks fit', async () => {
    for (const [protocol, behaviour, count] of [
      ['RemoteRead', () => cortex(), 90_000],
      ['PromQL', () => prometheus(), 2000],
    ] as const) {
      await using opened = await open(behaviour(), protocol, {
        limits: { memoryBytes: 11 * 1024 * 1024 + KERNEL_BYTES },
      });
      const { store, view } = opened;
      const many = Array.from({ length: count }, (_, i) => epochMs + i * 60);
      store.put([marks(many)]);
      assert.equal((await view.latestMark(epochMs, nowMs, signal))?.throughMs, many.at(-1));
    }
  });
});

describe('stale markers', () => {
  const stale: Series = { labels: up, samples: [{ timeMs: epochMs + 1, bits: staleBits }] };
  for (const [protocol, behaviour, shown, hides] of [
    ['RemoteRead', () => prometheus(), [epochMs + 1], 'nothing'],
    ['PromQL', () => prometheus(), [], 'stale-markers'],
    ['PromQL', () => victoriametrics(), [epochMs + 1], 'nothing'],
  ] as const) {
    it(`are ${shown.length > 0 ? 'shown' : 'reported as hidden'} by ${behaviour().name} and ${protocol}`, async () => {
      await using opened = await open(behaviour(), protocol);
      opened.store.put([stale]);
      assert.deepEqual(await timesOf(opened.view, [up], epochMs, epochMs + 9), [[...shown]]);
      assert.equal(opened.view.hides(encodeLabels(up)), hides);
    });
  }
});
