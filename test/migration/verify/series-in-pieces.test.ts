// A VictoriaMetrics that exports a series in several lines: one of them may be complete, so it cannot be counted while it arrives.

import assert from 'node:assert/strict';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { victoriametrics } from '../../support/stores/victoriametrics.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, planFor } from '../support/plan.ts';
import { verifyRun } from '../support/verify-run.ts';

const hours = 8;
const endMs = epochMs + hours * hourMs;
const series = regularSeries({ count: 3, fromMs: epochMs, toMs: endMs, stepMs: 60_000 });
const all = 3 * hours * 60;

/** Every series once more. */
const twice = (body: Buffer) => Buffer.concat([body, body]);

describe('a verification of a VictoriaMetrics that exports series in pieces', () => {
  it('reads one window twice, and from then on keeps what arrives', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(victoriametrics());
    destination.put(series);
    destination.onRequest = ({ kind }) => (kind === 'export' ? { damage: twice } : undefined);
    const plan = planFor(
      { source, destination },
      {
        protocol: 'PromQL',
        endMs,
        destination: { ordering: 'Any' },
        window: { maxMs: hourMs },
      },
    );
    const { verification } = await verifyRun(plan);
    assert.deepEqual([verification.samplesCompared, verification.repeated], [all, all]);
    // Each window is compared, and looked at three times more because of what is repeated.
    assert.equal(destination.requestsOf('export').length, hours * 4 + 1);
  });
});
