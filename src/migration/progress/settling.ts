// How long the destination is given before its marks and samples are believed to be all that was written. Called at the start of a run, when
// an earlier one may have been killed a moment ago, and after a write whose answer was lost.

import type { Clock } from '../../telemetry/clock.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';

/** A request of a killed run may still be on its way in. */
const arrivingMs = 500;
/** VictoriaMetrics 1.145 shows a new series two to four seconds after it took it, unless it is told to show it at once. */
const appearingMs = 5000;

export class Settling {
  readonly #protocol: MigrationPlan['progress']['protocol'];
  readonly #clock: Clock;
  readonly #flush: (signal: AbortSignal) => Promise<boolean>;

  /** @param flush has the destination show what it has taken; false when it does not know how to */
  constructor(
    protocol: MigrationPlan['progress']['protocol'],
    clock: Clock,
    flush: (signal: AbortSignal) => Promise<boolean>,
  ) {
    this.#protocol = protocol;
    this.#clock = clock;
    this.#flush = flush;
  }

  /** Resolves when everything that was sent more than a moment ago can be read. Rejects with the signal's reason when it is aborted. */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#protocol === 'None') return;
    await this.#clock.sleep(arrivingMs, signal);
    if (this.#protocol === 'RemoteRead' || (await this.show(signal))) return;
    await this.#clock.sleep(appearingMs - arrivingMs, signal);
  }

  /** Has what was acknowledged shown at once, where that can be had: no wait. @returns whether it could */
  show(signal: AbortSignal): Promise<boolean> {
    return this.#flush(signal);
  }
}
