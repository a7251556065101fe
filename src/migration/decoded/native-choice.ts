// Whether a range is read through VictoriaMetrics' native export or through its export as JSON. Pure.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { WireError } from '../../wire/errors.ts';

/** What a response through the native export had. */
export interface NativeExperience {
  /** Samples in the blocks, also those outside the range. */
  readonly samplesDecoded: number;
  readonly samplesInRange: number;
  readonly series: number;
  /** Series with more than one block in the range. */
  readonly seriesInPieces: number;
  /** An estimate of the samples in the longest range that can be requested, if it is longer: then the range will grow to it. */
  readonly samplesInLongest?: number;
}

/**
 * What to do about a failure. What was compared of a response that has begun still counts, so the same range can be read as JSON in the same
 * attempt only if nothing has arrived.
 */
export type NativeFailure = 'read-as-json' | 'read-again' | 'fail';

/**
 * Blocks are exported whole: a window of an hour in a block of a day costs 24 times its samples. Up to about this factor that is still less than
 * what JSON costs, for both sides.
 */
const MAX_SAMPLES_PER_SAMPLE = 16;
/** Then the native export is tried again: the store merges blocks, and windows change. */
const RANGES_AS_JSON = 16;
/** A server whose native export has never worked, and fails this often in a row, may still have one as JSON. */
const MAX_FAILURES_UNTRIED = 3;

export class NativeChoice {
  #state: 'untried' | 'usable' | 'unusable' = 'untried';
  #reason: string | undefined;
  #rangesAsJson = 0;
  #failures = 0;
  #mostAreInPieces = false;
  #hasSentPieces = false;

  get isUntried(): boolean {
    return this.#state === 'untried';
  }

  /** Whether the server has exported blocks. */
  get isUsable(): boolean {
    return this.#state === 'usable';
  }

  /** Whether to read the next range through the native export. */
  choose(): boolean {
    if (this.#state === 'unusable') return false;
    if (this.#rangesAsJson === 0) return true;
    this.#rangesAsJson--;
    return false;
  }

  /** Never uses the native export. */
  rule(reason: string): void {
    this.#state = 'unusable';
    this.#reason = reason;
  }

  /** Why the native export is never used; undefined after the first time, or if it is used. */
  takeReason(): string | undefined {
    const reason = this.#reason;
    this.#reason = undefined;
    return reason;
  }

  /** Whether no series is worth comparing before the end of the response, because its next block is expected to come later. */
  get holdsAll(): boolean {
    return this.#mostAreInPieces || this.#hasSentPieces;
  }

  succeeded({ samplesDecoded, series, seriesInPieces, ...samples }: NativeExperience): void {
    this.#state = 'usable';
    this.#failures = 0;
    const wanted = Math.max(samples.samplesInRange, samples.samplesInLongest ?? 0);
    if (samplesDecoded > MAX_SAMPLES_PER_SAMPLE * wanted) this.#rangesAsJson = RANGES_AS_JSON;
    this.#mostAreInPieces = seriesInPieces > series / 2;
  }

  /**
   * Blocks that were to be held did not fit into memory.
   * @returns whether the range is so small a part of them that JSON costs less, for some ranges
   */
  didNotFit({ samplesDecoded, samplesInRange }: Pick<NativeExperience, 'samplesDecoded' | 'samplesInRange'>): boolean {
    const isSmallPart = samplesDecoded > MAX_SAMPLES_PER_SAMPLE * samplesInRange;
    if (isSmallPart) this.#rangesAsJson = RANGES_AS_JSON;
    return isSmallPart;
  }

  /** A series was counted as equal, and then more of it arrived. */
  noteSeriesInPieces(): void {
    this.#hasSentPieces = true;
  }

  failed(error: unknown): NativeFailure {
    if (error instanceof RemoteError) {
      // A server that has exported before refuses for another reason.
      const isAbsent = error.code === 'export-not-offered' && this.#state === 'untried';
      if (isAbsent || error.code === 'response-too-large') {
        this.rule(error.message);
        return isAbsent ? 'read-as-json' : 'read-again';
      }
      if (this.#state === 'untried' && ++this.#failures % MAX_FAILURES_UNTRIED === 0)
        this.#rangesAsJson = RANGES_AS_JSON;
      return 'fail';
    }
    if (error instanceof WireError && error.code === 'unknown-encoding') this.rule(error.message);
    // JSON needs less memory for a small part of large blocks, and shows whether the server sends damaged blocks or damaged responses.
    else if (error instanceof WireError || error instanceof DoesNotFit) this.#rangesAsJson = RANGES_AS_JSON;
    return 'fail';
  }
}
