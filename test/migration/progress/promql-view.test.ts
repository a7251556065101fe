import assert from 'node:assert/strict';
import { markLabels } from '../../../src/migration/progress/progress-mark.ts';
import { PromqlView } from '../../../src/migration/progress/promql-view.ts';
import { Retrier } from '../../../src/migration/limits/retrier.ts';
import { recordingHooks } from '../../remote/servers.ts';
import { FastClock } from '../support/fake-clock.ts';
import { startDestination } from '../support/fake-destination.ts';
import { dayMs, emptyProgress, endpoint, epochMs, minuteMs, planFor, RecordingObserver } from '../support/plan.ts';
import { bitsOf } from '../support/remote-messages.ts';

const never = new AbortController().signal;

describe('marks by PromQL', () => {
  it('are found among many thousands without reading them', async () => {
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
    const clock = new FastClock({ nowMs: epochMs });
    const observer = new RecordingObserver();
    const progress = emptyProgress();
    const retrier = new Retrier({ clock, random: () => 0.5, observer, progress, startupDeadlineMs: 1000 });
    let bytes = 0;
    const hooks = {
      ...recordingHooks(),
      request: ({ receivedBytes }: { receivedBytes: number }) => {
        bytes += receivedBytes;
      },
    };
    const view = new PromqlView({
      plan,
      endpoint: endpoint('progress', destination.queryUrl),
      hooks,
      retrier,
      clock,
      random: () => 0.5,
      maxResponseBytes: 1024 * 1024,
      probe: () => Promise.reject(new Error('not expected')),
    });
    const mark = await view.latestMark(epochMs, epochMs + 365 * dayMs, never);
    view.close();
    assert.deepEqual(mark, {
      throughMs: epochMs + 8999 * minuteMs,
      samples: 8999,
      endMs: undefined,
      counts: undefined,
    });
    assert.ok(bytes < 40_000, `${bytes} bytes`);
    assert.deepEqual(destination.failures, []);
  });
});
