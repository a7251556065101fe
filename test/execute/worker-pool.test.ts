import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import type { MigrationResult } from '../../src/migration/report/observer.ts';
import type { WorkerEnd } from '../../src/execute/worker-messages.ts';
import { type WorkerHandle, WorkerPool } from '../../src/execute/worker-pool.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { FakeWorker } from '../operator/support/fake-worker.ts';
import { ManualClock } from '../operator/support/manual-clock.ts';
import { jobOf, migrationOf, progressOf } from '../operator/support/migrations.ts';

const job = jobOf(migrationOf());
const result: MigrationResult = { progress: progressOf({ phase: 'Succeeded' }) };

function poolOf() {
  const clock = new ManualClock();
  const workers: FakeWorker[] = [];
  const reports: string[] = [];
  const ends: [string, WorkerEnd][] = [];
  const pool = new WorkerPool({
    spawn(given) {
      const worker = new FakeWorker(given);
      workers.push(worker);
      return worker;
    },
    clock,
    onReport: (key) => reports.push(key),
    onEnd: (key, end) => ends.push([key, end]),
  });
  const start = (key: string): FakeWorker => {
    pool.start(key, job);
    return workers.at(-1)!;
  };
  return { pool, clock, reports, ends, start };
}

describe('the worker pool', () => {
  it('passes reports on and reports the end after the thread has exited', () => {
    const { pool, reports, ends, start } = poolOf();
    const worker = start('a/b');
    worker.tell({ type: 'report', progress: progressOf(), events: [] });
    worker.tell({ type: 'ended', result });
    assert.deepEqual([reports, ends, pool.size], [['a/b'], [], 1]);
    worker.exit(0);
    assert.deepEqual([ends, pool.size], [[['a/b', { kind: 'result', result }]], 0]);
  });

  it('never has two workers for one migration', () => {
    const { start } = poolOf();
    start('a/b');
    assert.throws(() => start('a/b'), /has a worker already/);
  });

  it('treats an uncaught error as a crash of that worker only', () => {
    const { pool, ends, start } = poolOf();
    start('a/other');
    const worker = start('a/b');
    worker.fail(Object.assign(new Error('heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }));
    worker.exit(1);
    assert.deepEqual(ends, [['a/b', { kind: 'crashed', code: 'ERR_WORKER_OUT_OF_MEMORY', message: 'heap' }]]);
    assert.ok(pool.has('a/other'));
  });

  it('treats an exit without a result as a crash', () => {
    const { ends, start } = poolOf();
    start('a/b').exit(3);
    assert.deepEqual(ends, [
      ['a/b', { kind: 'crashed', code: 'exit 3', message: 'the thread ended without a result' }],
    ]);
  });

  it('terminates a worker that sends no heartbeat for a minute', async () => {
    const { clock, ends, start } = poolOf();
    const worker = start('a/b');
    await clock.advance(55_000);
    worker.tell({ type: 'heartbeat' });
    await clock.advance(60_000);
    assert.equal(worker.terminated, false);
    await clock.advance(5_000);
    assert.equal(worker.terminated, true);
    assert.deepEqual(ends, [['a/b', { kind: 'hung', silentMs: 65_000 }]]);
  });

  it('does not treat a suspended machine as a hanging worker', async () => {
    const { clock, start } = poolOf();
    const worker = start('a/b');
    clock.skip(3_600_000);
    await clock.advance(10_000);
    assert.equal(worker.terminated, false);
  });

  it('lets a worker finish its window, within a time limit', async () => {
    const { pool, clock, ends, start } = poolOf();
    const worker = start('a/b');
    pool.stop('a/b', 'drain');
    pool.stop('a/b', 'drain');
    for (let second = 0; second < 59; second++) {
      worker.tell({ type: 'heartbeat' });
      await clock.advance(1_000);
    }
    assert.deepEqual(worker.received, [{ type: 'stop' }]);
    await clock.advance(1_000);
    assert.deepEqual(worker.received, [{ type: 'stop' }, { type: 'abort' }]);
    await clock.advance(1_000);
    assert.equal(worker.terminated, true);
    assert.deepEqual(ends, [['a/b', { kind: 'terminated' }]]);
  });

  it('aborts a drain early on request', async () => {
    const { pool, clock, start } = poolOf();
    const worker = start('a/b');
    pool.stop('a/b', 'drain');
    pool.stopAll('abort');
    pool.stop('a/b', 'drain');
    assert.deepEqual(worker.received, [{ type: 'stop' }, { type: 'abort' }]);
    await clock.advance(1_000);
    assert.equal(worker.terminated, true);
  });

  it('does not terminate workers that end in time', async () => {
    const { pool, clock, start } = poolOf();
    const worker = start('a/b');
    pool.stop('a/b', 'abort');
    worker.tell({ type: 'ended', result });
    worker.exit(0);
    const again = start('a/b');
    await clock.advance(5_000);
    assert.deepEqual([worker.terminated, again.terminated, again.received], [false, false, []]);
    assert.deepEqual(clock.sleeping, [5_000]);
  });

  it('passes rates to the right worker', () => {
    const { pool, start } = poolOf();
    const other = start('a/other');
    const worker = start('a/b');
    const rates = { samplesPerSecond: 1, bytesPerSecond: undefined };
    pool.setRates('a/b', rates);
    pool.setRates('a/none', rates);
    assert.deepEqual([worker.received, other.received], [[{ type: 'rates', rates }], []]);
  });

  it('is idle when the last worker has exited', async () => {
    const { pool, start } = poolOf();
    await pool.idle();
    const [one, other] = [start('a/b'), start('a/c')];
    let idle = false;
    const waiting = pool.idle().then(() => {
      idle = true;
    });
    one.exit(0);
    await Promise.resolve();
    assert.equal(idle, false);
    other.exit(0);
    await waiting;
  });

  it('terminates a real thread in an endless loop, while another one continues', async () => {
    const scripts: Record<string, string> = {
      'team/spins': 'for (;;);',
      'team/lives': `const { parentPort } = require('node:worker_threads');
        setInterval(() => parentPort.postMessage({ type: 'heartbeat' }), 100);`,
    };
    const ends: [string, WorkerEnd][] = [];
    const ended = Promise.withResolvers<void>();
    const pool = new WorkerPool({
      spawn: ({ plan }) => handleOf(new Worker(scripts[plan.migration] ?? '', { eval: true })),
      clock: SYSTEM_CLOCK,
      hangMs: 2_000,
      onReport: () => {},
      onEnd(key, end) {
        ends.push([key, end]);
        ended.resolve();
      },
    });
    for (const name of ['lives', 'spins']) pool.start(name, jobOf(migrationOf({ name })));
    await ended.promise;
    assert.deepEqual(ends, [['spins', { kind: 'hung', silentMs: 4_000 }]]);
    assert.ok(pool.has('lives'));
    pool.stop('lives', 'abort');
    await pool.idle();
    assert.deepEqual(ends[1], ['lives', { kind: 'terminated' }]);
  }).timeout(20_000);
});

function handleOf(worker: Worker): WorkerHandle {
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.on('message', listener),
    onError: (listener) => worker.on('error', listener),
    onExit: (listener) => worker.on('exit', listener),
    terminate: () => void worker.terminate(),
  };
}
