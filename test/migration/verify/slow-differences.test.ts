import assert from 'node:assert/strict';
import { startFakeStore } from '../../support/stores/fake-store.ts';
import { prometheus } from '../../support/stores/prometheus.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { epochMs, hourMs, planFor } from '../support/plan.ts';
import { verifyRun } from '../support/verify-run.ts';

const hours = 12;
const endMs = epochMs + hours * hourMs;
const series = regularSeries({ count: 3, fromMs: epochMs, toMs: endMs, stepMs: 60_000 });

describe('a verification whose differences are written slowly', () => {
  it('waits for them, window by window', async () => {
    await using source = await startSource(series);
    await using destination = await startFakeStore(prometheus());
    destination.put(series);
    let keeping = 0;
    const ahead: number[] = [];
    const { verification } = await verifyRun(
      planFor({ source, destination }, { endMs, destination: { ordering: 'Any' }, window: { maxMs: hourMs } }),
      {
        onKeep: async () => {
          assert.equal(++keeping, 1);
          await new Promise((resolve) => setTimeout(resolve, 20));
          ahead.push(source.queries.length - ahead.length - 1);
          keeping--;
        },
      },
    );
    assert.equal(verification.samplesCompared, 3 * hours * 60);
    assert.equal(ahead.length, hours);
    assert.ok(Math.max(...ahead) <= 5, `windows that were read ahead: ${ahead}`);
  });
});
