// How long the windows of a comparison are: the memory of a side is for one window and the beginning of the next.

import assert from 'node:assert/strict';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, planFor } from '../support/plan.ts';
import { verifyRun } from '../support/verify-run.ts';

const endMs = epochMs + 6 * hourMs;
const series = regularSeries({ count: 20, fromMs: epochMs, toMs: endMs, stepMs: 15_000 });

/** The lengths of the windows in hours. */
async function windowHours(
  memoryBytes: number,
  samplesPerSecond?: number,
  window = { maxMs: 2 * hourMs, comparedMaxMs: 2 * hourMs },
): Promise<number[]> {
  await using source = await startSource(series);
  await using destination = await startFakeStore(prometheus());
  destination.put(series);
  // A machine with other work takes its time for the first response, and a timeout would shorten the windows.
  const timeouts = { connectMs: 60_000, firstByteMs: 60_000, silenceMs: 10_000_000 };
  const plan = planFor(
    { source, destination },
    { endMs, source: { timeouts }, window, limits: { memoryBytes, samplesPerSecond } },
  );
  const { error, verification, observer } = await verifyRun(plan);
  assert.equal(error, undefined, error?.message ?? '');
  assert.equal(verification.equal, 20 * 1440);
  return observer.all('range-compared').map(({ fromMs, toMs }) => (toMs - fromMs) / hourMs);
}

describe('the windows of a comparison by remote_read', () => {
  it('are whole blocks, also if two of them do not fit into the memory together', async () => {
    assert.deepEqual(await windowHours(400 * 1024), [2, 2, 2]);
  });

  it('are as long as windows of a comparison may be, although shorter ones are written', async () => {
    const window = { maxMs: hourMs, comparedMaxMs: 2 * hourMs };
    assert.deepEqual(await windowHours(2 ** 24, undefined, window), [2, 2, 2]);
    assert.deepEqual(await windowHours(2 ** 24, undefined, { ...window, comparedMaxMs: hourMs }), [1, 1, 1, 1, 1, 1]);
  });

  it('are shorter where a rate limit would make the next response wait', async () => {
    assert.deepEqual(await windowHours(400 * 1024, 1_000_000), [2, 1, 1, 1, 1]);
  });
});
