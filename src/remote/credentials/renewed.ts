// A value that expires and is requested again: a token, temporary keys. At most one request is on its way, however many wait for it.

import type { Clock } from '../../telemetry/clock.ts';
import { decideRefresh } from './refresh-time.ts';

export interface Issued<T> {
  readonly value: T;
  /** Undefined if it does not expire. */
  readonly lifeMs: number | undefined;
}

interface Held<T> extends Issued<T> {
  readonly issuedMs: number;
}

export class Renewed<T extends object> {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #request: (signal: AbortSignal) => Promise<Issued<T>>;
  readonly #closed: AbortSignal;
  #held: Held<T> | undefined;
  #pending: Promise<Held<T>> | undefined;
  #failedMs: number | undefined;

  /**
   * @param request requests a new value
   * @param closed aborted when no value is needed any more
   */
  constructor(
    clock: Pick<Clock, 'monotonicMs'>,
    request: (signal: AbortSignal) => Promise<Issued<T>>,
    closed: AbortSignal,
  ) {
    this.#clock = clock;
    this.#request = request;
    this.#closed = closed;
  }

  /** The last value that was issued. It may have expired. */
  get latest(): T | undefined {
    return this.#held?.value;
  }

  /** A valid value. @throws what `request` throws, or the signal's reason */
  async get(signal: AbortSignal): Promise<T> {
    const held = this.#held;
    if (held === undefined) return await this.#next(signal);
    const decision = decideRefresh(held, this.#clock.monotonicMs(), this.#failedMs);
    if (decision === 'wait') return await this.#next(signal);
    // If it fails, the old value is used until it expires. Then the failure is reported.
    if (decision === 'use-and-refresh') this.#start().catch(() => undefined);
    return held.value;
  }

  /** A value other than `refused`. A caller with an older one gets the current one. @throws like `get` */
  async replace(refused: T, signal: AbortSignal): Promise<T> {
    const held = this.#held;
    return held === undefined || held.value === refused ? await this.#next(signal) : held.value;
  }

  async #next(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    const pending = this.#start();
    return await new Promise<T>((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      pending.then(({ value }) => resolve(value), reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  #start(): Promise<Held<T>> {
    this.#pending ??= this.#run().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #run(): Promise<Held<T>> {
    // The life of a token may begin at any time between the request and the response.
    const issuedMs = this.#clock.monotonicMs();
    try {
      this.#held = { ...(await this.#request(this.#closed)), issuedMs };
      this.#failedMs = undefined;
      return this.#held;
    } catch (error) {
      this.#failedMs = this.#clock.monotonicMs();
      throw error;
    }
  }
}
