// The threads themselves: starts them, and keeps those whose job has ended for the next one, because starting a thread costs half a second
// of CPU and a small migration less. Used by worker-pool.ts through its `spawn`.

import { Worker } from 'node:worker_threads';
import { parseQuantity } from '../../api/quantity.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { FromWorker, ToWorker, WorkerJob } from '../judge/worker-messages.ts';
import type { WorkerHandle } from './worker-pool.ts';

const MIB = 1024 * 1024;
const MOST_PARKED = 4;
const PARK_MS = 30_000;
/** Whatever a job may leave behind in its thread, it does not gather without end. */
const JOBS_PER_THREAD = 50;

export interface Thread {
  readonly worker: Worker;
  readonly heapMib: number;
  jobs: number;
}

export class WorkerThreads {
  readonly #clock: Clock;
  readonly #heapMibOf: (job: WorkerJob) => number;
  readonly #startThread: (heapMib: number) => Thread;
  readonly #parked = new Map<Thread, AbortController>();

  /**
   * @param heapMibOf what a thread may have of JavaScript's heap, in MiB; tests give less
   * @param startThread tests bring their own
   */
  constructor(
    clock: Clock,
    heapMibOf: (job: WorkerJob) => number = defaultHeapMib,
    startThread: (heapMib: number) => Thread = startWorkerThread,
  ) {
    this.#clock = clock;
    this.#heapMibOf = heapMibOf;
    this.#startThread = startThread;
  }

  /**
   * Runs the job in a thread of its own, with a heap that a runaway migration exhausts alone.
   * @throws ERR_WORKER_INIT_FAILED when the limit of processes of the pod or the machine is reached
   */
  readonly spawn = (job: WorkerJob): WorkerHandle => {
    const heapMib = this.#heapMibOf(job);
    const thread = this.#takeParked(heapMib) ?? this.#newThread(heapMib);
    thread.jobs++;
    try {
      return this.#handle(thread, job);
    } catch (error) {
      end(thread);
      throw error;
    }
  };

  /** Ends the threads that wait for a job. */
  close(): void {
    for (const [thread, over] of this.#parked) {
      over.abort();
      end(thread);
    }
    this.#parked.clear();
  }

  #newThread(heapMib: number): Thread {
    try {
      return this.#startThread(heapMib);
    } catch (error) {
      // Those that wait for a job of another size make room for the next attempt.
      this.close();
      throw error;
    }
  }

  #handle(thread: Thread, job: WorkerJob): WorkerHandle {
    const { worker } = thread;
    const listeners = {
      message: (_: FromWorker) => {},
      error: (_: unknown) => {},
      exit: (_: number) => {},
    };
    let released = false;
    let terminated = false;
    const release = (code: number) => {
      if (released) return;
      released = true;
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', release);
      listeners.exit(code);
    };
    const onMessage = (message: FromWorker) => {
      listeners.message(message);
      if (message.type !== 'ended' || terminated) return;
      release(0);
      this.#park(thread);
    };
    const onError = (error: unknown) => listeners.error(error);
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', release);
    worker.postMessage({ type: 'job', job } satisfies ToWorker);
    return {
      post: (message) => {
        if (!released) worker.postMessage(message);
      },
      onMessage: (listener) => {
        listeners.message = listener;
      },
      onError: (listener) => {
        listeners.error = listener;
      },
      onExit: (listener) => {
        listeners.exit = listener;
      },
      terminate: () => {
        terminated = true;
        // A thread that was gone already has no other word of it.
        if (!released) end(thread, () => release(1));
      },
    };
  }

  #takeParked(heapMib: number): Thread | undefined {
    for (const [thread, over] of this.#parked) {
      if (thread.heapMib !== heapMib) continue;
      this.#parked.delete(thread);
      over.abort();
      thread.worker.removeAllListeners('exit');
      thread.worker.removeAllListeners('error');
      return thread;
    }
    return undefined;
  }

  #park(thread: Thread): void {
    if (thread.jobs >= JOBS_PER_THREAD || this.#parked.size >= MOST_PARKED) {
      end(thread);
      return;
    }
    const over = new AbortController();
    this.#parked.set(thread, over);
    // What a job left behind may still go wrong: then there is just one thread less.
    thread.worker.on('error', () => undefined);
    thread.worker.on('exit', () => {
      over.abort();
      this.#parked.delete(thread);
    });
    this.#clock.sleep(PARK_MS, over.signal).then(
      () => {
        this.#parked.delete(thread);
        end(thread);
      },
      () => undefined,
    );
  }
}

/** Most of spec.limits.memory is in buffers outside of the heap; labels and bookkeeping are inside. */
function defaultHeapMib({ migration }: WorkerJob): number {
  return 192 + Math.ceil((parseQuantity(migration.spec.limits.memory) ?? 256 * MIB) / MIB);
}

function startWorkerThread(heapMib: number): Thread {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const worker = new Worker(new URL(`./worker-thread.${extension}`, import.meta.url), {
    name: 'migration',
    resourceLimits: { maxOldGenerationSizeMb: heapMib, maxYoungGenerationSizeMb: 32 },
  });
  return { worker, heapMib, jobs: 0 };
}

function end({ worker }: Thread, ended: () => void = () => undefined): void {
  worker.on('error', () => undefined);
  worker.terminate().then(ended, ended);
}
