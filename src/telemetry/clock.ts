// Time and waiting, passed in wherever they are needed, so that tests can control them.

export interface Clock {
  /** Milliseconds since 1970, for timestamps only: the wall clock jumps when the machine's time is corrected. */
  now(): number;
  /** Milliseconds since a fixed moment, for durations and deadlines. Never jumps. Each thread has its own fixed moment. */
  monotonicMs(): number;
  /** Resolves after `ms` milliseconds, of any length. Rejects immediately with the signal's reason if the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** One moment on both clocks. */
export interface Moment {
  /** For times that are written down. */
  readonly wallMs: number;
  /** For times that are measured or waited for. */
  readonly monotonicMs: number;
}

export function momentOf(clock: Pick<Clock, 'now' | 'monotonicMs'>): Moment {
  return { wallMs: clock.now(), monotonicMs: clock.monotonicMs() };
}

/** Node's timers fire immediately if they are longer than 2^31 ms, so a longer wait is split. */
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
