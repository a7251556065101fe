// Writes what is missing in the destination, and nothing else. It uses the delivery of a copy, with its retries, its search for refused
// samples and its accounting.

import type { Clock } from '../../telemetry/clock.ts';
import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import { readAhead } from '../read/read-ahead.ts';
import { SourceReader } from '../read/source-reader.ts';
import { releasePart } from '../read/window-part.ts';
import type { MigrationObserver, MigrationProgress } from '../report/observer.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import { CopiedWindow } from '../write/copied-window.ts';
import { Delivery } from '../write/delivery.ts';
import { Lanes } from '../write/lanes.ts';
import { WindowWriter } from '../write/window-writer.ts';
import type { Sides } from './sides.ts';

export interface RepairOptions {
  readonly plan: MigrationPlan;
  readonly sides: Sides;
  readonly clock: Clock;
  readonly observer: MigrationObserver;
  /** Gets the counts of the writes. */
  readonly progress: MigrationProgress;
  readonly signal: AbortSignal;
}

/** While a window is repaired, the destination's half of the memory is free, and two lanes fit into it. */
const MAX_LANES = 2;

export class Repair {
  readonly #options: RepairOptions;
  readonly #plan: MigrationPlan;
  readonly #delivery: Delivery;
  readonly #lanes: Lanes;
  readonly #failed = new AbortController();
  readonly #signal: AbortSignal;

  constructor(options: RepairOptions) {
    this.#options = options;
    const { plan, sides, observer, progress, signal } = options;
    const { writer: client, view, retrier, samplesRate, bytesRate, pace } = sides;
    // What the destination refuses stays missing, and is reported as such.
    this.#plan = { ...plan, rejectedSamples: 'Skip' };
    this.#signal = AbortSignal.any([signal, this.#failed.signal]);
    const shared = { plan: this.#plan, client, view, retrier, observer, progress, samplesRate, bytesRate, pace };
    this.#delivery = new Delivery(shared);
    const lanes = Math.min(plan.limits.inFlightWrites, MAX_LANES);
    this.#lanes = new Lanes(lanes, {
      delivery: this.#delivery,
      signal: this.#signal,
      onFailure: (error) => this.#failed.abort(error),
    });
  }

  /**
   * Writes every sample of some series that the destination does not have.
   * @param only selects fewer series
   * @param isDifferent which series differ, by the hash of their labels. Nothing else is written, even if the destination should fail to show it
   * @throws MigrationError when the destination refuses writes, or a side can't be read; the signal's reason
   */
  async write(
    { fromMs, toMs }: { fromMs: number; toMs: number },
    only: Matcher | undefined,
    isDifferent: (hash: number) => boolean,
  ): Promise<void> {
    const { sides, observer, progress, clock } = this.#options;
    const router: Pick<SeriesRouter, 'route'> = {
      route: (region) => {
        const route = sides.router.route(region);
        return route.kind === 'write' && isDifferent(route.hash) ? route : { kind: 'drop' };
      },
    };
    const { view } = sides;
    const writer = new WindowWriter({ router, outlet: this.#lanes, observer, view, signal: this.#signal });
    const reader = new SourceReader({
      plan: this.#plan,
      client: sides.source,
      proof: sides.sourceProof,
      budget: sides.memory.source,
      router,
      retrier: sides.retrier,
      observer,
      progress,
      clock,
      uncertainUntilMs: Number.POSITIVE_INFINITY,
      ...(only !== undefined && { only }),
    });
    let window: CopiedWindow | undefined;
    try {
      for await (const part of readAhead(reader.windows(fromMs, toMs, this.#signal), 1, releasePart)) {
        try {
          window ??= new CopiedWindow(part, progress);
          window.series += await writer.write(part, window);
        } finally {
          releasePart(part);
        }
        if (!part.last) continue;
        await (await this.#lanes.flush(window)).acknowledged;
        window = undefined;
      }
    } catch (error) {
      if (this.#failed.signal.aborted) throw this.#failed.signal.reason;
      throw error;
    } finally {
      sides.pace.rest();
    }
  }
}
