// A reader of a fake source with a companion that needs the source, and that a test provides.

import { BufferPool } from '../../../../src/migration/limits/buffer-pool.ts';
import { MemoryBudget } from '../../../../src/migration/limits/memory-budget.ts';
import { Reservation } from '../../../../src/migration/limits/reservation.ts';
import { Retrier } from '../../../../src/migration/limits/retrier.ts';
import type { Slice } from '../../../../src/migration/read/slice.ts';
import { SourceReader } from '../../../../src/migration/read/source-reader.ts';
import type { Companion, Held } from '../../../../src/migration/read/window-part.ts';
import { SeriesRouter } from '../../../../src/migration/series/series-router.ts';
import { RemoteReadSource } from '../../../../src/migration/source/remote-read-source.ts';
import { recordingHooks } from '../../../remote/servers.ts';
import { FastClock } from '../../support/fake-clock.ts';
import { startDestination } from '../../support/fake-destination.ts';
import type { FakeSource } from '../../support/fake-source.ts';
import { emptyProgress, hourMs, planFor, RecordingObserver } from '../../support/plan.ts';

export interface CompanionReader extends AsyncDisposable {
  readonly reader: SourceReader<Held>;
  /** Of the source's budget. */
  readonly usedBytes: number;
}

/** @param read what the companion does */
export async function companionReader(
  source: FakeSource,
  endMs: number,
  read: (slice: Slice) => Promise<void>,
): Promise<CompanionReader> {
  const destination = await startDestination();
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
    needsSource: true,
    async read(slice) {
      await read(slice);
      return { reservation: new Reservation(others, pool) };
    },
  };
  const client = new RemoteReadSource(plan.source, { ...recordingHooks(), buffers: pool, clock });
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
  return {
    reader,
    get usedBytes() {
      return usedBytes;
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await destination[Symbol.asyncDispose]();
    },
  };
}
