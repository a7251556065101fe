import assert from 'node:assert/strict';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import { markLabels } from '../../../src/migration/progress/progress-mark.ts';
import { PromqlView } from '../../../src/migration/progress/promql-view.ts';
import { APPEARING_MS, FLUSHING_MS } from '../../../src/migration/progress/settling.ts';
import { Retrier } from '../../../src/migration/limits/retrier.ts';
import { recordingHooks } from '../../remote/servers.ts';
import { type Behaviour, startFakeStore } from '../../support/stores/fake-store.ts';
import { m3 } from '../../support/stores/m3.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { thanos } from '../../support/stores/thanos.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { FastClock } from '../support/fake-clock.ts';
import { startDestination } from '../support/fake-destination.ts';
import { dayMs, emptyProgress, endpoint, epochMs, minuteMs, planFor, RecordingObserver } from '../support/plan.ts';
import { bitsOf } from '../support/remote-messages.ts';

const never = new AbortController().signal;

function openView(
  plan: MigrationPlan,
  { queryUrl }: { readonly queryUrl: string },
  received: (bytes: number) => void = () => undefined,
): PromqlView {
  const clock = new FastClock({ nowMs: epochMs });
  const observer = new RecordingObserver();
  const retrier = new Retrier({
    clock,
    random: () => 0.5,
    observer,
    progress: emptyProgress(),
    startupDeadlineMs: 1000,
  });
  return new PromqlView({
    plan,
    endpoint: endpoint('progress', queryUrl),
    hooks: {
      ...recordingHooks(),
      request: ({ receivedBytes }: { receivedBytes: number }) => received(receivedBytes),
    },
    retrier,
    clock,
    random: () => 0.5,
    maxResponseBytes: 1024 * 1024,
    probe: () => Promise.reject(new Error('not expected')),
  });
}

describe('marks by PromQL', () => {
  it('are found among many thousands without reading all of them', async () => {
    await using destination = await startDestination();
    const plan = planFor({ source: { readUrl: '' }, destination }, { protocol: 'PromQL' });
    const samples = Array.from({ length: 9000 }, (_, i) => ({ timeMs: epochMs + i * minuteMs, bits: bitsOf(i) }));
    destination.put([
      { labels: Object.entries(markLabels(plan, undefined)), samples },
      {
        labels: Object.entries(markLabels({ ...plan, id: 'other' }, undefined)),
        samples: [{ timeMs: epochMs + 300 * dayMs, bits: 0n }],
      },
    ]);
    let bytes = 0;
    const view = openView(plan, destination, (received) => {
      bytes += received;
    });
    const mark = await view.latestMark(epochMs, epochMs + 365 * dayMs, never);
    view.close();
    assert.deepEqual(mark, {
      shard: '0',
      throughMs: epochMs + 8999 * minuteMs,
      samples: 8999,
      endMs: undefined,
      counts: undefined,
    });
    assert.ok(bytes < 40_000, `${bytes} bytes`);
    assert.deepEqual(destination.failures, []);
  });
});

describe('one mark by PromQL', () => {
  it('is looked for with one request', async () => {
    await using store = await startFakeStore(victoriametrics());
    const plan = planFor({ source: store, destination: store }, { protocol: 'PromQL' });
    store.put([
      { labels: Object.entries(markLabels(plan, undefined)), samples: [{ timeMs: epochMs + 5, bits: bitsOf(1) }] },
    ]);
    const view = openView(plan, store);
    assert.equal(await view.showsMark(epochMs + 5, never), true);
    view.close();
    assert.equal(store.requests.length, 1);
  });
});

describe('a store that is read by PromQL may hide recent samples', () => {
  const stores: readonly (readonly [string, Behaviour, hiddenForMs: number])[] = [
    ['at most for the time of its own flusher, when VictoriaMetrics flushes on demand', victoriametrics(), FLUSHING_MS],
    [
      'for as long as its own flusher allows, when VictoriaMetrics does not flush on demand',
      victoriametrics({ flushes: false }),
      APPEARING_MS,
    ],
    ['not at all in Prometheus', prometheus(), 0],
    ['for some seconds in Thanos', thanos(), APPEARING_MS],
    ['for some seconds in M3', m3(), APPEARING_MS],
  ];
  for (const [what, behaviour, hiddenForMs] of stores) {
    it(what, async () => {
      await using destination = await startFakeStore(behaviour);
      const view = openView(planFor({ source: { readUrl: '' }, destination }, { protocol: 'PromQL' }), destination);
      await view.isEmpty(epochMs, epochMs + minuteMs, never).catch(() => undefined);
      assert.equal(await view.show(never), hiddenForMs);
      view.close();
    });
  }
});
