// Starts the threads, and keeps those whose job has ended for the next job: starting a thread costs half a second of CPU, more than a small
// migration.

import { Worker } from 'node:worker_threads';
import type { Clock } from '../telemetry/clock.ts';
import type { FromWorker } from './worker-messages.ts';
import { packJob, type ToWorker, type WorkerJob } from './to-worker.ts';
import type { WorkerHandle } from './worker-pool.ts';

const MIB = 1024 * 1024;
const PARK_MS = 30_000;
/** A limit, so that leftovers of jobs do not accumulate in a thread without bound. */
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
  readonly #maxParked: number;
  readonly #parked = new Map<Thread, AbortController>();

  /**
   * @param maxParked how many threads may wait for a job
   * @param heapMibOf the maximum size of a thread's JavaScript heap, in MiB; tests use less
   * @param startThread tests provide their own
   */
  constructor(
    clock: Clock,
    maxParked: number,
    heapMibOf: (job: WorkerJob) => number = defaultHeapMib,
    startThread: (heapMib: number) => Thread = startWorkerThread,
  ) {
    this.#clock = clock;
    this.#maxParked = maxParked;
    this.#heapMibOf = heapMibOf;
    this.#startThread = startThread;
  }

  /**
   * Runs the job in its own thread with its own heap, so that a runaway migration exhausts only that heap.
   * @throws ERR_WORKER_INIT_FAILED when the pod's or the machine's limit of processes is reached
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

  /** Starts threads now for jobs like this one that will follow. A failure is left to the job that needs the thread. */
  prepare(job: WorkerJob, count: number): void {
    const heapMib = this.#heapMibOf(job);
    const waiting = [...this.#parked.keys()].filter((thread) => thread.heapMib === heapMib).length;
    try {
      for (let more = count - waiting; more > 0; more--) this.#park(this.#startThread(heapMib));
    } catch {
      // The machine has no more threads.
    }
  }

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
      // Frees the threads that wait for a job of another size, so that the next attempt has room.
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
    worker.postMessage({ type: 'job', job: packJob(job) } satisfies ToWorker);
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
        // A thread that was already gone sends no other event.
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
    if (thread.jobs >= JOBS_PER_THREAD || this.#parked.size >= this.#maxParked) {
      end(thread);
      return;
    }
    const over = new AbortController();
    this.#parked.set(thread, over);
    // Leftovers of a job may still fail. Then there is one thread less.
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

/** Most of spec.limits.memory is used by buffers outside the heap; labels and bookkeeping are inside. */
function defaultHeapMib({ plan }: WorkerJob): number {
  return 192 + Math.ceil(plan.limits.memoryBytes / MIB);
}

export function startWorkerThread(heapMib: number): Thread {
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
