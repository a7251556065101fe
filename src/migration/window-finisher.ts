// Finishes windows in parallel with the copying: as soon as a window and all before it are acknowledged, it is accounted for and marked.
// Windows finish in order, and one mark is written at a time. Windows that are acknowledged while it is being written share the next mark.

import type { Clock } from '../telemetry/clock.ts';
import type { MigrationObserver, MigrationProgress } from './report/observer.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import type { Completion } from './progress/completion.ts';
import type { Ledger } from './write/accounting.ts';
import type { CopiedWindow } from './write/copied-window.ts';
import { samplesRejected } from './write/rejections.ts';

export interface WindowFinisherOptions {
  readonly plan: MigrationPlan;
  readonly observer: MigrationObserver;
  readonly progress: MigrationProgress;
  readonly clock: Clock;
  readonly completion: Completion;
  readonly ledger: Ledger;
  /** Marks everything up to and including `throughMs`, with the sums of the ledger. */
  readonly mark: (throughMs: number) => Promise<void>;
  /** Aborted when the run ends. */
  readonly signal: AbortSignal;
  /** Ends the run. */
  readonly fail: (error: unknown) => void;
}

interface Finishing {
  readonly window: CopiedWindow;
  readonly acknowledged: Promise<void>;
  isAcknowledged: boolean;
}

export class WindowFinisher {
  readonly #options: WindowFinisherOptions;
  /** Sent and not yet finished, the oldest first. */
  readonly #queue: Finishing[] = [];
  /** Settles when the queue is empty; rejects when a window can't be finished, and then no later one is. */
  #working: Promise<void> = Promise.resolve();
  /** Settles with the next mark. */
  #step: Promise<void> = Promise.resolve();
  #isWorking = false;

  constructor(options: WindowFinisherOptions) {
    this.#options = options;
  }

  /** The number of windows that are sent and not yet finished. */
  get inFlight(): number {
    return this.#queue.length;
  }

  /** The start of the oldest window in flight. */
  get oldestFromMs(): number | undefined {
    return this.#queue[0]?.window.fromMs;
  }

  /** Takes over a window; returns immediately. @param acknowledged settles when all of the window is acknowledged */
  add(window: CopiedWindow, acknowledged: Promise<void>): void {
    const finishing: Finishing = { window, acknowledged, isAcknowledged: false };
    acknowledged.then(
      () => {
        finishing.isAcknowledged = true;
      },
      () => undefined,
    );
    this.#queue.push(finishing);
    if (this.#isWorking) return;
    this.#isWorking = true;
    this.#working = this.#work();
    // The run ends by `fail`. Callers that wait for a window get the failure too.
    this.#working.catch(this.#options.fail);
  }

  /** Resolves after the next mark, whatever windows it covers; rejects if there will be none. Call it only while windows are in flight. */
  nextMark(): Promise<void> {
    return this.#step;
  }

  /** Resolves when all windows are finished; rejects when one of them can't be. */
  all(): Promise<void> {
    return this.#working;
  }

  async #work(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        this.#step = this.#finishAcknowledged();
        await this.#step;
      }
    } finally {
      this.#isWorking = false;
    }
  }

  async #finishAcknowledged(): Promise<void> {
    const { signal, mark, ledger } = this.#options;
    await this.#queue[0]?.acknowledged;
    signal.throwIfAborted();
    const windows = this.#acceptable();
    const last = windows.at(-1);
    if (last === undefined) return;
    for (const { account, series } of windows) ledger.add(account.counts(series));
    await mark(last.toMs - 1);
    this.#queue.splice(0, windows.length);
    for (const window of windows) this.#finished(window);
  }

  /**
   * The windows that the next mark can cover.
   * @throws MigrationError when the oldest window can't be marked. A later window fails when it is the oldest: those before it are marked first.
   */
  #acceptable(): CopiedWindow[] {
    const { plan } = this.#options;
    const windows: CopiedWindow[] = [];
    for (const { window, isAcknowledged } of this.#queue) {
      if (!isAcknowledged) break;
      const refuses = window.account.rejected > 0 && plan.rejectedSamples === 'Fail';
      if (windows.length > 0 && (refuses || !window.account.isBalanced)) break;
      window.account.close();
      if (refuses) throw samplesRejected(window, 'all of the window');
      windows.push(window);
    }
    return windows;
  }

  #finished(window: CopiedWindow): void {
    const { progress, observer, clock, completion } = this.#options;
    progress.watermarkMs = window.toMs;
    progress.windows++;
    progress.windowSeries = window.series;
    progress.series = Math.max(progress.series, window.series);
    completion.closed(window);
    observer.progress(progress);
    observer.event({
      type: 'window-finished',
      fromMs: window.fromMs,
      toMs: window.toMs,
      samplesRead: window.account.read,
      samplesWritten: window.account.written,
      seconds: (clock.monotonicMs() - window.requestedAtMs) / 1000,
    });
  }
}
