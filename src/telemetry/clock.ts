// Time and waiting, passed in wherever they are needed, so that tests can own them.

export interface Clock {
  /** Milliseconds since 1970, for timestamps only: the wall clock jumps when the machine's time is corrected. */
  now(): number;
  /** Milliseconds since a fixed moment, for durations and deadlines: never jumps. Each thread has its own fixed moment. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds; rejects at once with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** One moment on both clocks. */
export interface Moment {
  /** For what is written down as a time. */
  readonly wallMs: number;
  /** For what is measured or waited for. */
  readonly monotonicMs: number;
}

export function momentOf(clock: Pick<Clock, 'now' | 'monotonicMs'>): Moment {
  return { wallMs: clock.now(), monotonicMs: clock.monotonicMs() };
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
};
