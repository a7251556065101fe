// Reads one window of the source to count what is in it. A stream of any size is read in parts, in bounded memory.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { PROGRESS_METRIC } from '../progress/progress-mark.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import type { SeriesSource } from '../source/series-source.ts';
import { type ProbeWindow, WindowCounter } from './probe-window.ts';
import type { LabelShapes } from './label-shape.ts';
import type { SeriesSketch } from './series-sketch.ts';

const PART_BYTES = 8 * 1024 * 1024;

export interface SourceProbeOptions {
  readonly plan: MigrationPlan;
  readonly source: SeriesSource;
  readonly budget: MemoryBudget;
  readonly router: SeriesRouter;
  readonly sketch: SeriesSketch;
  readonly shapes: LabelShapes;
  readonly clock: Clock;
}

export class SourceProbe {
  readonly #options: SourceProbeOptions;
  #samplesOnly: boolean;
  #windows = 0;

  constructor(options: SourceProbeOptions) {
    this.#options = options;
    this.#samplesOnly = options.plan.source.readMode === 'Samples';
  }

  /** @throws RemoteError, WireError, DoesNotFit, or the signal's reason */
  async read(fromMs: number, toMs: number, signal: AbortSignal): Promise<ProbeWindow> {
    try {
      return await this.#read(fromMs, toMs, signal);
    } catch (error) {
      if (this.#samplesOnly || !(error instanceof RemoteError) || error.class !== 'unsupported') throw error;
      this.#samplesOnly = true;
      return await this.#read(fromMs, toMs, signal);
    }
  }

  async #read(fromMs: number, toMs: number, signal: AbortSignal): Promise<ProbeWindow> {
    const { plan, router, sketch, shapes, clock } = this.#options;
    const startedMs = clock.monotonicMs();
    const index = this.#windows++;
    const counter = new WindowCounter({
      router,
      sketch,
      shapes,
      index,
      fromMs,
      toMs,
      selectors: plan.selectors.length,
    });
    let bytes = 0;
    for (const [selector, matchers] of plan.selectors.entries())
      bytes += await this.#readSelector(matchers, { fromMs, toMs }, (cursor) => counter.add(cursor, selector), signal);
    return counter.result(bytes, (clock.monotonicMs() - startedMs) / 1000);
  }

  async #readSelector(
    matchers: MigrationPlan['selectors'][number],
    range: { readonly fromMs: number; readonly toMs: number },
    take: (cursor: Parameters<WindowCounter['add']>[0]) => void,
    signal: AbortSignal,
  ): Promise<number> {
    const { source, budget } = this.#options;
    const own = { kind: '!=', name: '__name__', value: PROGRESS_METRIC } as const;
    const query = { matchers: [...matchers, own], ...range, samplesOnly: this.#samplesOnly };
    const limits = { partBytes: Math.min(PART_BYTES, Math.floor(budget.total / 4)), signal };
    let reservation = new Reservation(budget, source.buffers);
    let bytes = 0;
    const stream = await source.open(query, { attempt: 1, signal });
    try {
      for (;;) {
        const part = await stream.next(reservation, limits);
        bytes += part.receivedBytes;
        take(part.cursor);
        if (part.isLast) return bytes;
        const following = reservation.split(part.carried, 0);
        reservation.release();
        reservation = following;
      }
    } finally {
      reservation.release();
      await stream.close();
    }
  }
}
