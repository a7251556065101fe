// The parts of the process that a command touches: streams, signals, time. Tests pass in their own.

import type { Clock } from '../telemetry/clock.ts';
import type { ExitStatus } from './exit-codes.ts';

export interface Output {
  readonly isTTY: boolean;
  /** The current width of the terminal. */
  columns(): number;
  /** The current height of the terminal. */
  rows(): number;
  write(text: string): void;
  /** Resolves when all written output has left the process, or never will. The value is the error if it could not be written. */
  flushed(): Promise<Error | undefined>;
}

export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

export interface CommandIo {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signals: SignalSource;
  readonly clock: Clock;
  readonly random: () => number;
  /** Ends the process immediately, even if work is still running. */
  readonly exit: (code: ExitStatus) => void;
}

/**
 * A stream of the process as an Output. A reader that went away (EPIPE, as in `run | head`) must not end a migration: further output is
 * dropped.
 */
export function streamOutput(stream: NodeJS.WriteStream): Output {
  let failure: NodeJS.ErrnoException | undefined;
  const note = (error: NodeJS.ErrnoException | null | undefined) => {
    failure ??= error ?? undefined;
  };
  // The callbacks of the writes report the same error, and earlier. Without a listener the event would end the process.
  stream.on('error', note);
  return {
    isTTY: stream.isTTY === true,
    columns: () => stream.columns || 80,
    rows: () => stream.rows || 24,
    write(text) {
      if (failure === undefined) stream.write(text, note);
    },
    flushed: () =>
      new Promise((resolve) => {
        const settle = () => resolve(failure?.code === 'EPIPE' ? undefined : failure);
        if (failure !== undefined || stream.destroyed) settle();
        else stream.write('', settle);
      }),
  };
}

/** The real process. */
export function processIo(clock: Clock): CommandIo {
  return {
    // Opened only on access: a process may have been started without stdin.
    get stdin() {
      return process.stdin;
    },
    stdout: streamOutput(process.stdout),
    stderr: streamOutput(process.stderr),
    env: process.env,
    signals: process,
    clock,
    random: Math.random,
    exit: (code) => process.exit(code),
  };
}
