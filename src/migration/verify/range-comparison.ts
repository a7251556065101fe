// Compares the windows of a range one after the other, and reads a window again whose response turns out to be undecodable.

import { WireError } from '../../wire/errors.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import { readAhead } from '../read/read-ahead.ts';
import type { SourceReader } from '../read/source-reader.ts';
import { UncertainWindow } from '../read/uncertain-window.ts';
import { releasePart } from '../read/window-part.ts';
import type { DestinationPart } from './destination-reader.ts';
import type { SeriesVisitor } from './part-comparison.ts';
import type { DifferingRange } from './rechecks.ts';
import type { Sides } from './sides.ts';
import { UndecodableWindows } from './undecodable-windows.ts';
import {
  type ComparedPart,
  damagedOnce,
  undecodableDestination,
  UndecodableWindow,
  type WindowComparison,
} from './window-comparison.ts';
import { WindowOutcome } from './window-outcome.ts';

export interface RangeComparisonOptions {
  readonly windows: WindowComparison;
  readonly sides: Sides;
  /** Start no new window. */
  readonly stop: AbortSignal;
  readonly signal: AbortSignal;
}

/** What happens with the series of a range. */
export interface Look {
  /** Judges each series. */
  readonly visitorOf: (outcome: WindowOutcome) => SeriesVisitor;
  /** Which series, by the hash of their labels; undefined: all. */
  readonly only: ((hash: number) => boolean) | undefined;
}

export interface ComparedWindow {
  readonly window: ComparedPart['window'];
  readonly outcome: WindowOutcome;
  /** Series that could not be compared, because no part of the window has them completely. */
  readonly left: readonly DifferingRange[];
}

export type Reader = SourceReader<DestinationPart>;

const PARTS_READ_AHEAD = 2;

export class RangeComparison {
  readonly #options: RangeComparisonOptions;
  readonly #undecodable = new UndecodableWindows();

  constructor(options: RangeComparisonOptions) {
    this.#options = options;
  }

  /**
   * Compares the windows of a range one after the other.
   * @param finish gets each window when all of it has been compared; returns whether to continue
   * @throws UndecodableWindow, UncertainWindow
   */
  async compare(
    reader: Reader,
    { fromMs, toMs }: { fromMs: number; toMs: number },
    { visitorOf, only }: Look,
    finish: (compared: ComparedWindow) => Promise<boolean>,
  ): Promise<void> {
    const { stop, signal, windows } = this.#options;
    const reading = new AbortController();
    const readSignal = AbortSignal.any([signal, stop, reading.signal]);
    const parts = readAhead(reader.windows(fromMs, toMs, readSignal), PARTS_READ_AHEAD, releasePart);
    let outcome = new WindowOutcome();
    try {
      for await (const part of parts) {
        try {
          const current = outcome;
          current.begin(part);
          const leave = (labels: LabelBytes, hash: number) => current.leave(part.window, labels, hash);
          await windows.compare(part, { visit: visitorOf(outcome), leave, ...(only !== undefined && { only }) });
          const onArrival = part.companion?.arriving?.counts;
          if (onArrival !== undefined) outcome.settleAll(onArrival);
        } finally {
          releasePart(part);
        }
        if (!part.last) continue;
        this.#undecodable.passed(part.window);
        const left = windows.rangesLeft(outcome, part.window);
        if (!(await finish({ outcome, left, window: part.window }))) break;
        outcome = new WindowOutcome();
      }
    } catch (error) {
      // A stop interrupts the read-ahead of the next window. That is not a failure.
      if (!stop.aborted || signal.aborted || error !== stop.reason) throw error;
    } finally {
      reading.abort();
    }
  }

  /** @returns where to read again. @throws `error` unless a response could not be decoded or broke off; MigrationError when that is permanent */
  async resumeAfter(error: unknown, reader: Reader): Promise<number> {
    if (error instanceof UncertainWindow) {
      await reader.recover(error, this.#options.signal);
      return error.window.fromMs;
    }
    if (!(error instanceof UndecodableWindow)) throw error;
    const { window, cause } = error;
    const { signal, sides } = this.#options;
    if (cause instanceof WireError) {
      await reader.readAgain(window, cause, signal);
      return window.fromMs;
    }
    const { destination, destinationEndpoint, retrier } = sides;
    const { times, reaction } = this.#undecodable.failed(window, destination.readsPlain(window));
    if (reaction === 'fail') throw undecodableDestination(cause);
    if (reaction === 'samples-only') destination.readAsSamples(window);
    else await retrier.pause(damagedOnce(cause), destinationEndpoint, times, signal);
    return window.fromMs;
  }
}
