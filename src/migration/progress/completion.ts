// How far a run has come, with samples as the unit. The watermark moves by whole windows, and one window may be most of the range, so samples
// acknowledged inside windows in flight count too. `Completion` maintains `progress.reachedMs`, the base of every percentage and estimate
// (telemetry/completion.ts).

import type { MigrationProgress } from '../report/observer.ts';

/**
 * Estimates how many samples a window has before all of it is decoded. It uses the parts that were read, and the number of samples in the
 * series that were decoded. What a response announces is only an upper bound, because stores send whole chunks. Data that is not read yet
 * is assumed to be as dense as the window before.
 */
export class WindowVolume {
  /** The samples that the window has if it is as dense as the one before; 0 if unknown. */
  expectedSamples = 0;
  /** Decoded entries of the current part. It is set for each series, so it is a plain field. */
  decodedEntries = 0;
  #entries = 0;
  #sampleBound = 0;
  /** Samples that were read before the current part. */
  #readBefore = 0;
  #remaining = 0;

  /**
   * The decoding of the window's next part is about to start.
   * @param part its number of series, an upper bound of its samples, and the fraction of the window after it
   * @param read samples of the window that were read so far
   */
  begin(
    part: { readonly entries: number; readonly sampleBound: number; readonly remaining: number },
    read: number,
  ): void {
    this.decodedEntries = 0;
    this.#entries = part.entries;
    this.#sampleBound = part.sampleBound;
    this.#remaining = part.remaining;
    this.#readBefore = read;
  }

  /** All of the current part is decoded. */
  end(): void {
    this.decodedEntries = this.#entries;
  }

  /** @param read samples of the window that were read so far, a lower bound */
  estimate(read: number): number {
    const inPart = read - this.#readBefore;
    const scaled = this.decodedEntries > 0 ? (inPart * this.#entries) / this.decodedEntries : this.#sampleBound;
    const partSamples = Math.max(inPart, Math.min(scaled, this.#sampleBound));
    const known = this.#readBefore + partSamples;
    if (this.#remaining > 0 && this.expectedSamples > 0) return Math.max(known, this.expectedSamples);
    return known / (1 - this.#remaining);
  }
}

/** A window in flight: being read, being written, or waiting for its mark. */
export interface WindowInFlight {
  readonly fromMs: number;
  readonly toMs: number;
  /** The fraction of its samples that is acknowledged or otherwise accounted for, from 0 to 1. */
  readonly share: number;
}

/** Only the last mark makes it 100 %. */
const MAX_WITHOUT_LAST_MARK = 0.9995;

/**
 * The watermark plus the acknowledged shares of the windows in flight.
 * @returns milliseconds since 1970, not an integer. Never less than `progress.reachedMs`: a window that is read again has not lost anything
 */
export function reachedMs(
  {
    startMs,
    endMs,
    watermarkMs,
    reachedMs: before,
  }: Pick<MigrationProgress, 'startMs' | 'endMs' | 'watermarkMs' | 'reachedMs'>,
  windows: Iterable<WindowInFlight>,
): number {
  let reached = watermarkMs;
  for (const { fromMs, toMs, share } of windows) reached += (toMs - fromMs) * share;
  const most = startMs + (endMs - startMs) * MAX_WITHOUT_LAST_MARK;
  return Math.max(before, watermarkMs, Math.min(reached, most));
}

/** Maintains `progress.reachedMs` of one run. */
export class Completion {
  readonly #progress: MigrationProgress;
  readonly #windows = new Set<WindowInFlight>();

  constructor(progress: MigrationProgress) {
    this.#progress = progress;
  }

  opened(window: WindowInFlight): void {
    this.#windows.add(window);
  }

  /** The window was marked, or withdrawn because it has to be read again. */
  closed(window: WindowInFlight): void {
    this.#windows.delete(window);
    this.refresh();
  }

  /** Must be called before the progress is reported. */
  refresh(): void {
    this.#progress.reachedMs = reachedMs(this.#progress, this.#windows);
  }
}
