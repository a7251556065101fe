// Real threads against servers on the loopback: their reports, and that the failure of one does not affect others.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PromMigration } from '../../src/api/prom-migration.ts';
import type { WorkerEnd } from '../../src/execute/worker-messages.ts';
import type { FromWorker } from '../../src/execute/worker-messages.ts';
import type { WorkerJob } from '../../src/execute/to-worker.ts';
import { WorkerPool } from '../../src/execute/worker-pool.ts';
import { WorkerThreads } from '../../src/execute/worker-threads.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { type FakeDestination, startDestination } from '../migration/support/fake-destination.ts';
import { type FakeSource, regularSeries, startSource } from '../migration/support/fake-source.ts';
import { expected } from '../migration/support/remote-messages.ts';
import { endMs, jobOf, migrationOf, startMs } from '../operator/support/migrations.ts';

type Report = FromWorker & { type: 'report' };

class Threads implements AsyncDisposable {
  readonly #threads: WorkerThreads;
  readonly reports = new Map<string, Report[]>();
  readonly #ends = new Map<string, WorkerEnd>();
  readonly #waiting = new Set<() => void>();
  readonly pool = new WorkerPool({
    spawn: (job) => this.#threads.spawn(job),
    clock: SYSTEM_CLOCK,
    onReport: (key, report) => {
      this.reports.set(key, [...(this.reports.get(key) ?? []), report]);
      for (const wake of this.#waiting) wake();
    },
    onEnd: (key, end) => {
      this.#ends.set(key, end);
      for (const wake of this.#waiting) wake();
    },
  });

  constructor(heapMibOf?: (job: WorkerJob) => number) {
    this.#threads = new WorkerThreads(SYSTEM_CLOCK, 4, heapMibOf);
  }

  async until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  end(key: string): Promise<WorkerEnd> {
    return this.until(() => this.#ends.get(key));
  }

  events(key: string): string[] {
    return (this.reports.get(key) ?? []).flatMap(({ events }) => events.map(({ type }) => type));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.pool.stopAll('abort');
    await this.pool.idle();
    this.#threads.close();
  }
}

const series = regularSeries({ count: 3, fromMs: startMs, toMs: startMs + 3_600_000, stepMs: 60_000 });

function between(source: FakeSource, destination: FakeDestination, spec: Record<string, unknown> = {}): PromMigration {
  return migrationOf({
    spec: {
      source: { url: source.readUrl },
      destination: { url: destination.writeUrl, progress: { protocol: 'RemoteRead', url: destination.readUrl } },
      ...spec,
    },
  });
}

describe('a worker thread', function () {
  this.timeout(30_000);

  it('copies a migration and reports the result', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    await using threads = new Threads();
    threads.pool.start('a', jobOf(between(source, destination)));
    const end = await threads.end('a');
    assert.ok(end.kind === 'result');
    assert.equal(end.result.progress.phase, 'Succeeded');
    assert.equal(end.result.progress.samplesWritten, 180);
    assert.deepEqual(destination.contents(), expected(series, startMs, endMs));
    const events = threads.events('a');
    assert.equal(events[0], 'request');
    assert.ok(events.includes('started') && events.at(-1) === 'finished');
    assert.equal(threads.reports.get('a')?.at(-1)?.progress.samplesWritten, 180);
  });

  it('resumes where it is told when the destination keeps no mark, and counts from the original start', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    await using threads = new Threads();
    const migration = between(source, destination, {
      destination: { url: destination.writeUrl, progress: { protocol: 'None' } },
    });
    const fromMs = startMs + 1_800_000;
    threads.pool.start('a', { ...jobOf(migration), resume: { fromMs, endMs } });
    const end = await threads.end('a');
    assert.ok(end.kind === 'result' && end.result.progress.phase === 'Succeeded');
    assert.deepEqual(destination.contents(), expected(series, fromMs, endMs));
    const last = threads.reports.get('a')?.at(-1)?.progress;
    assert.deepEqual([last?.startMs, last?.resumedFromMs], [startMs, fromMs]);
  });

  it('ignores a resume point when the destination keeps marks', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    await using threads = new Threads();
    const job = jobOf(between(source, destination));
    threads.pool.start('a', { ...job, resume: { fromMs: startMs + 1_800_000, endMs } });
    await threads.end('a');
    assert.deepEqual(destination.contents(), expected(series, startMs, endMs));
  });

  it('is reused for the next migration', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    await using threads = new Threads();
    threads.pool.start('a', jobOf(between(source, destination)));
    await threads.end('a');
    const startedAtMs = performance.now();
    threads.pool.start('b', jobOf(between(source, destination)));
    await threads.until(() => threads.reports.get('b'));
    const secondMs = performance.now() - startedAtMs;
    const end = await threads.end('b');
    assert.ok(end.kind === 'result' && end.result.progress.phase === 'Succeeded');
    assert.ok(threads.events('b').includes('already-finished'));
    assert.ok(secondMs < 1_500, `the second one took ${secondMs} ms to begin`);
  });

  it('applies new rates while it runs', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    await using threads = new Threads();
    threads.pool.start('a', jobOf(between(source, destination, { limits: { samplesPerSecond: 1 } })));
    await threads.until(() => (threads.events('a').includes('started') ? true : undefined));
    threads.pool.setRates('a', { samplesPerSecond: undefined, bytesPerSecond: undefined });
    const end = await threads.end('a');
    assert.ok(end.kind === 'result' && end.result.progress.phase === 'Succeeded');
  });

  it('stops immediately when aborted, and writes nothing afterwards', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    await using threads = new Threads();
    threads.pool.start('a', jobOf(between(source, destination, { limits: { samplesPerSecond: 1 } })));
    await threads.until(() => (threads.events('a').includes('started') ? true : undefined));
    threads.pool.stop('a', 'abort');
    const end = await threads.end('a');
    assert.ok(end.kind === 'result' && end.result.progress.phase === 'Interrupted');
    const written = destination.contents();
    // The rate allows one sample per second.
    await sleep(2500);
    assert.deepEqual(destination.contents(), written);
  });

  it('exhausts only its own heap', async () => {
    await using source = await startSource(series);
    await using destination = await startDestination();
    await using second = await startDestination();
    await using threads = new Threads(({ plan }) => (plan.migration === 'team/greedy' ? 8 : 256));
    threads.pool.start('a', jobOf(between(source, destination, { limits: { samplesPerSecond: 60 } })));
    await threads.until(() => (threads.events('a').includes('started') ? true : undefined));
    const copy = between(source, second);
    threads.pool.start('greedy', jobOf({ ...copy, metadata: { ...copy.metadata, name: 'greedy' } }));
    const end = await threads.end('greedy');
    assert.ok(end.kind === 'crashed', JSON.stringify(end));
    assert.equal(end.code, 'ERR_WORKER_OUT_OF_MEMORY');
    const other = await threads.end('a');
    assert.ok(other.kind === 'result' && other.result.progress.phase === 'Succeeded');
  });
});
