// Native histograms into VictoriaMetrics, which converts them to float series: they have other names, and are not lost.

import assert from 'node:assert/strict';
import { FastClock } from '../migration/support/fake-clock.ts';
import { minuteMs, planFor, run, unaccounted } from '../migration/support/plan.ts';
import { bitsOf } from '../migration/support/remote-messages.ts';
import { startVictoriaMetrics } from '../support/servers.ts';
import { startFakeStore } from '../support/stores/fake-store.ts';
import { encodeHistogram } from '../support/stores/messages.ts';
import { prometheus } from '../support/stores/prometheus.ts';

describe('a migration of native histograms to VictoriaMetrics', () => {
  it('counts them as written, because they are stored in another form', async () => {
    await using source = await startFakeStore(prometheus());
    const nowMs = Date.now();
    const startMs = nowMs - 60 * minuteMs;
    const times = Array.from({ length: 10 }, (_, i) => startMs + i * 15_000);
    const histograms = times.map((timeMs) => {
      const buckets = { positiveSpans: [{ offset: 0, length: 2 }], positiveDeltas: [1, 2] };
      const counts = { countInt: 6, sum: 18.4, schema: 1, zeroThreshold: 0.001, zeroCountInt: 2 };
      return { timeMs, message: encodeHistogram({ ...counts, ...buckets, timestamp: timeMs }) };
    });
    source.put([
      { labels: [['__name__', 'latency']], samples: [], histograms },
      { labels: [['__name__', 'up']], samples: times.map((timeMs) => ({ timeMs, bits: bitsOf(1) })) },
    ]);
    await using destination = await startVictoriaMetrics();
    const sides = {
      source,
      destination: { writeUrl: `${destination.url}/api/v1/write`, readUrl: '', queryUrl: destination.url },
    };
    const plan = planFor(sides, { protocol: 'PromQL', startMs, endMs: startMs + 10 * minuteMs });
    const { error, progress, observer } = await run(plan, { clock: new FastClock({ nowMs, speed: 1 }) });
    assert.equal(error, undefined);
    assert.equal(progress.samplesWritten, 20);
    assert.deepEqual(progress.samplesRejected, {});
    assert.equal(unaccounted(progress), 0);
    assert.deepEqual(observer.warnings(), []);
  });
});
