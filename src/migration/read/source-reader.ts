// Reads the source window by window and adapts the window's length: an async generator of complete answers, consumed by migrate.ts.
// A window that is too big for the source, the target or the memory budget is halved and asked again, at one second split by
// metric name; it is never an error that a window was too big.

import type { Clock } from '../../telemetry/clock.ts';
import type { ReadClient } from '../../remote/read-client.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { WireError } from '../../wire/errors.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { MigrationError, toMigrationError } from '../migration-error.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { allNames, type NamePartition, partitionMatchers, splitNames } from './name-partition.ts';
import type { MigrationObserver, MigrationProgress } from '../observer.ts';
import { progressMetric } from '../progress/progress-mark.ts';
import { type Answer, DoesNotFit, Reservation, readAnswer } from './read-answer.ts';
import { type ReadFailure, reactToReadFailure } from './read-failure.ts';
import type { Retrier } from '../limits/retrier.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import { type Outline, outlineOf, type WindowPart } from './window-part.ts';
import {
  firstWindow,
  halve,
  mustReread,
  nextWindow,
  type WindowLimits,
  type WindowState,
  windowEndMs,
} from './window-size.ts';

export interface SourceReaderOptions {
  readonly plan: MigrationPlan;
  readonly client: ReadClient;
  readonly budget: MemoryBudget;
  readonly router: SeriesRouter;
  readonly retrier: Retrier;
  readonly observer: MigrationObserver;
  readonly progress: MigrationProgress;
  readonly clock: Clock;
  /** What lies before it is to be compared with the destination, which takes memory. */
  readonly uncertainUntilMs: number;
}

/** A source whose every answer is "too large", however little it is asked for, is broken: from 24 h to 1 s there are 17 halvings, and names part fast. */
const mostSplitsInARow = 250;
/** So many splits in a row for 5xx, timeouts and cut answers alone are no matter of size but an outage, which is waited out. */
const mostSplitsInOutage = 40;
/** While windows are split the waits go on from one to the next, but stay below 4 s: from a day to a second they are many. */
const longestSplitAttempt = 4;

/** A piece of a window: all names, or those of a partition, of [fromMs, toMs). */
interface Slice {
  readonly fromMs: number;
  readonly toMs: number;
  readonly names: NamePartition;
}

type SlicePart = Omit<WindowPart, 'last' | 'window' | 'remaining' | 'requestedAtMs'>;
type SliceRead =
  | { readonly part: SlicePart }
  | { readonly split: string; readonly seenNames: readonly string[]; readonly labelsDominate: boolean };

export class SourceReader {
  readonly #options: SourceReaderOptions;
  readonly #limits: WindowLimits;
  #samplesOnly: boolean;
  #samplesOnlyUntilMs = Number.NEGATIVE_INFINITY;
  #uncertainUntilMs: number;
  #splitForAmbiguity = false;
  #splitsInARow = 0;
  #pausesInARow = 0;

