import assert from 'node:assert/strict';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, planFor } from '../support/plan.ts';
import { verifyRun } from '../support/verify-run.ts';

const endMs = epochMs + 8 * hourMs;
const series = regularSeries({ count: 3, fromMs: epochMs, toMs: endMs, stepMs: 60_000 });
const all = 3 * 480;

describe('a verification that was interrupted', () => {
  it('reports where it resumes, and what was compared before', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(prometheus({ outOfOrderWindowMs: 24 * hourMs }));
    destination.put(series);
    const plan = planFor(
      { source, destination },
      { endMs, destination: { ordering: 'Any' }, window: { maxMs: hourMs } },
    );
    const stop = new AbortController();
    destination.onCarriedOut = ({ isMark }) => {
      if (isMark) stop.abort();
    };
    // A mark is due after ten seconds: some milliseconds of the test's clock.
    source.onQuery = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return undefined;
    };
    const first = await verifyRun(plan, { stop: stop.signal });
    assert.equal(first.progress.phase, 'Interrupted');
    assert.deepEqual(first.observer.all('verification-resumed'), []);

    const second = await verifyRun(plan);
    assert.equal(second.progress.phase, 'Succeeded');
    assert.equal(second.verification.samplesCompared, all);
    const [resumed, ...others] = second.observer.all('verification-resumed');
    assert.equal(others.length, 0);
    assert.ok(resumed!.fromMs > epochMs && resumed!.fromMs < endMs);
    assert.equal(resumed!.fromMs, second.verification.resumedFromMs);
    assert.equal(resumed!.samplesBefore, (3 * (resumed!.fromMs - epochMs)) / 60_000);
  });
});
