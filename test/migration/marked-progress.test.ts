// When whole runs of the engine over real HTTP write the progress mark, and its contents.

import assert from 'node:assert/strict';
import { PROGRESS_METRIC } from '../../src/migration/progress/progress-mark.ts';
import { FastClock } from './support/fake-clock.ts';
import { startDestination } from './support/fake-destination.ts';
import { regularSeries, startSource } from './support/fake-source.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, type Run, run, unaccounted } from './support/plan.ts';
import { expected } from './support/remote-messages.ts';

function assertSucceeded({ progress, error }: Run): void {
  assert.equal(error, undefined);
  assert.equal(progress.phase, 'Succeeded');
  assert.equal(progress.watermarkMs, progress.endMs);
  assert.equal(unaccounted(progress), 0);
}

const threeHours = regularSeries({ count: 5, fromMs: epochMs - hourMs, toMs: epochMs + 2 * hourMs, stepMs: 15_000 });
describe('the progress mark', () => {
  it('is written only when everything before it is stored and acknowledged', async () => {
    const series = regularSeries({ count: 20, fromMs: epochMs, toMs: epochMs + 4 * hourMs, stepMs: minuteMs });
    for (const ordering of ['InOrder', 'Any'] as const) {
      await using source = await startSource(series);
      await using destination = await startDestination({ kind: 'keeps-all' });
      const plan = planFor(
        { source, destination },
        { endMs: epochMs + 4 * hourMs, destination: { ordering }, limits: { inFlightWrites: 4, samplesPerWrite: 50 } },
      );
      let marks = 0;
      let mostAtOnce = 0;
      destination.onStored = async (request) => {
        mostAtOnce = Math.max(mostAtOnce, destination.unacknowledged);
        await new Promise((resolve) => setTimeout(resolve, request.isMark ? 0 : 3));
      };
      destination.onWrite = (request) => {
        if (!request.isMark) return undefined;
        marks++;
        const mark = request.series.find(({ labels }) => labels.every(([name]) => name !== 'count'))!;
        const throughMs = mark.samples[0]!.timeMs;
        if (ordering === 'InOrder') assert.equal(destination.unacknowledged, 0);
        const stored = destination
          .contents()
          .map(({ samples }) => samples.filter(({ timeMs }) => timeMs <= throughMs).length);
        const due = expected(series, epochMs, throughMs + 1).map(({ samples }) => samples.length);
        assert.deepEqual(stored, due);
        const sum = due.reduce((total, samples) => total + samples, 0);
        assert.equal(Number(new Float64Array(new BigUint64Array([mark.samples[0]!.bits]).buffer)[0]), sum);
        return undefined;
      };
      const result = await run(plan);
      assertSucceeded(result);
      assert.deepEqual(destination.failures, []);
      assert.ok(marks >= 8, `${marks} marks`);
      assert.ok(mostAtOnce > 1, 'several lanes write side by side');
    }
  });

  it('carries its writer and the labels of the user', async () => {
    await using source = await startSource(threeHours);
    await using destination = await startDestination();
    assertSucceeded(await run(planFor({ source, destination }, { progressLabels: { cluster: 'eu' } })));
    const { labels, value } = destination.marks().at(-1)!;
    assert.deepEqual(labels, {
      __name__: PROGRESS_METRIC,
      cluster: 'eu',
      migration: 'test/copy',
      id: 'abc123',
      shard: '0',
    });
    assert.equal(value, 5 * 240);
  });

  for (const hours of [1, -1]) {
    it(`is awaited for the same time when the wall clock jumps by ${hours} h`, async () => {
      await using source = await startSource(threeHours);
      await using destination = await startDestination();
      await using elsewhere = await startDestination();
      const plan = planFor({
        source,
        destination: { ...elsewhere, writeUrl: destination.writeUrl, readUrl: elsewhere.readUrl, queryUrl: '' },
      });
      const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 500 });
      const startedMs = clock.monotonicMs();
      const jumping = setInterval(() => {
        if (destination.marks().length > 0) clock.jump(hours * hourMs);
      }, 5);
      const { error } = await run(plan, { clock }).finally(() => clearInterval(jumping));
      assert.equal(error?.code, 'mark-not-found');
      const tookMs = clock.monotonicMs() - startedMs;
      assert.ok(tookMs >= 15_000 && tookMs < 3_600_000, `gave up after ${tookMs} ms`);
    });
  }

  it('ends the migration when the destination accepts it but does not show it', async () => {
    await using source = await startSource(threeHours);
    await using destination = await startDestination();
    await using elsewhere = await startDestination();
    const plan = planFor({
      source,
      destination: { ...elsewhere, writeUrl: destination.writeUrl, readUrl: elsewhere.readUrl, queryUrl: '' },
    });
    const { error, progress } = await run(plan, { clock: new FastClock({ nowMs: epochMs + dayMs, speed: 500 }) });
    assert.equal(progress.phase, 'Failed');
    assert.equal(error?.code, 'mark-not-found');
    assert.equal(error?.side, 'progress');
  });
});
