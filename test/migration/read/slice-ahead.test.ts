// A source and a companion that takes its time: how the reader asks one of them while it waits for the other.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { BufferPool } from '../../../src/migration/limits/buffer-pool.ts';
import { MemoryBudget } from '../../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../../src/migration/limits/reservation.ts';
import { Retrier } from '../../../src/migration/limits/retrier.ts';
import type { Slice } from '../../../src/migration/read/slice.ts';
import { SourceReader } from '../../../src/migration/read/source-reader.ts';
import { type Companion, type Held, releasePart } from '../../../src/migration/read/window-part.ts';
import { SeriesRouter } from '../../../src/migration/series/series-router.ts';
import { DoesNotFit } from '../../../src/remote/does-not-fit.ts';
import { ReadClient } from '../../../src/remote/read-client.ts';
import { recordingHooks } from '../../remote/servers.ts';
import { FastClock } from '../support/fake-clock.ts';
import { startDestination } from '../support/fake-destination.ts';
import { type FakeSource, regularSeries, startSource } from '../support/fake-source.ts';
import { emptyProgress, epochMs, hourMs, planFor, RecordingObserver } from '../support/plan.ts';

const endMs = epochMs + 12 * hourMs;
const samples = 5 * 12 * 60;

/** Reads everything with a companion. @param read what the companion does */
async function readAll(source: FakeSource, read: (slice: Slice) => Promise<void>, needsSource = true) {
  await using destination = await startDestination();
  const clock = new FastClock({ nowMs: endMs });
  const observer = new RecordingObserver();
  const progress = emptyProgress();
  const pool = new BufferPool(() => undefined);
  const plan = planFor({ source, destination }, { endMs });
  let usedBytes = 0;
  const budget = new MemoryBudget(2 ** 24, (used) => {
    usedBytes = used;
  });
  const others = new MemoryBudget(2 ** 20, () => undefined);
  const companion: Companion<Held> = {
    endpoint: plan.source,
    budgetBytes: others.total,
    needsSource,
    async read(slice) {
      await read(slice);
      return { reservation: new Reservation(others, pool) };
    },
  };
  const client = new ReadClient(plan.source, { ...recordingHooks(), buffers: pool, clock });
  const reader = new SourceReader<Held>({
    plan,
    client,
    budget,
    router: new SeriesRouter(plan, 1024),
    retrier: new Retrier({ clock, observer, progress, random: Math.random, startupDeadlineMs: hourMs }),
    observer,
    progress,
    clock,
    uncertainUntilMs: 0,
    companion,
  });
  const windows: [number, number][] = [];
  let received = 0;
  try {
    for await (const part of reader.windows(epochMs, endMs, new AbortController().signal)) {
      windows.push([part.fromMs, part.toMs]);
      received += part.outline.sampleBound;
      releasePart(part);
    }
  } finally {
    client.close();
  }
  return { windows, samples: received, usedBytes };
}

const openSource = () => startSource(regularSeries({ count: 5, fromMs: epochMs, toMs: endMs, stepMs: 60_000 }));
const rangesOf = (source: FakeSource) => source.queries.filter((query) => query.startMs !== query.endMs);

describe('a reader with a companion that needs the source', () => {
  it('requests the next slice from the source while the companion reads', async () => {
    await using source = await openSource();
    const ahead: number[] = [];
    const result = await readAll(source, async ({ toMs }) => {
      for (let i = 0; i < 50 && !rangesOf(source).some(({ startMs }) => startMs >= toMs); i++) await sleep(2);
      if (rangesOf(source).some(({ startMs }) => startMs >= toMs)) ahead.push(toMs);
    });
    assert.ok(result.windows.length > 3);
    assert.equal(ahead.length, result.windows.length - 1, 'all but the last');
    assert.equal(rangesOf(source).length, result.windows.length, 'no slice is requested twice');
    assert.ok(result.samples >= samples);
    assert.equal(result.usedBytes, 0);
  });

  it('drops what was read ahead if the companion cannot hold the slice, and reads everything once', async () => {
    await using source = await openSource();
    const tooLong = hourMs;
    const read: [number, number][] = [];
    const result = await readAll(source, async ({ fromMs, toMs }) => {
      await sleep(5);
      if (toMs - fromMs > tooLong) throw new DoesNotFit('too much');
      read.push([fromMs, toMs]);
    });
    assert.deepEqual(result.windows, read);
    let atMs = epochMs;
    for (const [fromMs, toMs] of result.windows) {
      assert.equal(fromMs, atMs);
      atMs = toMs;
    }
    assert.equal(atMs, endMs);
    assert.equal(result.usedBytes, 0, 'the memory of dropped slices is given back');
  });

  it('tries again what failed ahead of time', async () => {
    await using source = await openSource();
    let failures = 0;
    source.onQuery = ({ startMs }) => (startMs >= epochMs + 2 * hourMs && failures++ < 2 ? { status: 503 } : undefined);
    const result = await readAll(source, () => sleep(5));
    assert.ok(failures > 2);
    assert.ok(result.samples >= samples);
    assert.equal(result.windows.at(-1)?.[1], endMs);
    assert.equal(result.usedBytes, 0);
  });

  it('ends the request for the next slice when the reader is left', async () => {
    await using source = await openSource();
    const failure = new TypeError('the companion does not work');
    const result = readAll(source, async ({ fromMs }) => {
      await sleep(5);
      if (fromMs > epochMs) throw failure;
    });
    await assert.rejects(result, /the companion does not work/);
  });
});
