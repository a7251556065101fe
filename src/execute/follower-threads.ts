// One thread for all migrations that only follow a Job: each makes a request every few seconds, which does not justify a thread of its own.

import { MessageChannel } from 'node:worker_threads';
import type { FromWorker } from './worker-messages.ts';
import { packJob, type ToWorker, type WorkerJob } from './to-worker.ts';
import type { WorkerHandle } from './worker-pool.ts';
import { startWorkerThread, type Thread } from './worker-threads.ts';

const HEAP_MIB = 256;

interface Follower {
  readonly error: (error: unknown) => void;
  readonly exit: (code: number) => void;
}

export class FollowerThreads {
  readonly #startThread: (heapMib: number) => Thread;
  #thread: Thread | undefined;
  readonly #followers = new Set<Follower>();

  /** @param startThread tests provide their own */
  constructor(startThread: (heapMib: number) => Thread = startWorkerThread) {
    this.#startThread = startThread;
  }

  /** @throws ERR_WORKER_INIT_FAILED when the pod's or the machine's limit of processes is reached */
  readonly spawn = (job: WorkerJob): WorkerHandle => {
    const thread = this.#thread ?? this.#newThread();
    const { port1, port2 } = new MessageChannel();
    const listeners = {
      message: (_: FromWorker) => {},
      error: (_: unknown) => {},
      exit: (_: number) => {},
    };
    const follower: Follower = {
      error: (error) => listeners.error(error),
      exit: (code) => {
        if (!this.#followers.delete(follower)) return;
        port1.close();
        listeners.exit(code);
      },
    };
    this.#followers.add(follower);
    port1.on('message', (message: FromWorker) => {
      listeners.message(message);
      if (message.type === 'ended') follower.exit(0);
    });
    thread.worker.postMessage({ type: 'job', job: packJob(job), port: port2 } satisfies ToWorker, [port2]);
    return {
      post: (message) => port1.postMessage(message),
      onMessage: (listener) => {
        listeners.message = listener;
      },
      onError: (listener) => {
        listeners.error = listener;
      },
      onExit: (listener) => {
        listeners.exit = listener;
      },
      // It does not respond, so neither do the others. All of them start again.
      terminate: () => {
        follower.exit(1);
        this.close();
      },
    };
  };

  /** Ends the thread, and with it every follower. */
  close(): void {
    void this.#thread?.worker.terminate();
  }

  #newThread(): Thread {
    const thread = this.#startThread(HEAP_MIB);
    this.#thread = thread;
    const { worker } = thread;
    // It does not keep the process alive.
    worker.unref();
    worker.on('error', (error) => {
      for (const follower of [...this.#followers]) follower.error(error);
    });
    worker.on('exit', (code) => {
      if (this.#thread === thread) this.#thread = undefined;
      for (const follower of [...this.#followers]) follower.exit(code);
    });
    return thread;
  }
}
