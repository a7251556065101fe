// The way of the windows from the reader to the mark: write, wait for the destination's acknowledgements, account, mark. Owned by one call
// of migrate(). With ordering `InOrder` one window is on the wire at a time; with `Any` several are, and are marked in order.

import type { Clock } from '../telemetry/clock.ts';
import { WireError } from '../wire/errors.ts';
import { Ledger, WindowAccount } from './write/accounting.ts';
import type { Connections } from './connections.ts';
import { Delivery, type DeliveryWindow, samplesRejected } from './write/delivery.ts';
import { Lanes } from './write/lanes.ts';
import { LostAnswers } from './write/lost-answers.ts';
import { MarkWriter } from './progress/mark-writer.ts';
import { MigrationError, toMigrationError } from './migration-error.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import type { MigrationObserver, MigrationProgress } from './observer.ts';
import { anyOrderWindows, uncertainMs } from './progress/progress-mark.ts';
import { readAhead } from './read/read-ahead.ts';
import { SourceReader } from './read/source-reader.ts';
import type { WindowPart } from './read/window-part.ts';
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
  readonly samplesBefore: number;
  readonly frozenEndMs: number | undefined;
}

interface OpenWindow extends DeliveryWindow {
  readonly startedAtMs: number;
  series: number;
  acknowledged: Promise<void>;
}

/** The answer of a window turned out to be undecodable after part of it was written. */
class UndecodableWindow extends Error {
  override readonly name = 'UndecodableWindow';
  readonly window: { readonly fromMs: number; readonly toMs: number };

  constructor(window: { fromMs: number; toMs: number }, cause: WireError) {
    super(cause.message, { cause });
    this.window = window;
  }
}

