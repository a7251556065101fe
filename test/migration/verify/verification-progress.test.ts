// The percentage of a verification counts what has been judged. A range with a difference has not been, until the difference is final.

import assert from 'node:assert/strict';
import { Rechecks } from '../../../src/migration/verify/rechecks.ts';
import { SeriesHashes } from '../../../src/migration/series/series-hashes.ts';
import { completedRatio } from '../../../src/telemetry/completion.ts';
import { FastClock } from '../support/fake-clock.ts';
import { startDestination } from '../support/fake-destination.ts';
import { regularSeries, startSource } from '../support/fake-source.ts';
import { dayMs, epochMs, hourMs, minuteMs, planFor, RecordingObserver } from '../support/plan.ts';
import { verifyRun } from '../support/verify-run.ts';

describe('the progress of a verification', () => {
  for (const [title, missingAtMs] of [
    ['at the beginning', 1 * minuteMs],
    ['at the end', 59 * minuteMs],
  ] as const) {
    it(`does not count a range with a difference ${title} before it is final`, async () => {
      const series = regularSeries({ count: 2, fromMs: epochMs, toMs: epochMs + hourMs, stepMs: 15_000 });
      await using source = await startSource(series);
      await using destination = await startDestination();
      destination.put(
        series.map((one) => ({
          ...one,
          samples: one.samples.filter(({ timeMs }) => timeMs !== epochMs + missingAtMs),
        })),
      );
      const observer = new RecordingObserver();
      const seen: { ratio: number; waits: boolean }[] = [];
      observer.onProgress = (progress) => {
        if (progress.verification === undefined) return;
        const waits = progress.waitingFor.includes('show what it has');
        seen.push({ ratio: completedRatio(progress), waits });
      };
      const plan = planFor({ source, destination }, { window: { maxMs: 10 * minuteMs } });
      const { verification } = await verifyRun(plan, {
        observer,
        clock: new FastClock({ nowMs: epochMs + dayMs, speed: 100 }),
      });
      assert.equal(verification.missing, 2);
      const waiting = seen.filter(({ waits }) => waits);
      assert.ok(waiting.length > 0);
      for (const { ratio } of waiting) assert.ok(ratio <= 11 / 12, `${ratio}, although a range of five minutes waits`);
      assert.ok(waiting.at(-1)!.ratio >= 0.8, `${waiting.at(-1)?.ratio}: the other windows are counted`);
      assert.equal(seen.at(-1)?.ratio, 1);
      const ratios = seen.map(({ ratio }) => ratio);
      assert.deepEqual(
        ratios,
        ratios.toSorted((a, b) => a - b),
      );
    });
  }

  it('counts a time once if several ranges wait for it', () => {
    const rechecks = new Rechecks(30_000);
    const waiting = (fromMs: number, toMs: number) => ({
      ...{ fromMs, toMs, series: new SeriesHashes(1), bytes: 16, names: undefined, missing: 1 },
      ...{ sinceMs: 0, looks: 0, repaired: false },
    });
    assert.equal(rechecks.waitingMs, 0);
    for (const [fromMs, toMs] of [
      [10, 20],
      [10, 20],
      [0, 5],
      [15, 30],
      [12, 14],
      [40, 41],
    ] as const)
      rechecks.add(waiting(fromMs, toMs));
    assert.equal(rechecks.waitingMs, 5 + 20 + 1);
  });
});
