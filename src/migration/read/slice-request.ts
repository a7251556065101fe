// One attempt at a slice: sends its requests, and takes the responses as they arrive. The response is handed over as a whole, or, where that
// is allowed, in parts that end between two series.

import { DoesNotFit, noteArrived, seenNames } from '../../remote/does-not-fit.ts';
import type { ReadQuery } from '../../remote/read-series.ts';
import type { ResponsePart } from '../../remote/series-stream.ts';
import { ChunkedCursor } from '../../wire/responses/read-response.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import type { Retrier } from '../limits/retrier.ts';
import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import { PROGRESS_METRIC } from '../progress/progress-mark.ts';
import type { MigrationObserver, MigrationProgress } from '../report/observer.ts';
import { partitionMatchers } from '../series/name-partition.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import { readWhole, type SeriesSource, type SourceStream } from '../source/series-source.ts';
import { EarlierSeries } from './earlier-series.ts';
import type { SliceOutcome } from './open-window.ts';
import { type Outline, outlineOf } from './outline.ts';
import type { RangeEnd } from './range-end.ts';
import type { Slice } from './slice.ts';
import type { Asked } from './slice-ahead.ts';
import type { WindowPart } from './window-part.ts';

export interface SliceRequestOptions {
  readonly plan: MigrationPlan;
  readonly client: SeriesSource;
  readonly budget: MemoryBudget;
  readonly router: Pick<SeriesRouter, 'route'>;
  readonly retrier: Retrier;
  readonly observer: MigrationObserver;
  readonly progress: MigrationProgress;
  /** Selects fewer series than the plan. */
  readonly only?: Matcher;
}

/** How the response is requested and taken. */
export interface RequestTerms {
  readonly rangeEnd: RangeEnd;
  /** The end of the range that is read. */
  readonly endMs: number;
  /** A stream that is larger is handed over in parts. Infinity: as a whole. */
  readonly partBytes: number;
}

/** The response for a slice, or a part of it. */
export interface SlicePart extends Omit<WindowPart, 'last' | 'remaining' | 'requestedAtMs' | 'companion'> {
  /** The response ends with this part. */
  readonly isLast: boolean;
  /** As of ResponsePart. */
  readonly rangeBytes: number | undefined;
}

export class SliceRequest implements Asked {
  readonly slice: Slice;
  readonly signal: AbortSignal;
  /** The first part of the response: all of it unless `isLast` is false. */
  readonly first: Promise<SlicePart>;
  /** How much of the response, or of the part of it that is read, had arrived when it failed: all of it, and of which kind, or less. */
  received: 'part' | 'stream' | 'plain' = 'part';
  readonly #options: SliceRequestOptions;
  readonly #terms: RequestTerms;
  readonly #dropped = new AbortController();
  #reading: Promise<SlicePart>;
  /** Of the part that is read, or was read and is not taken over yet. */
  #reservation: Reservation | undefined;
  /** Holds what has arrived of the next part. */
  #following: Reservation | undefined;
  #stream: SourceStream | undefined;
  #earlier: EarlierSeries | undefined;

