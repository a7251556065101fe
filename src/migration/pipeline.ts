// The path of the windows from the reader to the destination: read ahead, write, hand over to be finished. With ordering `InOrder` one window
// is in flight at a time; with `Any` several are.

import type { Clock } from '../telemetry/clock.ts';
import { WireError } from '../wire/errors.ts';
import { BeganDifferently, type Beginning } from './beginning.ts';
import type { Connections } from './connections.ts';
import { Marker } from './marker.ts';
import type { MigrationObserver, MigrationProgress } from './report/observer.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { FIRST_SHARD } from './plan/stretches.ts';
import { Completion } from './progress/completion.ts';
import { MarkWriter } from './progress/mark-writer.ts';
import { MAX_WINDOWS_IN_FLIGHT, uncertainMs } from './plan/window-bounds.ts';
import { lookFor } from './progress/settling.ts';
import { readAhead } from './read/read-ahead.ts';
import { SourceReader } from './read/source-reader.ts';
import { UncertainWindow } from './read/uncertain-window.ts';
import type { WindowPart } from './read/window-part.ts';
import { WindowFinisher } from './window-finisher.ts';
import { Ledger } from './write/accounting.ts';
import { CopiedWindow } from './write/copied-window.ts';
import { Delivery } from './write/delivery.ts';
import type { Outlet } from './write/lanes.ts';
import { openOutlet } from './write/outlet.ts';
import { WindowWriter } from './write/window-writer.ts';

export interface PipelineOptions {
  readonly plan: MigrationPlan;
  readonly connections: Connections;
  readonly observer: MigrationObserver;
  readonly progress: MigrationProgress;
  readonly clock: Clock;
  readonly stop: AbortSignal;
  /** Aborted by the caller's abort and by `fail`. */
  readonly signal: AbortSignal;
  readonly fail: (error: unknown) => void;
  readonly beginning: Beginning;
  /** The destination was seen to show the marks of this migration. */
  readonly marksAreShown: boolean;
  /** Rejects when nothing may be written, because the windows that were read begin in the wrong place. */
  readonly beforeFirstWrite: () => Promise<void>;
}

