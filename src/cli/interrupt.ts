// SIGINT and SIGTERM: the first signal stops the migration after its current window, within a grace period; the second ends the process
// immediately.

import type { Clock } from '../telemetry/clock.ts';
import type { InterruptSignal } from './exit-codes.ts';
import type { SignalSource } from './io.ts';

/**
 * npm and other launchers forward a signal that a terminal has already sent to the whole process group: that counts as one signal, not two.
 */
const SAME_SIGNAL_MS = 50;

export interface Interrupts {
  /** Aborted by the first signal: start no new window. */
  readonly stop: AbortSignal;
  /** Aborted when the grace period is over: end immediately. */
  readonly abort: AbortSignal;
  /** The first signal, if one came. */
  received(): InterruptSignal | undefined;
  /** Removes the signal handlers. */
  dispose(): void;
}

export interface InterruptOptions {
  readonly signals: SignalSource;
  readonly clock: Clock;
  readonly graceMs: number;
  readonly onFirst: (signal: InterruptSignal) => void;
  readonly onGraceOver: (signal: InterruptSignal) => void;
  /** Receives the first signal, because the exit code reports that one. */
  readonly onSecond: (signal: InterruptSignal) => void;
}

export function watchInterrupts(options: InterruptOptions): Interrupts {
  const { signals, clock, graceMs } = options;
  const stop = new AbortController();
  const abort = new AbortController();
  const disposed = new AbortController();
  let first: InterruptSignal | undefined;
  let firstAtMs = 0;

  const handle = (signal: InterruptSignal) => {
    if (first !== undefined) {
      const sinceMs = clock.monotonicMs() - firstAtMs;
      if (sinceMs >= SAME_SIGNAL_MS) options.onSecond(first);
      return;
    }
    first = signal;
    firstAtMs = clock.monotonicMs();
    options.onFirst(signal);
    stop.abort();
    clock.sleep(graceMs, disposed.signal).then(
      () => {
        options.onGraceOver(signal);
        abort.abort();
      },
      () => undefined,
    );
  };
  const onSigint = () => handle('SIGINT');
  const onSigterm = () => handle('SIGTERM');
  signals.on('SIGINT', onSigint);
  signals.on('SIGTERM', onSigterm);
  return {
    stop: stop.signal,
    abort: abort.signal,
    received: () => first,
    dispose() {
      signals.off('SIGINT', onSigint);
      signals.off('SIGTERM', onSigterm);
      disposed.abort(new Error('the command has ended'));
    },
  };
}
