// Followers in a real thread, against servers on the loopback.

import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { FollowerThreads } from '../../src/execute/follower-threads.ts';
import type { WorkerJob } from '../../src/execute/to-worker.ts';
import type { DividedRange, WorkerEnd } from '../../src/execute/worker-messages.ts';
import { WorkerPool } from '../../src/execute/worker-pool.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { startDestination } from '../migration/support/fake-destination.ts';
import { startSource } from '../migration/support/fake-source.ts';
import { endMs, jobOf, migrationOf, startMs } from '../operator/support/migrations.ts';

class Followers implements AsyncDisposable {
  readonly threads: FollowerThreads;
  readonly divided = new Map<string, DividedRange>();
  readonly ends = new Map<string, WorkerEnd>();
  readonly #waiting = new Set<() => void>();
  readonly pool: WorkerPool;

  constructor(threads = new FollowerThreads()) {
    this.threads = threads;
    const note =
      <T>(map: Map<string, T>) =>
      (key: string, value: T) => {
        map.set(key, value);
        for (const wake of this.#waiting) wake();
      };
    this.pool = new WorkerPool({
      spawn: threads.spawn,
      clock: SYSTEM_CLOCK,
      onReport: () => undefined,
      onDivided: note(this.divided),
      onEnd: note(this.ends),
    });
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.pool.stopAll('abort');
    await this.pool.idle();
    this.threads.close();
  }
}

describe('the thread of the followers', function () {
  this.timeout(30_000);

  async function startSides() {
    const source = await startSource([]);
    const destination = await startDestination({ kind: 'keeps-all' });
    const migration = migrationOf({
      spec: {
        source: { url: source.readUrl },
        destination: {
          url: destination.writeUrl,
          ordering: 'Any',
          progress: { protocol: 'RemoteRead', url: destination.readUrl },
        },
        execution: { mode: 'Job', parallelism: 2 },
      },
    });
    const job: WorkerJob = { ...jobOf(migration), follow: true };
    return {
      job,
      async [Symbol.asyncDispose]() {
        await source[Symbol.asyncDispose]();
        await destination[Symbol.asyncDispose]();
      },
    };
  }

  it('follows many migrations at once, and each until it is told to conclude', async () => {
    await using sides = await startSides();
    await using followers = new Followers();
    const { pool, divided, ends } = followers;
    const keys = ['a', 'b', 'c'];
    for (const key of keys) pool.start(key, sides.job);
    for (const key of keys) {
      const { stretches, frozenEndMs } = await followers.until(() => divided.get(key));
      assert.equal(frozenEndMs, undefined);
      assert.equal(stretches.length, 12);
      assert.deepEqual([stretches[0]?.startMs, stretches.at(-1)?.endMs], [startMs, endMs]);
    }
    assert.equal(pool.size, 3);
    assert.equal(pool.copying, 0, 'none of them copies');
    pool.stop('b', 'drain');
    await followers.until(() => ends.get('b'));
    pool.stop('a', 'abort');
    const end = await followers.until(() => ends.get('a'));
    assert.ok(end.kind === 'result' && end.result.progress.phase === 'Interrupted');
    assert.equal(pool.size, 1);
  });

  it('is started again after it has crashed with all its followers', async () => {
    await using sides = await startSides();
    const workers: Worker[] = [];
    const threads = new FollowerThreads((heapMib) => {
      const worker = new Worker(new URL('../../src/execute/worker-thread.ts', import.meta.url));
      workers.push(worker);
      return { worker, heapMib, jobs: 0 };
    });
    await using followers = new Followers(threads);
    const { pool, divided, ends } = followers;
    pool.start('a', sides.job);
    pool.start('b', sides.job);
    await followers.until(() => (divided.size === 2 ? true : undefined));
    await workers[0]?.terminate();
    for (const key of ['a', 'b']) assert.equal((await followers.until(() => ends.get(key))).kind, 'crashed');
    divided.clear();
    pool.start('a', sides.job);
    await followers.until(() => divided.get('a'));
    assert.equal(workers.length, 2);
  });
});