const PARTS_READ_AHEAD = 2;

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #completion: Completion;
  readonly #delivery: Delivery;
  readonly #outlet: Outlet;
  readonly #writer: WindowWriter;
  readonly #marker: Marker;
  readonly #finisher: WindowFinisher;
  readonly #maxInFlight: number;
  #isReady: Promise<void> | undefined;
  /** Of the last window that was read. */
  #samplesPerMs = 0;

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { plan, connections, progress, clock, signal, fail, beginning, marksAreShown } = options;
    const { destination: client, retrier, samplesRate, bytesRate, pace, router, view } = connections;
    this.#maxInFlight = MAX_WINDOWS_IN_FLIGHT[plan.destination.ordering];
    this.#completion = new Completion(progress);
    const observer: MigrationObserver = {
      progress: (changed) => {
        this.#completion.refresh();
        options.observer.progress(changed);
      },
      event: (event) => options.observer.event(event),
    };
    const { stretch } = plan;
    const openEndMs = plan.endMs === undefined ? beginning.endMs : undefined;
    const frozenEndMs = stretch === undefined ? openEndMs : stretch.frozenEndMs;
    const marks = new MarkWriter({ plan, client, retrier, frozenEndMs });
    this.#delivery = new Delivery({
      plan,
      client,
      retrier,
      observer,
      progress,
      samplesRate,
      bytesRate,
      pace,
      view,
    });
    this.#outlet = openOutlet(plan, { delivery: this.#delivery, clock, signal, onFailure: fail });
    this.#writer = new WindowWriter({ router, outlet: this.#outlet, observer, view, signal });
    this.#marker = new Marker({ writer: marks, view, observer, clock, signal, marksAreShown, fail });
    const ledger = new Ledger(progress, beginning.mark?.samples ?? 0);
    this.#finisher = new WindowFinisher({
      plan,
      observer,
      progress,
      clock,
      completion: this.#completion,
      ledger,
      mark: async (throughMs) => {
        if (view.readable) await this.#marker.mark({ throughMs, ...ledger.mark() });
      },
      signal,
      fail,
    });
  }

  /**
   * Copies the range from its beginning. If `stop` is aborted, only the windows already begun are copied.
   * @throws BeganDifferently when nothing was written because the run has to begin in another place; MigrationError; the signal's reason
   */
  async run(): Promise<void> {
    try {
      await this.#copyAll();
      await this.#marker.firstMarkShown();
      this.#delivery.reportLost();
    } catch (error) {
      if (!(error instanceof BeganDifferently)) this.#options.fail(error);
      throw error;
    } finally {
      // After a failure all work in progress has been aborted. Waiting for it ensures that nothing of this run overlaps with what follows.
      await Promise.allSettled([this.#finisher.all(), this.#marker.firstMarkShown()]);
      this.#options.connections.pace.rest();
    }
  }

  /** What must have happened before the first write. */
  #ready(): Promise<void> {
    this.#isReady ??= this.#options.beforeFirstWrite().then(() => this.#begin());
    return this.#isReady;
  }

  /**
   * Marks where a stretch begins, before anything of it is written. Otherwise a later run that divides the range differently would not look for
   * what this one has written behind that place. The start of the whole range needs no mark, because every run begins there.
   */
  async #begin(): Promise<void> {
    const { plan, connections, beginning } = this.#options;
    const { stretch } = plan;
    if (stretch === undefined || stretch.shard === FIRST_SHARD || beginning.mark !== undefined) return;
    if (connections.view.readable) await this.#marker.begin(plan.startMs - 1);
  }

  async #copyAll(): Promise<void> {
    const { plan, connections, observer, progress, stop, signal, clock, beginning } = this.#options;
    const { source: client, budget, router, retrier, view } = connections;
    const { uncertainUntilMs, endMs } = beginning;
    const reader = new SourceReader({
      plan,
      client,
      budget,
      router,
      retrier,
      observer,
      progress,
      clock,
      uncertainUntilMs,
      inParts: view.readable,
    });
    // Meanwhile the first window is read.
    if (plan.stretch !== undefined) this.#ready().catch(() => undefined);
    let atMs = beginning.fromMs;
    while (atMs < endMs && !stop.aborted) {
      try {
        return await this.#copy(reader, atMs, endMs);
      } catch (error) {
        if (!(error instanceof UncertainWindow)) throw error;
        // The windows before it are in transit. The comparison finds what was written of this one.
        await this.#finisher.all();
        await view.settled(
          lookFor(() => Promise.resolve(false)),
          signal,
        );
        atMs = error.window.fromMs;
        await reader.recover(error, signal);
      }
    }
  }

  async #copy(reader: SourceReader, fromMs: number, endMs: number): Promise<void> {
    const { stop, signal } = this.#options;
    const reading = new AbortController();
    const readSignal = AbortSignal.any([signal, stop, reading.signal]);
    const parts = readAhead(reader.windows(fromMs, endMs, readSignal), PARTS_READ_AHEAD, (part) =>
      part.reservation.release(),
    );
    let open: CopiedWindow | undefined;
    try {
      for await (const part of parts) {
        try {
          if (open === undefined) {
            if (stop.aborted) break;
            await this.#ready();
            await this.#makeRoom(part.window.toMs);
            open = this.#open(part);
          }
          await this.#write(part, open);
        } finally {
          part.reservation.release();
        }
        if (!part.last) continue;
        this.#samplesPerMs = open.account.read / (open.toMs - open.fromMs);
        const { acknowledged } = await this.#outlet.flush(open);
        this.#finisher.add(open, acknowledged);
        open = undefined;
        while (this.#finisher.inFlight >= this.#maxInFlight) await this.#finisher.nextMark();
        if (stop.aborted) break;
      }
    } catch (error) {
      if (error instanceof UncertainWindow && open !== undefined) await this.#withdraw(open);
      // A stop interrupts the read-ahead of the last window. That is not a failure.
      if (!stop.aborted || signal.aborted || error !== stop.reason) throw error;
    } finally {
      reading.abort();
    }
    await this.#finisher.all();
    if (open === undefined) return;
    // A stop came between the parts of a window: what has begun arrives and is counted, but nothing is marked.
    if (this.#options.plan.stretch === undefined) await (await this.#outlet.flush(open)).acknowledged;
    // A stretch may be started again in the same run, which then counts the window.
    else await this.#withdraw(open);
  }

  /** All windows in flight must lie where a later run would compare. An empty stretch of weeks between two windows counts towards that. */
  async #makeRoom(toMs: number): Promise<void> {
    const maxMs = uncertainMs(this.#options.plan.destination.ordering);
    while (toMs - (this.#finisher.oldestFromMs ?? toMs) > maxMs) await this.#finisher.nextMark();
  }

  #open(part: WindowPart): CopiedWindow {
    const window = new CopiedWindow(part, this.#options.progress);
    window.account.volume.expectedSamples = this.#samplesPerMs * (window.toMs - window.fromMs);
    this.#completion.opened(window);
    return window;
  }

  async #write(part: WindowPart, window: CopiedWindow): Promise<void> {
    try {
      window.series += await this.#writer.write(part, window);
    } catch (error) {
      throw error instanceof WireError ? new UncertainWindow(window, 'undecodable', error) : error;
    }
  }

  /** The window will be read again from its start. */
  async #withdraw(window: CopiedWindow): Promise<void> {
    // Samples on their way belong to the withdrawn count. They must arrive before the window is read again.
    const { acknowledged } = await this.#outlet.flush(window);
    await acknowledged;
    window.account.withdraw();
    this.#completion.closed(window);
  }
}
