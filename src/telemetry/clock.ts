// Time and waiting, passed in wherever they are needed, so that tests can own them.

export interface Clock {
  /** Milliseconds since 1970, for timestamps only: the wall clock jumps when the machine's time is corrected. */
  now(): number;
  /** Milliseconds since a fixed moment, for durations and deadlines: never jumps. Each thread has its own fixed moment. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, however many they are; rejects at once with the signal's reason when it is aborted. */
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

/** Node's timers fire at once when they are longer than 2^31 ms: a longer wait is slept in pieces. */
const LONGEST_TIMER_MS = 24 * 3_600_000;

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    let leftMs = ms;
    for (; leftMs > LONGEST_TIMER_MS; leftMs -= LONGEST_TIMER_MS) await timer(LONGEST_TIMER_MS, signal);
    await timer(leftMs, signal);
  },
};

function timer(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timeout);
      reject(signal?.reason);
    };
    const timeout = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