  constructor(options: SourceReaderOptions) {
    this.#options = options;
    this.#uncertainUntilMs = options.uncertainUntilMs;
    const { window, source } = options.plan;
    this.#samplesOnly = source.readMode === 'Samples';
    this.#limits = {
      minMs: window.minMs,
      maxMs: window.maxMs,
      targetSamples: window.targetSamples,
      // The answer being read and the one being written share the budget.
      targetBytes: Math.floor(options.budget.total * 0.45),
    };
  }

  /** What was streamed before this time could not be decoded, after some of it was written: SAMPLES are asked for, and are compared. */
  readAgainUntil(untilMs: number): void {
    this.#samplesOnlyUntilMs = untilMs;
    this.#uncertainUntilMs = Math.max(this.#uncertainUntilMs, untilMs);
  }

  /**
   * The windows of [fromMs, toMs) in order. Ends early, without an error, when `signal` is aborted.
   * @throws MigrationError when the source refuses, or gives wrong bytes again and again
   */
  async *windows(fromMs: number, toMs: number, signal: AbortSignal): AsyncGenerator<WindowPart> {
    const budgetBytes = this.#options.budget.total;
    let state = firstWindow(this.#limits);
    let partitions: NamePartition[] = [allNames];
    let atMs = fromMs;
    while (atMs < toMs) {
      const window = { fromMs: atMs, toMs: windowEndMs(atMs, state, toMs) };
      const requestedAtMs = this.#options.clock.monotonicMs();
      const askedMs = window.toMs - window.fromMs;
      this.#options.progress.windowMs = state.lengthMs;
      let slices: Slice[] = partitions.map((names) => ({ ...window, names }));
      const used: NamePartition[] = [];
      let samples = 0;
      let bytes = 0;
      let fixedBytes = 0;
      let labelBytes = 0;
      let shorter: WindowState | undefined;
      while (slices.length > 0) {
        const [slice, ...others] = slices as [Slice, ...Slice[]];
        // A shorter window is asked for only while nothing of this one has been handed on.
        const canShorten =
          used.length === 0 && partitions.length === 1 ? halve(state, this.#limits, askedMs) : undefined;
        const read = await this.#read(slice, canShorten !== undefined, signal);
        if ('split' in read) {
          if (canShorten !== undefined && !read.labelsDominate) {
            this.#tellSplit(window, read.split, 'time');
            shorter = canShorten;
            break;
          }
          this.#tellSplit(slice, read.split, splitNames(slice.names) === undefined ? 'time' : 'name');
          slices = [...splitSlice(slice, read.split, read.seenNames), ...others];
          continue;
        }
        // What has to fit is one part, not all of them together.
        samples = Math.max(samples, read.part.outline.sampleBound);
        bytes = Math.max(bytes, read.part.reservation.bytes);
        fixedBytes = Math.max(fixedBytes, read.part.outline.labelBytes);
        labelBytes += read.part.outline.labelBytes;
        const outcome = { samples, bytes, fixedBytes, budgetBytes };
        if (used.length === 0 && mustReread(state, outcome, this.#limits, askedMs)) {
          read.part.reservation.release();
          shorter = nextWindow(state, outcome, this.#limits, askedMs);
          break;
        }
        used.push(slice.names);
        slices = others;
        const remaining = slices.length / (used.length + slices.length);
        yield { ...read.part, window, last: slices.length === 0, remaining, requestedAtMs };
      }
      if (shorter !== undefined) {
        state = shorter;
        continue;
      }
      const grown = nextWindow(state, { samples, bytes, fixedBytes, budgetBytes }, this.#limits, askedMs);
      // What had to be asked apart will have to be again, unless windows become longer or the labels of all names would fit well.
      const together = grown.lengthMs > state.lengthMs && labelBytes < this.#limits.targetBytes / 2;
      partitions = together ? [allNames] : [...new Set(used)];
      state = grown;
      atMs = window.toMs;
    }
  }

  /** One slice, with every retry that can help it. */
  async #read(slice: Slice, canSplitByTime: boolean, signal: AbortSignal): Promise<SliceRead> {
    const { retrier, plan } = this.#options;
    let samplesOnly = this.#samplesOnly || slice.fromMs < this.#samplesOnlyUntilMs;
    const failures = { transientAnswers: 0, ambiguous: 0, corrupt: 0 };
    for (let attempt = 1; ; attempt++) {
      const reservation = new Reservation(this.#options.budget);
      try {
        const part = await this.#ask(slice, { samplesOnly, attempt, reservation, signal });
        this.#splitForAmbiguity = false;
        this.#splitsInARow = 0;
        this.#pausesInARow = 0;
        return { part };
      } catch (error) {
        reservation.release();
        signal.throwIfAborted();
        const tolerated = error instanceof RemoteError && retrier.toleratesRefusal(error);
        // It says nothing about the window: no reason to split it.
        const failure: ReadFailure = tolerated ? { kind: 'transient', answered: false } : toReadFailure(error);
        if (failure.kind === 'transient' && failure.answered) failures.transientAnswers++;
        if (failure.kind === 'ambiguous') failures.ambiguous++;
        if (failure.kind === 'corrupt') failures.corrupt++;
        const outage = failure.kind === 'transient' && this.#splitsInARow >= mostSplitsInOutage;
        const reaction = reactToReadFailure(failure, {
          ...failures,
          samplesOnly,
          canSplitByTime: canSplitByTime && !outage,
          canSplitByName: !outage && (splitNames(slice.names) !== undefined || slice.toMs - slice.fromMs > 1),
          splitForAmbiguity: this.#splitForAmbiguity,
        });
        if (reaction === 'fail') {
          throw error instanceof DoesNotFit ? stillTooLarge(error.message) : toMigrationError(error, 'source');
        }
        if (reaction === 'pause-and-retry' || reaction === 'pause-and-split') {
          const waited = Math.max(attempt, Math.min(++this.#pausesInARow, longestSplitAttempt));
          await retrier.pause(asRemoteError(error), plan.source, waited, signal);
        }
        if (reaction === 'samples-only') {
          samplesOnly = true;
          // What the source says of itself holds for all windows, what was wrong with an answer for this one.
          if (error instanceof RemoteError) this.#samplesOnly = true;
          failures.corrupt = 0;
          this.#tellSamplesOnly(error);
        }
        if (reaction === 'split' || reaction === 'pause-and-split') {
          if (failure.kind === 'ambiguous') this.#splitForAmbiguity = true;
          if (++this.#splitsInARow > mostSplitsInARow) throw stillTooLarge(messageOf(error));
          const { seenNames, labelsDominate } =
            error instanceof DoesNotFit ? error : { seenNames: [], labelsDominate: false };
          return { split: messageOf(error), seenNames, labelsDominate };
        }
      }
    }
  }

  async #ask(
    slice: Slice,
    options: { samplesOnly: boolean; attempt: number; reservation: Reservation; signal: AbortSignal },
  ): Promise<SlicePart> {
    const { plan, client, progress, observer, retrier } = this.#options;
    const { samplesOnly, attempt, reservation, signal } = options;
    progress.waitingFor = 'source';
    const answers: Answer[] = [];
    for (const selector of plan.selectors) {
      const query = {
        matchers: [
          ...selector,
          ...partitionMatchers(slice.names),
          { kind: '!=', name: '__name__', value: progressMetric } as const,
        ],
        fromMs: slice.fromMs,
        toMs: slice.toMs,
        samplesOnly,
      };
      answers.push(
        await readAnswer(client, query, { attempt, signal, reservation, maxFrameBytes: plan.source.maxFrameBytes }),
      );
      retrier.answered('source');
    }
    const uncertain = slice.fromMs < this.#uncertainUntilMs;
    const receivedBytes = answers.reduce((sum, answer) => sum + answer.receivedBytes, 0);
    const outline = await this.#outline(answers, uncertain, reservation, signal);
    progress.bytesRead += receivedBytes;
    observer.progress(progress);
    return {
      fromMs: slice.fromMs,
      toMs: slice.toMs,
      cursors: answers.map((answer) => answer.cursor),
      outline,
      receivedBytes,
      reservation,
      samplesOnly,
    };
  }

  async #outline(
    answers: readonly Answer[],
    uncertain: boolean,
    reservation: Reservation,
    signal: AbortSignal,
  ): Promise<Outline> {
    const { router, budget } = this.#options;
    try {
      const outline = outlineOf(answers, router, uncertain, budget.total - reservation.bytes);
      await reservation.grow(outline.decodingBytes, signal);
      return outline;
    } catch (error) {
      const [first] = answers;
      if (error instanceof DoesNotFit && first !== undefined) {
        first.cursor.rewind();
        error.describe(first.cursor, first.receivedBytes);
      }
      throw error;
    }
  }

  #tellSplit(slice: { fromMs: number; toMs: number }, reason: string, by: 'time' | 'name'): void {
    this.#options.observer.event({ type: 'window-split', fromMs: slice.fromMs, toMs: slice.toMs, reason, by });
  }

  #tellSamplesOnly(error: unknown): void {
    const message = `the source's stream can't be used for this window, asking for SAMPLES instead: ${messageOf(error)}`;
    this.#options.observer.event({ type: 'warning', code: 'samples-instead-of-stream', message });
  }
}

/** By name while there is more than one, then by time below the floor. */
function splitSlice(slice: Slice, reason: string, seenNames: readonly string[]): Slice[] {
  const byName = splitNames(slice.names, seenNames);
  if (byName !== undefined) return byName.map((names) => ({ ...slice, names }));
  const lengthMs = slice.toMs - slice.fromMs;
  if (lengthMs <= 1) throw stillTooLarge(reason);
  const middleMs = slice.fromMs + Math.floor(lengthMs / 2);
  return [
    { ...slice, toMs: middleMs },
    { ...slice, fromMs: middleMs },
  ];
}

function stillTooLarge(reason: string): MigrationError {
  return new MigrationError(
    'window-too-large',
    `the smallest window that can be asked for is still too much: ${reason}`,
    {
      side: 'source',
      hint: "raise spec.limits.memory, or the source's limit",
    },
  );
}

function toReadFailure(error: unknown): ReadFailure {
  if (error instanceof DoesNotFit) return { kind: 'too-large' };
  if (error instanceof WireError) {
    switch (error.code) {
      case 'too-large':
      case 'unknown-encoding':
        return { kind: error.code === 'too-large' ? 'corrupt' : 'unknown-encoding' };
      case 'server-error-text':
        return { kind: 'ambiguous' };
      case 'truncated':
      case 'corrupt':
      case 'invalid-labels':
        return { kind: 'corrupt' };
    }
  }
  if (error instanceof RemoteError) {
    switch (error.class) {
      case 'transient':
        return {
          kind: 'transient',
          answered: error.status !== undefined || /cut-off|silence|first-byte/.test(error.code),
        };
      case 'too-large':
        return { kind: 'too-large' };
      case 'ambiguous':
      case 'rejected':
        return { kind: 'ambiguous' };
      case 'unsupported':
        return { kind: 'unknown-encoding' };
      case 'refused':
      case 'aborted':
        return { kind: 'refused' };
    }
  }
  throw error;
}

/** What is wrong with bytes has no RemoteError of its own, but the wait before the next attempt wants one. */
function asRemoteError(error: unknown): RemoteError {
  if (error instanceof RemoteError) return error;
  return new RemoteError({
    class: 'transient',
    code: 'bad-answer',
    side: 'source',
    status: 200,
    what: messageOf(error),
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
