// The metrics of whole runs, compared with their descriptions in the catalogue.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { observeIntoMetrics } from '../../../src/migration/report/metrics-observer.ts';
import { METRICS } from '../../../src/telemetry/metric-catalogue.ts';
import { MigrationMetrics } from '../../../src/telemetry/metrics.ts';
import { FastClock } from '../support/fake-clock.ts';
import { startDestination } from '../support/fake-destination.ts';
import { type FakeSource, regularSeries, startSource } from '../support/fake-source.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, RecordingObserver, run } from '../support/plan.ts';

/** Runs two hours in windows of half an hour, and reads /metrics at the end. */
async function scraped(source: FakeSource, changes: { onMark?: () => Promise<void> } = {}) {
  await using destination = await startDestination();
  destination.onStored = async ({ isMark }) => {
    if (isMark) await changes.onMark?.();
  };
  const metrics = new MigrationMetrics();
  const into = observeIntoMetrics('test/copy', metrics);
  const observer = new RecordingObserver();
  observer.onProgress = (progress) => into.progress(progress);
  observer.onEvent = (event) => into.event(event);
  const clock = new FastClock({ nowMs: epochMs + dayMs, speed: 1000 });
  const { error, progress } = await run(planFor({ source, destination }, { endMs: epochMs + 2 * hourMs }), {
    observer,
    clock,
  });
  assert.equal(error, undefined);
  const { body } = await metrics.exposition();
  const value = (name: string) =>
    Number(new RegExp(`^${name}\\{migration="test/copy"\\} (\\S+)$`, 'm').exec(body)?.[1]);
  return { value, progress };
}

describe('the metrics of a run', () => {
  it(`window_series: "${METRICS.windowSeries.help}"`, async () => {
    await using source = await startSource([
      ...regularSeries({ name: 'gone', count: 7, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: minuteMs }),
      ...regularSeries({ name: 'stays', count: 2, fromMs: epochMs, toMs: epochMs + 2 * hourMs, stepMs: minuteMs }),
    ]);
    const { value, progress } = await scraped(source);
    assert.equal(value(METRICS.windowSeries.name), 2);
    assert.equal(progress.series, 9, 'the result and the status show the largest number');
  });

  const uniform = regularSeries({
    count: 3,
    fromMs: epochMs,
    toMs: epochMs + 2 * hourMs,
    stepMs: minuteMs,
  });

  it(`window_duration_seconds: "${METRICS.windowDuration.help}"`, async () => {
    await using quick = await startSource(uniform);
    const windows = (await scraped(quick)).value('prom_migrator_windows_total');
    // At a thousandfold speed 60 ms are a minute.
    await using slow = await startSource(uniform);
    slow.onQuery = async () => {
      await sleep(60);
      return undefined;
    };
    const reading = await scraped(slow);
    assert.equal(reading.value(`${METRICS.windowDuration.name}_count`), windows);
    assert.ok(reading.value(`${METRICS.windowDuration.name}_sum`) >= 58 * windows, 'from its first request');
    const marking = await scraped(quick, { onMark: () => sleep(60) });
    assert.ok(marking.value(`${METRICS.windowDuration.name}_sum`) >= 58 * windows, 'to its mark');
  });

  it('completed_ratio is 1 at the end, and the counters add up', async () => {
    await using source = await startSource(uniform);
    const { value } = await scraped(source);
    assert.equal(value(METRICS.completed.name), 1);
    assert.equal(value(METRICS.samplesRead.name), 3 * 120);
    assert.equal(value(METRICS.samplesWritten.name), 3 * 120);
  });
});