  /** Sends the request. */
  constructor(slice: Slice, options: SliceRequestOptions, terms: RequestTerms, signal: AbortSignal) {
    this.slice = slice;
    this.signal = AbortSignal.any([signal, this.#dropped.signal]);
    this.#options = options;
    this.#terms = terms;
    const reservation = new Reservation(options.budget, options.client.buffers);
    this.#reservation = reservation;
    this.first = this.#readFirst(reservation);
    this.#reading = this.first;
    this.first.catch(() => undefined);
  }

  /** The part that was read belongs to the caller, who releases it. */
  taken(): void {
    this.#reservation = undefined;
  }

  /**
   * Reads the part after one that was not the last.
   * @throws what `first` rejects with; SeriesInTwoParts. Then nothing more can be read
   */
  async next(): Promise<SlicePart> {
    const reservation = this.#following;
    if (reservation === undefined || this.#stream === undefined) throw new Error('the response has ended');
    this.#reservation = reservation;
    this.#following = undefined;
    this.received = 'part';
    this.#reading = this.#readPart(this.#stream, reservation);
    return await this.#reading;
  }

  /** Ends the request, and releases what was not taken over. */
  async drop(reason: unknown): Promise<void> {
    this.#dropped.abort(reason);
    await this.#reading.catch(() => undefined);
    await this.#stream?.close();
    this.#earlier?.free();
    this.#reservation?.release();
    this.#following?.release();
  }

  async #readFirst(reservation: Reservation): Promise<SlicePart> {
    const { plan, client, progress, retrier } = this.#options;
    const { fromMs, toMs, samplesOnly, attempt } = this.slice;
    const { rangeEnd, endMs, partBytes } = this.#terms;
    progress.waitingFor = 'source';
    if (toMs < endMs) await this.#probeRangeEnd();
    const options = { attempt, signal: this.signal };
    const parts: ResponsePart[] = [];
    for (const selector of plan.selectors) {
      const query = { matchers: this.#matchers(selector), fromMs, toMs, lastMs: rangeEnd.lastMs(toMs), samplesOnly };
      if (plan.selectors.length === 1 && Number.isFinite(partBytes)) {
        this.#stream = await client.open(query, options);
        return await this.#readPart(this.#stream, reservation);
      }
      parts.push(await readWhole(client, query, { ...options, memory: reservation }));
    }
    // Only now: a selector that fails in each attempt must not seem to recover because the one before it does not fail.
    retrier.responded('source');
    return await this.#partOf(parts, reservation);
  }

  async #readPart(stream: SourceStream, reservation: Reservation): Promise<SlicePart> {
    const { partBytes } = this.#terms;
    const part = await stream.next(reservation, { partBytes, signal: this.signal });
    this.#options.retrier.responded('source');
    if (!part.isLast) this.#earlier ??= new EarlierSeries();
    const whole = await this.#partOf([part], reservation);
    const earlierBytes = this.#earlier?.bytes ?? 0;
    if (!part.isLast) {
      this.#following = reservation.split(part.carried, earlierBytes);
    } else if (earlierBytes > 0) {
      this.#earlier?.free();
      reservation.shrink(earlierBytes);
    }
    return whole;
  }

  async #partOf(parts: readonly ResponsePart[], reservation: Reservation): Promise<SlicePart> {
    const { progress, observer, client } = this.#options;
    const { window, fromMs, toMs, samplesOnly, insteadOfStream } = this.slice;
    const cursors = parts.map(({ cursor }) => cursor);
    for (const cursor of cursors) this.#terms.rangeEnd.note(cursor);
    this.received = isStream(cursors) ? 'stream' : 'plain';
    const outline = await this.#outline(parts, reservation);
    const receivedBytes = parts.reduce((sum, part) => sum + part.receivedBytes, 0);
    progress.bytesRead += receivedBytes;
    observer.progress(progress);
    const { isLast, nextLabels } = parts.at(-1) ?? { isLast: true };
    const rangeBytes = parts.every((part) => part.rangeBytes !== undefined)
      ? parts.reduce((sum, part) => sum + (part.rangeBytes ?? 0), 0)
      : undefined;
    return {
      window: { fromMs: window.fromMs, toMs: window.toMs },
      ...{
        fromMs,
        toMs,
        cursors,
        outline,
        receivedBytes,
        reservation,
        samplesOnly,
        isQueried: client.isQueried === true,
        insteadOfStream,
        isLast,
        nextLabels,
        rangeBytes,
      },
    };
  }

  async #outline(parts: readonly ResponsePart[], reservation: Reservation): Promise<Outline> {
    const { router } = this.#options;
    const { uncertain } = this.slice;
    try {
      return await outlineOf(
        parts.map(({ cursor }) => cursor),
        {
          ...{ router, uncertain, reservation, signal: this.signal },
          ...(this.#earlier !== undefined && { earlier: this.#earlier }),
        },
      );
    } catch (error) {
      const [first] = parts;
      if (error instanceof DoesNotFit && first !== undefined) {
        first.cursor.rewind();
        noteArrived(error, first.cursor, first.receivedBytes);
      }
      throw error;
    }
  }

  #matchers(selector: readonly Matcher[]): Matcher[] {
    const { only } = this.#options;
    return [
      ...selector,
      ...partitionMatchers(this.slice.names),
      ...(only === undefined ? [] : [only]),
      { kind: '!=', name: '__name__', value: PROGRESS_METRIC },
    ];
  }

  /** Sends one small request per run and never retries it. If it fails, windows are requested with the extra millisecond. */
  async #probeRangeEnd(): Promise<void> {
    const { client, budget } = this.#options;
    const { rangeEnd } = this.#terms;
    const { toMs, samplesOnly } = this.slice;
    const probe = rangeEnd.probeBefore(toMs);
    if (probe === undefined) return;
    const { matchers, timeMs } = probe;
    const query: ReadQuery = { matchers, fromMs: timeMs, toMs: timeMs + 1, lastMs: timeMs, samplesOnly };
    const reservation = new Reservation(budget, client.buffers);
    const { signal } = this;
    const options = { attempt: 1, signal, memory: reservation };
    try {
      rangeEnd.probed(probe, (await readWhole(client, query, options)).cursor);
    } catch {
      signal.throwIfAborted();
      rangeEnd.probed(probe, undefined);
    } finally {
      reservation.release();
    }
  }
}

/** What the comparison keeps of each sample: its timestamp. */
const COMPARED_SAMPLE_BYTES = 8;
/** Of a SAMPLES response. */
const PLAIN_SAMPLE_BYTES = 16;

export function outcomeOf({ outline, reservation, cursors, receivedBytes, rangeBytes }: SlicePart): SliceOutcome {
  const { entries, sampleBound, labelBytes, names } = outline;
  const { bytes } = reservation;
  const streamed = isStream(cursors);
  const compared = names === undefined ? 0 : COMPARED_SAMPLE_BYTES * sampleBound;
  const chunkBytes =
    rangeBytes ?? (streamed ? Math.max(0, receivedBytes - labelBytes) : PLAIN_SAMPLE_BYTES * sampleBound);
  return {
    series: entries,
    samples: sampleBound,
    bytes,
    fixedBytes: Math.min(bytes, Math.max(labelBytes, bytes - chunkBytes - compared)),
    streamed,
    seenNames: () => cursors.flatMap(seenNamesOf),
  };
}

function seenNamesOf(cursor: SlicePart['cursors'][number]): string[] {
  cursor.rewind();
  const names = seenNames(cursor).names;
  cursor.rewind();
  return names;
}

function isStream(cursors: SlicePart['cursors']): boolean {
  return cursors.some((cursor) => cursor instanceof ChunkedCursor);
}
