import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import type { WorkerJob } from '../../src/execute/to-worker.ts';
import { WorkerThreads } from '../../src/execute/worker-threads.ts';
import { ManualClock, settled } from '../operator/support/manual-clock.ts';
import { jobOf, migrationOf, progressOf } from '../operator/support/migrations.ts';

const job = jobOf(migrationOf());

/** A thread that only records how it is ended. */
class FakeThread extends EventEmitter {
  terminated = 0;
  uncloneable = false;

  postMessage(): void {
    if (this.uncloneable) throw new DOMException('could not be cloned', 'DataCloneError');
  }

  terminate(): Promise<number> {
    this.terminated++;
    return Promise.resolve(1);
  }
}

function scene(heapMibOf: (job: WorkerJob) => number = () => 64) {
  const started: FakeThread[] = [];
  const shortage: Error[] = [];
  const threads = new WorkerThreads(new ManualClock(), 4, heapMibOf, (heapMib) => {
    const failure = shortage.shift();
    if (failure !== undefined) throw failure;
    const worker = new FakeThread();
    started.push(worker);
    return { worker: worker as unknown as Worker, heapMib, jobs: 0 };
  });
  return { threads, started, shortage };
}

describe('worker threads, when no thread can be created', () => {
  it('end idle threads, to free resources for the next attempt', () => {
    let heapMib = 64;
    const { threads, started, shortage } = scene(() => heapMib);
    threads.spawn(job);
    started[0]?.emit('message', { type: 'ended', result: { progress: progressOf({ phase: 'Succeeded' }) } });
    heapMib = 128;
    shortage.push(Object.assign(new Error('EAGAIN'), { code: 'ERR_WORKER_INIT_FAILED' }));
    assert.equal(started[0]?.terminated, 0, 'it waits');
    assert.throws(() => threads.spawn(job), { code: 'ERR_WORKER_INIT_FAILED' });
    assert.equal(started[0]?.terminated, 1);
    threads.spawn(job);
    assert.equal(started.length, 2);
  });

  it('end a thread whose job could not be sent', () => {
    const { threads, started } = scene();
    threads.spawn(job);
    const [thread] = started;
    thread?.emit('message', { type: 'ended', result: { progress: progressOf({ phase: 'Succeeded' }) } });
    if (thread !== undefined) thread.uncloneable = true;
    assert.throws(() => threads.spawn(job), { name: 'DataCloneError' });
    assert.equal(thread?.terminated, 1);
  });

  it('report the end of a thread that has already exited', async () => {
    const { threads } = scene();
    const handle = threads.spawn(job);
    const exits: number[] = [];
    handle.onExit((code) => exits.push(code));
    // Node reports an exit only once.
    handle.terminate();
    await settled();
    assert.deepEqual(exits, [1]);
    handle.terminate();
    await settled();
    assert.deepEqual(exits, [1]);
  });
});
