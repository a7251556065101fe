// A queue of the keys to reconcile, each at most once at a time. The rules are client-go's: a key that is added while it is being processed
// returns to the queue when that work is done.

import { backoffMs, halfJitter } from '../../telemetry/backoff.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { Waiters } from '../../telemetry/waiters.ts';

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Before the first retry of a key; doubles with each further one. Default 1 s. */
  readonly baseDelayMs?: number;
  /** Default 30 s: the longest wait for missed changes when the API server is back after hours. */
  readonly maxDelayMs?: number;
}

/** next() rejects with it when the queue was closed. */
export class WorkQueueClosedError extends Error {
  override readonly name = 'WorkQueueClosedError';
  readonly code = 'WORK_QUEUE_CLOSED';

  constructor() {
    super('the work queue is closed');
  }
}

interface Delayed {
  readonly atMs: number;
  readonly cancel: AbortController;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  /** In the order they were added; none of them is being processed. */
  readonly #ready = new Set<string>();
  readonly #working = new Set<string>();
  /** Added while they were being processed. */
  readonly #again = new Set<string>();
  readonly #delayed = new Map<string, Delayed>();
  readonly #failures = new Map<string, number>();
  readonly #waiters = new Waiters<undefined, string>();
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#baseDelayMs = options.baseDelayMs ?? 1_000;
    this.#maxDelayMs = options.maxDelayMs ?? 30_000;
  }

  /** Keys that can be taken now. */
  get size(): number {
    return this.#ready.size;
  }

  add(key: string): void {
    if (this.#closed) return;
    if (this.#working.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#ready.add(key);
    this.#handOut();
  }

  /** Adds the key later. Of several delays the earliest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return;
    if (!(delayMs > 0)) {
      this.add(key);
      return;
    }
    const atMs = this.#clock.monotonicMs() + delayMs;
    const waiting = this.#delayed.get(key);
    if (waiting !== undefined && waiting.atMs <= atMs) return;
    waiting?.cancel.abort();
    const entry = { atMs, cancel: new AbortController() };
    this.#delayed.set(key, entry);
    this.#addLater(key, delayMs, entry).catch(() => undefined);
  }

  /** Adds the key after a delay that doubles with each retry until forget(), with random jitter between half of it and all of it. */
  retry(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const delayMs = backoffMs({ firstMs: this.#baseDelayMs, maxMs: this.#maxDelayMs }, failures + 1);
    this.addAfter(key, halfJitter(delayMs, this.#random));
  }

  /** The key was processed successfully, or its resource is gone: the next retry starts with the shortest delay. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /**
   * Takes the next key, or waits for one. The key belongs to the caller until done().
   * @throws the signal's reason, or WorkQueueClosedError
   */
  next(signal: AbortSignal): Promise<string> {
    if (this.#closed) return Promise.reject(new WorkQueueClosedError());
    const key = this.#waiters.wait(undefined, signal);
    this.#handOut();
    return key;
  }

  /** The work on the key is over, successfully or not. */
  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  /** Drops the queued keys, and rejects all waiting next() calls with WorkQueueClosedError. */
  close(): void {
    this.#closed = true;
    this.#ready.clear();
    this.#again.clear();
    for (const { cancel } of this.#delayed.values()) cancel.abort();
    this.#delayed.clear();
    this.#waiters.rejectAll(new WorkQueueClosedError());
  }

  #handOut(): void {
    for (const key of this.#ready) {
      if (this.#waiters.size === 0) return;
      this.#ready.delete(key);
      this.#working.add(key);
      this.#waiters.admitFirst(key);
    }
  }

  async #addLater(key: string, delayMs: number, entry: Delayed): Promise<void> {
    await this.#clock.sleep(delayMs, entry.cancel.signal);
    if (this.#delayed.get(key) === entry) this.#delayed.delete(key);
    this.add(key);
  }
}
