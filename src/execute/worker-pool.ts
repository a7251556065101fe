// Manages the worker threads: starts one for each running migration, passes messages on, terminates those that do not stop on request, and
// detects the ones that crashed or hang. operator/judge/attempt.ts decides what an end means.

import type { Clock } from '../telemetry/clock.ts';
import type { BeforeCopy } from '../migration/preflight-before-copy.ts';
import type { ResultError } from '../migration/report/observer.ts';
import type { DividedRange, FromWorker, Rates, WorkerEnd } from './worker-messages.ts';
import type { ToWorker, WorkerJob } from './to-worker.ts';

/** The used part of a worker thread; tests provide their own. */
export interface WorkerHandle {
  post(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** An uncaught error was thrown, or the heap was exhausted. */
  onError(listener: (error: unknown) => void): void;
  onExit(listener: (code: number) => void): void;
  terminate(): void;
}

export interface WorkerPoolOptions {
  readonly spawn: (job: WorkerJob) => WorkerHandle;
  readonly clock: Clock;
  /** Without any sign of life for this long a worker counts as hung. Default 60 s. */
  readonly hangMs?: number;
  /** How long a worker that was asked to stop may take to finish its windows in flight. Default 60 s; Infinity: no limit. */
  readonly drainMs?: number;
  /** How long it may take to react to an abort. Default 1 s. */
  readonly abortMs?: number;
  readonly onReport: (key: string, report: FromWorker & { type: 'report' }) => void;
  /** Must lead to `differencesWritten`. */
  readonly onDifferences?: (key: string, lines: string) => void;
  /** Called when a job that follows has divided the range. */
  readonly onDivided?: (key: string, divided: DividedRange) => void;
  /** Called when a job that looks at both sides has a result. */
  readonly onPreflight?: (key: string, found: BeforeCopy) => void;
  /** Called once for each start, when the thread is gone. */
  readonly onEnd: (key: string, end: WorkerEnd) => void;
}

interface Slot {
  readonly worker: WorkerHandle;
  readonly follows: boolean;
  readonly looks: boolean;
  /** Cancels all its pending timers. */
  readonly over: AbortController;
  end: WorkerEnd | undefined;
  silentMs: number;
  stopping: 'drain' | 'abort' | undefined;
}

const LOOK_MS = 5_000;

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #slots = new Map<string, Slot>();
  readonly #idleWaiters = new Set<() => void>();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  /** The number of existing threads, including those that are ending. */
  get size(): number {
    return this.#slots.size;
  }

  /** How many of them copy or compare, or will. The others are for a Job. */
  get copying(): number {
    return [...this.#slots.values()].filter(({ follows }) => !follows).length;
  }

  /** How many look at both sides before a Job is created. */
  get lookingForJobs(): number {
    return [...this.#slots.values()].filter(({ follows, looks }) => follows && looks).length;
  }

  has(key: string): boolean {
    return this.#slots.has(key);
  }

  /** @throws Error when the key already has a worker: two would write the same windows; what `spawn` throws when no thread can be started */
  start(key: string, job: WorkerJob): void {
    if (this.#slots.has(key)) throw new Error(`${key} has a worker already`);
    const worker = this.#options.spawn(job);
    const follows = job.follow === true;
    const slot: Slot = {
      worker,
      follows,
      looks: job.preflight === true,
      over: new AbortController(),
      end: undefined,
      silentMs: 0,
      stopping: undefined,
    };
    this.#slots.set(key, slot);
    worker.onMessage((message) => {
      slot.silentMs = 0;
      if (message.type === 'report') this.#options.onReport(key, message);
      else if (message.type === 'differences') this.#options.onDifferences?.(key, message.lines);
      else if (message.type === 'divided') this.#options.onDivided?.(key, message);
      else if (message.type === 'preflight') this.#options.onPreflight?.(key, message);
      else if (message.type === 'ended') slot.end ??= { kind: 'result', result: message.result };
    });
    worker.onError((error) => {
      slot.end ??= crashOf(error);
    });
    worker.onExit((code) => {
      slot.over.abort();
      this.#slots.delete(key);
      const end = slot.end ?? { kind: 'crashed', code: `exit ${code}`, message: 'the thread ended without a result' };
      this.#options.onEnd(key, end);
      if (this.#slots.size === 0) for (const wake of [...this.#idleWaiters]) wake();
    });
    this.#watch(slot).catch(() => undefined);
  }

  setRates(key: string, rates: Rates): void {
    this.#slots.get(key)?.worker.post({ type: 'rates', rates });
  }

  differencesWritten(key: string, error: ResultError | undefined): void {
    this.#slots.get(key)?.worker.post({ type: 'differences-written', ...(error !== undefined && { error }) });
  }

  setParallelism(key: string, parallelism: number): void {
    this.#slots.get(key)?.worker.post({ type: 'parallelism', parallelism });
  }

  /** Lets a job that follows end after a last look. */
  conclude(key: string): void {
    this.#slots.get(key)?.worker.post({ type: 'conclude' });
  }

  /**
   * `drain` lets the windows in flight finish, up to a time limit; `abort` ends immediately. `onEnd` follows in both cases. An abort after a
   * drain shortens it.
   */
  stop(key: string, how: 'drain' | 'abort'): void {
    const slot = this.#slots.get(key);
    if (slot === undefined || slot.stopping === 'abort' || slot.stopping === how) return;
    slot.stopping = how;
    slot.worker.post({ type: how === 'drain' ? 'stop' : 'abort' });
    const { drainMs = 60_000, abortMs = 1_000 } = this.#options;
    const next = how === 'drain' ? () => this.stop(key, 'abort') : () => this.#terminate(slot, { kind: 'terminated' });
    const waitMs = how === 'drain' ? drainMs : abortMs;
    if (waitMs !== Number.POSITIVE_INFINITY) this.#after(waitMs, slot, next).catch(() => undefined);
  }

  stopAll(how: 'drain' | 'abort'): void {
    for (const key of [...this.#slots.keys()]) this.stop(key, how);
  }

  /** Resolves when no thread is left. */
  idle(): Promise<void> {
    if (this.#slots.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#idleWaiters.delete(wake);
        resolve();
      };
      this.#idleWaiters.add(wake);
    });
  }

  async #after(delayMs: number, slot: Slot, act: () => void): Promise<void> {
    await this.#options.clock.sleep(delayMs, slot.over.signal);
    act();
  }

  /** Counts its own checks instead of clock time, so that a machine that slept does not make a worker look hung. */
  async #watch(slot: Slot): Promise<void> {
    const { clock, hangMs = 60_000 } = this.#options;
    for (;;) {
      await clock.sleep(Math.min(LOOK_MS, hangMs), slot.over.signal);
      slot.silentMs += Math.min(LOOK_MS, hangMs);
      if (slot.silentMs > hangMs) return this.#terminate(slot, { kind: 'hung', silentMs: slot.silentMs });
    }
  }

  #terminate(slot: Slot, end: WorkerEnd): void {
    slot.end ??= end;
    slot.worker.terminate();
  }
}

/** The end of a worker that threw an uncaught error, or that could not be started. */
export function crashOf(error: unknown): WorkerEnd {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'uncaught';
  return { kind: 'crashed', code, message: error instanceof Error ? error.message : String(error) };
}