const partsReadAhead = 2;
/** How long the first mark may take to show in the destination. */
const markVisibleMs = 15_000;
const markPollMs = 500;

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #marks: MarkWriter;
  readonly #delivery: Delivery;
  readonly #lanes: Lanes;
  readonly #writer: WindowWriter;
  readonly #inFlight: OpenWindow[] = [];
  #firstMark: Promise<void> | undefined;
  readonly #ledger: Ledger;
  #markRefusalTold = false;

  constructor(options: PipelineOptions) {
    this.#options = options;
    const { plan, connections, observer, progress, signal, fail, frozenEndMs } = options;
    this.#ledger = new Ledger(progress, options.samplesBefore);
    const { destination: client, retrier, samplesRate, bytesRate, router, view } = connections;
    this.#marks = new MarkWriter({ plan, client, retrier, frozenEndMs });
    const probe = (window: DeliveryWindow, at: AbortSignal) => this.#marks.probe(window.toMs - 1, at);
    const lostAnswers = new LostAnswers(view);
    this.#delivery = new Delivery({
      plan,
      client,
      retrier,
      observer,
      progress,
      samplesRate,
      bytesRate,
      probe,
      lostAnswers,
    });
    this.#lanes = new Lanes(plan.limits.inFlightWrites, this.#delivery, signal, fail);
    this.#writer = new WindowWriter({ router, lanes: this.#lanes, observer, view, signal });
  }

  /**
   * Copies [fromMs, endMs), or as much of it as is begun when `stop` is aborted.
   * @param uncertainUntilMs what lies before it is compared with the destination first
   * @param confirmed waited for before anything is written: whether to begin there is right
   * @returns false when it was not, and nothing was written
   * @throws MigrationError, or the signal's reason
   */
  async run(fromMs: number, endMs: number, uncertainUntilMs: number, confirmed: Promise<boolean>): Promise<boolean> {
    const { plan, connections, observer, progress, stop, signal } = this.#options;
    const { source: client, budget, router, retrier } = connections;
    const reader = new SourceReader({ plan, client, budget, router, retrier, observer, progress, uncertainUntilMs });
    let atMs = fromMs;
    while (atMs < endMs && !stop.aborted) {
      try {
        if (!(await this.#copy(reader, atMs, endMs, confirmed))) return false;
        break;
      } catch (error) {
        if (!(error instanceof UndecodableWindow)) throw error;
        // What came before it is on its way; what was written of it shows when it is compared.
        await this.#finishAll();
        await connections.view.settle(signal);
        atMs = error.window.fromMs;
        reader.readAgainUntil(error.window.toMs);
        const message = `the source's stream can't be decoded, asking for SAMPLES instead: ${error.message}`;
        observer.event({ type: 'warning', code: 'samples-instead-of-stream', message });
      }
    }
    await this.#firstMark;
    this.#delivery.tellLost();
    return true;
  }

  async #copy(reader: SourceReader, fromMs: number, endMs: number, confirmed: Promise<boolean>): Promise<boolean> {
    const { plan, stop, signal, clock } = this.#options;
    const most = plan.destination.ordering === 'Any' ? anyOrderWindows : 1;
    const reading = new AbortController();
    const readSignal = AbortSignal.any([signal, stop, reading.signal]);
    const parts = readAhead(reader.windows(fromMs, endMs, readSignal), partsReadAhead, (part) =>
      part.reservation.release(),
    );
    let open: OpenWindow | undefined;
    try {
      for await (const part of parts) {
        if (open === undefined) {
          if (stop.aborted) {
            part.reservation.release();
            break;
          }
          if (!(await confirmed)) {
            part.reservation.release();
            return false;
          }
          await this.#finishBefore(part.window.toMs);
          open = this.#open(part, clock.monotonicMs());
        }
        await this.#write(part, open);
        if (!part.last) continue;
        open.acknowledged = (await this.#lanes.flush(open)).acknowledged;
        this.#inFlight.push(open);
        open = undefined;
        while (this.#inFlight.length >= most) await this.#finishOldest();
        if (stop.aborted) break;
      }
    } catch (error) {
      // A stop interrupts the read ahead of the last window; that is no failure.
      if (!stop.aborted || signal.aborted || error !== stop.reason) throw error;
    } finally {
      reading.abort();
    }
    await this.#finishAll();
    // A stop came between the parts of a window: what is begun arrives and is counted, but nothing is marked.
    if (open !== undefined) await (await this.#lanes.flush(open)).acknowledged;
    return true;
  }

  /** All that is in flight must lie where a later run would compare: an empty stretch of weeks between two windows counts. */
  async #finishBefore(toMs: number): Promise<void> {
    const { ordering } = this.#options.plan.destination;
    for (let oldest = this.#inFlight[0]; oldest !== undefined; oldest = this.#inFlight[0]) {
      if (toMs - oldest.fromMs <= uncertainMs(ordering)) return;
      await this.#finishOldest();
    }
  }

  #open(part: WindowPart, nowMs: number): OpenWindow {
    return {
      fromMs: part.window.fromMs,
      toMs: part.window.toMs,
      account: new WindowAccount(this.#options.progress),
      shown: undefined,
      tooOld: 'unknown',
      firstRejection: undefined,
      startedAtMs: nowMs,
      series: 0,
      acknowledged: Promise.resolve(),
    };
  }

  async #write(part: WindowPart, window: OpenWindow): Promise<void> {
    try {
      window.series += await this.#writer.write(part, window);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // What is on the lanes belongs to the withdrawn count: let it arrive before the window is read again.
      const { acknowledged } = await this.#lanes.flush(window);
      await acknowledged;
      window.account.withdraw();
      if (part.samplesOnly) throw toMigrationError(error, 'source');
      throw new UndecodableWindow(window, error);
    } finally {
      part.reservation.release();
    }
  }

  async #finishAll(): Promise<void> {
    while (this.#inFlight.length > 0) await this.#finishOldest();
  }

  async #finishOldest(): Promise<void> {
    const window = this.#inFlight[0];
    if (window === undefined) return;
    const { plan, connections, observer, progress, clock, signal } = this.#options;
    await window.acknowledged;
    signal.throwIfAborted();
    this.#inFlight.shift();
    window.account.close();
    if (window.account.rejected > 0 && plan.rejectedSamples === 'Fail') throw samplesRejected(window);
    this.#ledger.add(window.account.counts(window.series));
    if (connections.view.readable) await this.#mark(window.toMs - 1);
    progress.watermarkMs = window.toMs;
    progress.windows++;
    progress.series = Math.max(progress.series, window.series);
    observer.progress(progress);
    observer.event({
      type: 'window-finished',
      fromMs: window.fromMs,
      toMs: window.toMs,
      samplesRead: window.account.read,
      samplesWritten: window.account.written,
      seconds: (clock.monotonicMs() - window.startedAtMs) / 1000,
    });
  }

  async #mark(throughMs: number): Promise<void> {
    const { observer, signal, fail } = this.#options;
    const taken = await this.#marks.write({ throughMs, ...this.#ledger.mark() }, signal);
    if (taken && this.#firstMark === undefined) {
      this.#firstMark = this.#expectMark(throughMs);
      this.#firstMark.catch(fail);
    }
    if (!taken && !this.#markRefusalTold) {
      this.#markRefusalTold = true;
      const message =
        'the destination refuses the progress mark like the samples that are skipped; should this run be interrupted here, the next one begins at an earlier mark';
      observer.event({ type: 'warning', code: 'mark-refused', message });
    }
  }

  /**
   * A 2xx proves nothing: VictoriaMetrics drops what is older than its retention without a word, and a wrong tenant or URL for reading the
   * mark would only show when it is needed. So the first mark must be there to read.
   */
  async #expectMark(throughMs: number): Promise<void> {
    const { connections, clock, signal } = this.#options;
    const { view } = connections;
    const giveUpAtMs = clock.monotonicMs() + markVisibleMs;
    await view.show(signal);
    while (!(await view.showsMark(throughMs, signal))) {
      if (clock.monotonicMs() >= giveUpAtMs) {
        throw new MigrationError(
          'mark-not-found',
          `the destination accepted the progress mark of ${new Date(throughMs).toISOString()} but does not show it`,
          {
            side: 'progress',
            hint: "the destination's retention may be shorter than the age of the data (VictoriaMetrics: -retentionPeriod), or spec.destination.progress.url or its tenant is not the place that spec.destination writes to",
          },
        );
      }
      await clock.sleep(markPollMs, signal);
    }
  }
}
