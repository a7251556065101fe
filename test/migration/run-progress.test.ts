// The progress of a run in flight: when windows are marked, the completed part, and the remaining time.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProgressMeter } from '../../src/cli/progress-view.ts';
import type { MigrationProgress } from '../../src/migration/report/observer.ts';
import { completedRatio } from '../../src/telemetry/completion.ts';
import { encodeXorChunk } from '../wire/support/chunk-encoder.ts';
import { startDestination } from './support/fake-destination.ts';
import { regularSeries, startSource } from './support/fake-source.ts';
import { epochMs, hourMs, minuteMs, planFor, RecordingObserver, run } from './support/plan.ts';
import { frameOf } from './support/remote-messages.ts';

type Changes = Parameters<typeof planFor>[1];

const seriesCount = 12;
const stepMs = 30_000;

/** A whole day, and more than the plan selects. */
const uniform = regularSeries({ count: seriesCount, fromMs: epochMs - hourMs, toMs: epochMs + 25 * hourMs, stepMs });
const samplesIn = (lengthMs: number) => (seriesCount * lengthMs) / stepMs;

interface Look {
  readonly atMs: number;
  readonly ratio: number;
  readonly etaMs: number | undefined;
  readonly acknowledged: number;
  readonly windows: number;
}

interface WatchOptions {
  readonly samplesPerChunk?: number;
  /** The duration of a write request with samples. */
  readonly writeMs?: number;
}

/** Times are computed from this rate, so that they do not depend on the load of the machine. */
const samplesPerSecond = 1000;

/** Runs the plan and records its progress at each report and every half second. */
async function watch(changes: NonNullable<Changes>, options: WatchOptions = {}) {
  await using source = await startSource(uniform);
  source.samplesPerChunk = options.samplesPerChunk ?? 30;
  await using destination = await startDestination();
  const observer = new RecordingObserver();
  const meter = new ProgressMeter();
  const looks: Look[] = [];
  let meterAtMs = Number.NEGATIVE_INFINITY;
  let etaMs: number | undefined;
  const look = (progress: Readonly<MigrationProgress>) => {
    const atMs = (progress.samplesWritten / samplesPerSecond) * 1000;
    if (atMs - meterAtMs >= 500) {
      etaMs = meter.look(progress, atMs).etaMs;
      meterAtMs = atMs;
    }
    const { samplesWritten, windows } = progress;
    looks.push({ atMs, ratio: completedRatio(progress), etaMs, acknowledged: samplesWritten, windows });
  };
  observer.onProgress = look;
  const marks: { readonly acknowledged: number }[] = [];
  destination.onStored = async ({ isMark }) => {
    if (isMark) marks.push({ acknowledged: looks.at(-1)?.acknowledged ?? 0 });
    else if (options.writeMs !== undefined) await sleep(options.writeMs);
  };
  const plan = planFor({ source, destination }, { endMs: epochMs + 24 * hourMs, ...changes });
  const result = await run(plan, { observer });
  assert.equal(result.error, undefined);
  const all = samplesIn((plan.endMs ?? 0) - plan.startMs);
  assert.equal(result.progress.samplesWritten, all);
  return { looks, marks, all, endedAtMs: (all / samplesPerSecond) * 1000, observer };
}

function assertHonest({ looks, all }: { looks: readonly Pick<Look, 'ratio' | 'acknowledged'>[]; all: number }): void {
  let before = 0;
  let worst = 0;
  for (const { ratio, acknowledged } of looks) {
    assert.ok(ratio >= before, `fell from ${before} to ${ratio}`);
    before = ratio;
    worst = Math.max(worst, Math.abs(ratio - acknowledged / all));
  }
  assert.equal(before, 1);
  assert.ok(worst <= 0.05, `${(100 * worst).toFixed(1)} points from acknowledged ÷ all`);
}

const anyOrder: NonNullable<Changes> = {
  destination: { ordering: 'Any' },
  window: { maxMs: 6 * hourMs },
  limits: { inFlightWrites: 4, samplesPerWrite: 200 },
};

describe('several windows in flight', () => {
  it('write the first mark as soon as the first window is acknowledged', async () => {
    const { marks, looks, all } = await watch({ ...anyOrder, window: { maxMs: 2 * hourMs } }, { writeMs: 10 });
    const first = marks[0]!;
    const firstWindow = looks.find(({ windows }) => windows > 0)!;
    // A window of two hours is a twelfth.
    assert.ok(
      first.acknowledged / all < 0.2,
      `after ${((100 * first.acknowledged) / all).toFixed(1)} % of the samples`,
    );
    assert.ok(firstWindow.acknowledged / all < 0.2);
    assert.ok(marks.length >= 4, `${marks.length} marks`);
  });

  it('mark each window without waiting for another one to be copied', async () => {
    const { marks, all } = await watch({ ...anyOrder, window: { maxMs: 2 * hourMs } }, { writeMs: 10 });
    // At any time at most the windows in flight are newer than the newest mark, and the oldest of them is being written.
    const gaps = marks.map(({ acknowledged }, i) => acknowledged - (marks[i - 1]?.acknowledged ?? 0));
    const widest = Math.max(...gaps) / all;
    assert.ok(widest < 0.17, `${(100 * widest).toFixed(1)} % of the samples between two marks`);
  });
});

