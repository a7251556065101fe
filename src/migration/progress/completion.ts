// How far a run has come, to the sample: the watermark moves by whole windows, and a window may be most of the range, so what is
// acknowledged inside the windows in flight counts too. `Completion` keeps `progress.reachedMs`, from which every percentage and every
// estimate is made (telemetry/completion.ts).

import type { MigrationProgress } from '../report/observer.ts';

/**
 * Estimates how many samples a window has before all of it is decoded: from the parts that were read, and from how many samples the series
 * have that were decoded. What a response announces is only an upper bound, because stores send whole chunks. What is not read yet is
 * expected to be as dense as the window before.
 */
export class WindowVolume {
  /** Samples that the window would have if it were as dense as the one before; 0 when that is not known. */
  expectedSamples = 0;
  /** Entries of the present part that are decoded; set for each series, so it is a plain field. */
  decodedEntries = 0;
  #entries = 0;
  #sampleBound = 0;
  /** Samples that were read before the present part. */
  #readBefore = 0;
  #remaining = 0;

  /**
   * The next part of the window is about to be decoded.
   * @param part how many series and, at most, samples it has, and what part of the window comes after it
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

  /** All of the present part is decoded. */
  end(): void {
    this.decodedEntries = this.#entries;
  }

  /** @param read samples of the window that were read so far: the least that it can have */
  estimate(read: number): number {
    const inPart = read - this.#readBefore;
    const scaled = this.decodedEntries > 0 ? (inPart * this.#entries) / this.decodedEntries : this.#sampleBound;
    const partSamples = Math.max(inPart, Math.min(scaled, this.#sampleBound));
    const known = this.#readBefore + partSamples;
    if (this.#remaining > 0 && this.expectedSamples > 0) return Math.max(known, this.expectedSamples);
    return known / (1 - this.#remaining);
  }
}

/** A window in flight: read, written or waiting for its mark. */
export interface WindowInFlight {
  readonly fromMs: number;
  readonly toMs: number;
  /** The part of its samples that is acknowledged or accounted for in another way, from 0 to 1. */
  readonly share: number;
}

/** 100 % is reached with the last mark, not before. */
const MAX_WITHOUT_LAST_MARK = 0.9995;

/**
 * The watermark, and the acknowledged shares of the windows in flight.
 * @returns milliseconds since 1970, not whole; never less than `progress.reachedMs`, because a window that is read again has not lost anything
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

/** Keeps `progress.reachedMs` of one run. */
export class Completion {
  readonly #progress: MigrationProgress;
  readonly #windows = new Set<WindowInFlight>();

  constructor(progress: MigrationProgress) {
    this.#progress = progress;
  }

  opened(window: WindowInFlight): void {
    this.#windows.add(window);
  }

  /** It was marked, or withdrawn because it has to be read again. */
  closed(window: WindowInFlight): void {
    this.#windows.delete(window);
    this.refresh();
  }

  /** To be called before the progress is reported. */
  refresh(): void {
    this.#progress.reachedMs = reachedMs(this.#progress, this.#windows);
  }
}
