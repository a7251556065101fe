import assert from 'node:assert/strict';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { FastClock } from '../support/fake-clock.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { dayMs, epochMs, hourMs, planFor } from '../support/plan.ts';
import { verifyRun } from '../support/verify-run.ts';

describe('a stop of a verification', () => {
  it('does not wait until a rate limit admits the next window', async () => {
    const series = regularSeries({ count: 4, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: 15_000 });
    await using source = await startSource(series);
    await using destination = await startFakeStore(prometheus());
    destination.put(series);
    const stop = new AbortController();
    // The 960 samples would take a quarter of an hour of this test's time.
    const clock = new FastClock({ nowMs: epochMs + 30 * dayMs, speed: 1 });
    const sleep = clock.sleep.bind(clock);
    clock.sleep = (ms, signal) => {
      if (ms > 600_000 && ms <= 960_000) setTimeout(() => stop.abort(), 20);
      return sleep(ms, signal);
    };
    const plan = planFor(
      { source, destination },
      {
        window: { maxMs: hourMs },
        limits: { samplesPerSecond: 1 },
      },
    );
    const { progress, verification } = await verifyRun(plan, { clock, stop: stop.signal });
    assert.ok(stop.signal.aborted);
    assert.equal(progress.phase, 'Interrupted');
    assert.equal(verification.samplesCompared, 0);
  });
});
