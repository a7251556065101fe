// The time limit of one phase of a request: finding the address, connecting, the TLS handshake, sending, waiting for the response.

import type { Clock } from '../../telemetry/clock.ts';
import { OVER } from './over.ts';

/** The names are got's, and `classifyFailure` knows them. */
export type Phase = 'lookup' | 'connect' | 'secureConnect' | 'send' | 'response';

export class PhaseTimeout extends Error {
  readonly code = 'ETIMEDOUT';
  readonly event: Phase;

  constructor(event: Phase, ms: number) {
    super(`Timeout awaiting '${event}' for ${ms}ms`);
    this.event = event;
  }
}

/** At most one phase runs at a time. */
export class PhaseLimit {
  readonly #clock: Clock;
  readonly #onTimeout: (timeout: PhaseTimeout) => void;
  #running: AbortController | undefined;

  constructor(clock: Clock, onTimeout: (timeout: PhaseTimeout) => void) {
    this.#clock = clock;
    this.#onTimeout = onTimeout;
  }

  enter(phase: Phase, ms: number): void {
    this.leave();
    const running = new AbortController();
    this.#running = running;
    this.#clock.sleep(ms, running.signal).then(
      () => this.#onTimeout(new PhaseTimeout(phase, ms)),
      () => undefined,
    );
  }

  leave(): void {
    this.#running?.abort(OVER);
    this.#running = undefined;
  }
}
