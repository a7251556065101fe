// A process for the commands under test: streams that record their output, and signals and a clock that the test controls.

import { EventEmitter } from 'node:events';
import type { CommandIo, Output } from '../../src/cli/io.ts';
import type { Clock } from '../../src/telemetry/clock.ts';

export class FakeClock implements Clock {
  #nowMs: number;
  #jumpedMs = 0;
  #sleepers: { atMs: number; wake: () => void }[] = [];

  constructor(nowMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678)) {
    this.#nowMs = nowMs;
  }

  now(): number {
    return this.#nowMs + this.#jumpedMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Sets the wall clock forward or back. */
  jump(ms: number): void {
    this.#jumpedMs += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { atMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
    });
  }

  /** The number of pending sleeps. */
  get sleepers(): number {
    return this.#sleepers.length;
  }

  /** Advances by `ms`, and wakes the sleepers in order; they may sleep again meanwhile. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settle();
    for (;;) {
      const next = this.#sleepers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await settle();
    }
    this.#nowMs = untilMs;
  }
}

/** Runs everything that is ready. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeOutput implements Output {
  text = '';
  isTTY: boolean;
  width: number;
  height = 24;
  failure: Error | undefined;

  constructor(isTTY = false, width = 120) {
    this.isTTY = isTTY;
    this.width = width;
  }

  columns(): number {
    return this.width;
  }

  rows(): number {
    return this.height;
  }

  write(text: string): void {
    this.text += text;
  }

  flushed(): Promise<Error | undefined> {
    return Promise.resolve(this.failure);
  }

  get lines(): string[] {
    return this.text.split('\n').filter((line) => line !== '');
  }
}

export interface FakeIo extends CommandIo {
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  readonly signals: EventEmitter;
  readonly clock: FakeClock;
  readonly exits: number[];
}

export function fakeIo(options: { stdin?: string; env?: Record<string, string>; tty?: boolean } = {}): FakeIo {
  const exits: number[] = [];
  return {
    stdin: (async function* () {
      yield options.stdin ?? '';
    })(),
    stdout: new FakeOutput(),
    stderr: new FakeOutput(options.tty ?? false),
    env: options.env ?? {},
    signals: new EventEmitter(),
    clock: new FakeClock(),
    random: () => 0.5,
    exit: (code) => exits.push(code),
    exits,
  };
}