/** Sixteen metrics, of which the source returns at most two at once: windows are read in parts. */
const manyNames = Array.from({ length: 16 }, (_, i) => `${'acegikmoqsuwybdf'[i]}_metric`).flatMap((name) =>
  regularSeries({ name, count: 1, fromMs: epochMs - hourMs, toMs: epochMs + 25 * hourMs, stepMs }),
);

describe('the percentage', () => {
  const cases: [string, NonNullable<Changes>, { samplesPerChunk?: number }?][] = [
    ['several windows in flight', anyOrder],
    ['one window at a time', { limits: { samplesPerWrite: 200 } }],
    ['a single window', { endMs: epochMs + 5 * minuteMs, limits: { samplesPerWrite: 6 } }],
    ['a first window that is most of the range', { ...anyOrder, endMs: epochMs + 7 * hourMs }],
    ['chunks that are longer than the windows', { limits: { samplesPerWrite: 60 } }, { samplesPerChunk: 240 }],
    ['one chunk for everything', { ...anyOrder, endMs: epochMs + 4 * hourMs }, { samplesPerChunk: 10_000 }],
  ];
  for (const [name, changes, options] of cases) {
    it(`is always within five points of the acknowledged share, and never decreases: ${name}`, async () => {
      assertHonest(await watch(changes, options));
    });
  }

  it('is as accurate when windows are read in parts, name by name', async () => {
    await using source = await startSource(manyNames);
    const maxSamples = (2 * 2 * hourMs) / stepMs;
    source.onQuery = (query) =>
      source.samplesIn(query) > maxSamples ? { status: 413, text: 'too many samples' } : undefined;
    await using destination = await startDestination();
    const observer = new RecordingObserver();
    const looks: { ratio: number; acknowledged: number }[] = [];
    observer.onProgress = (progress) => {
      looks.push({ ratio: completedRatio(progress), acknowledged: progress.samplesWritten });
    };
    // Windows of exactly two hours.
    const changes = { endMs: epochMs + 24 * hourMs, window: { minMs: 2 * hourMs, maxMs: 2 * hourMs } };
    const plan = planFor({ source, destination }, { ...anyOrder, ...changes, limits: { samplesPerWrite: 40 } });
    const { error, progress } = await run(plan, { observer });
    assert.equal(error, undefined);
    assert.equal(progress.windows, 12);
    assert.ok(observer.all('window-split').some(({ by }) => by === 'name'));
    assertHonest({ looks, all: (16 * 24 * hourMs) / stepMs });
  });

  it('does not decrease when a partly written window is read again', async () => {
    await using source = await startSource(uniform);
    const chunk = encodeXorChunk(uniform[0]!.samples.slice(0, 20)).subarray(0, 30);
    let spoilt = false;
    source.onQuery = (query) => {
      if (spoilt || !query.streamed || query.startMs < epochMs + hourMs) return undefined;
      spoilt = true;
      // It is corrupt after all the good series.
      const bad = frameOf([['__name__', 'zero']], 1, chunk, query.startMs, query.endMs);
      const { body, contentType } = source.response(query);
      return { body: Buffer.concat([body, bad]), contentType };
    };
    await using destination = await startDestination({ kind: 'keeps-all' });
    const observer = new RecordingObserver();
    let reached = 0;
    let read = 0;
    let withdrawn = 0;
    observer.onProgress = ({ reachedMs, samplesRead }) => {
      assert.ok(reachedMs >= reached);
      reached = reachedMs;
      withdrawn = Math.max(withdrawn, read - samplesRead);
      read = samplesRead;
    };
    const plan = planFor({ source, destination }, { ...anyOrder, endMs: epochMs + 8 * hourMs });
    const { error } = await run(plan, { observer });
    assert.equal(error, undefined);
    assert.ok(withdrawn > 1000, `${withdrawn} samples were withdrawn`);
    assert.equal(reached, plan.endMs);
  });
});

describe('the remaining time', () => {
  for (const [name, changes] of [
    ['several windows in flight', anyOrder],
    ['one window at a time', { limits: { samplesPerWrite: 200 } }],
  ] as const) {
    it(`is accurate within 30 % after the first tenth at constant speed: ${name}`, async () => {
      const { looks, endedAtMs } = await watch(changes);
      let seen = 0;
      for (const { atMs, ratio, etaMs } of looks) {
        if (ratio < 0.1 || ratio > 0.95) continue;
        const leftMs = endedAtMs - atMs;
        assert.ok(etaMs !== undefined);
        // An error of a second or two is acceptable at the end.
        const wrongMs = Math.max(0, Math.abs(etaMs - leftMs) - 1000);
        assert.ok(wrongMs <= 0.3 * leftMs, `at ${ratio}: ${etaMs} ms said, ${leftMs} ms left`);
        seen++;
      }
      assert.ok(seen > 20, `${seen} looks`);
    });
  }
});
