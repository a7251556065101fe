// One request to the API server: its description, its end, and the meaning of its failure.

import type { Clock } from '../../telemetry/clock.ts';
import { Deadline } from '../../telemetry/deadline.ts';
import { KubeApiError, KubeConnectionError, messageOf } from './kube-errors.ts';
import { describePath } from './kube-objects.ts';

export interface KubeCall {
  readonly verb: string;
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>> | undefined;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Default JSON. */
  readonly accept?: string;
}

/** The signal, the deadline and the end of one request. Disposing it closes the connection if the response is not complete. */
export class KubeExchange implements AsyncDisposable {
  readonly #call: KubeCall;
  readonly #outer: AbortSignal | undefined;
  readonly #deadline: Deadline;

  constructor(call: KubeCall, outer: AbortSignal | undefined) {
    this.#call = call;
    this.#outer = outer;
    this.#deadline = new Deadline(outer);
  }

  get signal(): AbortSignal {
    return this.#deadline.signal;
  }

  /** Starts the deadline; `disarm` ends it. */
  arm(clock: Clock, timeoutMs: number): void {
    this.#deadline.start(clock, timeoutMs, new Error('no response in time'));
  }

  get timedOut(): boolean {
    return this.#deadline.expired;
  }

  disarm(): void {
    this.#deadline.stop();
  }

  /** The promise, or a rejection as soon as the request is aborted. */
  async race<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this;
    let onAbort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([promise, aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Throws the error that the failure means: an abort from outside, the deadline, an API error, or a connection error. */
  fail(error: unknown): never {
    if (this.#outer?.aborted) throw this.#outer.reason;
    const what = `${this.#call.verb} ${describePath(this.#call.path).resource}`;
    if (this.timedOut) throw new KubeConnectionError('TIMEOUT', `${what}: no response from the API server in time`);
    if (error instanceof KubeApiError || error instanceof KubeConnectionError) throw error;
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
    const failure = code === undefined ? 'CUT_OFF' : 'SYSTEM';
    throw new KubeConnectionError(failure, `${what}: ${messageOf(error) || (code ?? failure)}`, code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deadline[Symbol.dispose]();
  }
}
