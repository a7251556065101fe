// Decides which piece of the range is read next, and reacts to the outcome: a state machine without input or output. It crosses the range
// window by window. A window that is too large is halved. Where shorter windows do not help, its metric names are read separately. The size of
// a window is never an error.

import { Halvings } from './halvings.ts';
import { splitNames } from '../series/name-partition.ts';
import type { NextWindow } from './long-windows.ts';
import { joinPortions, type Portion, portionOf, WHOLE_WINDOW } from './name-portions.ts';
import { type Learned, OpenWindow, type SliceOutcome, type TimeRange } from './open-window.ts';
import { PlainSource } from './plain-source.ts';
import type { PlannerOptions } from './planner-options.ts';
import { type ReadFailure, type ReadReaction, reactToReadFailure } from './read-failure.ts';
import { FailuresInARow, MAX_SPLITS_IN_A_ROW, MAX_SPLITS_IN_OUTAGE, SliceAttempts } from './slice-attempts.ts';
import { SampleMode, type UndecodableReaction } from './sample-mode.ts';
import type { Reaction, Slice, Split, Verdict } from './slice.ts';
import { isOfNames, type SplitPlan, type SplitState, splitPlanOf } from './split-plan.ts';
import { firstWindow, isCrowded, nextWindow, type WindowState, windowEndMs } from './window-size.ts';

export class WindowPlanner {
  readonly #options: PlannerOptions;
  readonly #mode: SampleMode;
  readonly #halvings = new Halvings();
  #size: WindowState;
  #atMs = 0;
  #endMs = 0;
  #open: OpenWindow | undefined;
  #portions: readonly Portion[] = WHOLE_WINDOW;
  /** A permanent limit of the source caused the portions: they are not joined when windows grow. */
  #portionsStay = false;
  readonly #plain: PlainSource;
  #uncertainUntilMs: number;
  /** The end of the window that is read again. */
  #rereadUntilMs = Number.NEGATIVE_INFINITY;
  #splitForAmbiguity = false;
  #inARow = new FailuresInARow();
  /** Of the current slice. */
  #attempts = new SliceAttempts();

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#size = firstWindow(options.limits);
    this.#mode = new SampleMode(options.form);
    this.#plain = new PlainSource({ ...options.limits, budgetBytes: options.budgetBytes });
    this.#uncertainUntilMs = options.uncertainUntilMs;
  }

  /** The current length of windows. */
  get windowMs(): number {
    return this.#size.lengthMs;
  }

  /** Starts reading [fromMs, toMs). Keeps what was learned about the source; drops an open window. */
  begin(fromMs: number, toMs: number): void {
    this.#atMs = fromMs;
    this.#endMs = toMs;
    this.#open = undefined;
    this.#attempts = new SliceAttempts();
  }

  /** The slice to read now, the same until `responded` or `failed` is called; undefined at the end. */
  next(): Slice | undefined {
    if (this.#open === undefined) {
      if (this.#atMs >= this.#endMs) return undefined;
      this.#open = this.#openWindow(this.#portions);
    }
    return this.#sliceOf(this.#open, this.#open.slice, this.#attempts.failures + 1);
  }

  /** A part of the slice was read and is delivered. @param share the part of the slice that was read so far */
  handedOn(share: number): Verdict {
    return { kind: 'deliver', remaining: this.#current().remainingAfter(share) };
  }

  /** The slice was read completely. */
  responded(outcome: SliceOutcome): Verdict {
    const open = this.#current();
    this.#options.proof.responded(outcome.streamed);
    this.#splitForAmbiguity = false;
    this.#inARow = new FailuresInARow();
    this.#attempts = new SliceAttempts();
    this.#halvings.end();
    if (!this.#plain.selected(open, outcome)) return this.#readWhole();
    open.note(outcome);
    if (this.#isStride(open) && outcome.samples > 0) {
      this.#size = this.#grown(open);
      this.#open = undefined;
      return { kind: 'discard' };
    }
    open.advance(outcome, this.#options.limits.maxMs, this.#learned(outcome, open));
    const { remaining } = open;
    if (open.isRead) this.#finish(open);
    return { kind: 'deliver', remaining };
  }

  /** The slice that `next` will return after `responded(outcome)`, so that it can be read ahead; undefined where that cannot be told. */
  expectedAfter(outcome: SliceOutcome): Slice | undefined {
    const open = this.#current();
    if (this.#isStride(open) || outcome.samples === 0) return undefined;
    const isPlain = this.#isPlain(outcome, open.slice);
    if (isPlain && open.following !== undefined) return this.#sliceOf(open, open.following, 1);
    const { lengthMs, toMs: fromMs } = open;
    const isUsual = open.isWhole && open.slice.toMs === fromMs && this.#portions.length === 1;
    const crowded = isCrowded(outcome, this.#size.lengthMs, this.#options.limits);
    if (!isUsual || crowded || fromMs >= this.#endMs) return undefined;
    const size = isPlain
      ? this.#plain.sizeAfter(outcome, lengthMs, this.#size)
      : this.#grown({ largest: outcome, largestFixedBytes: outcome.fixedBytes, lengthMs });
    if (size === undefined) return undefined;
    const window = { fromMs, toMs: windowEndMs(fromMs, size, this.#endMs) };
    const { names } = open.slice;
    return this.#sliceOf(window, { ...window, names, samplesUntilMs: Number.NEGATIVE_INFINITY }, 1);
  }

  /** The slice could not be read, or does not fit into memory. */
  failed(failure: ReadFailure): Reaction {
    const open = this.#current();
    if (this.#plain.refuses(failure, open)) {
      this.#readWhole();
      return { kind: 'retry' };
    }
    this.#count(failure, open);
    const outage = failure.kind === 'transient' && this.#inARow.splits >= MAX_SPLITS_IN_OUTAGE;
    const plan = outage ? undefined : splitPlanOf(failure, this.#splitState(open));
    const reaction = reactToReadFailure(failure, {
      ...this.#attempts.counts,
      badInARow: this.#inARow.bad,
      provenSource: this.#options.proof.source,
      provenStream: this.#options.proof.stream,
      isLastForm: this.#mode.isLast(open.slice.fromMs, open.slice.samplesUntilMs),
      splitBy: plan && (plan.by === 'name' ? 'name' : 'time'),
      splitForAmbiguity: this.#splitForAmbiguity,
    });
    return this.#react(reaction, failure, plan, open);
  }

  /**
   * A delivered window turned out to be undecodable, after some of it may have been written. The comparison with the destination finds that
   * part. Call `begin` with the window's start next.
   */
  undecodable(window: TimeRange, problem: string): UndecodableReaction {
    this.interrupted(window);
    return this.#mode.undecodable(window, problem);
  }

  /** A window was not read to its end after some of it was delivered. It is read as `undecodable` windows are. */
  interrupted(window: TimeRange): void {
    this.#uncertainUntilMs = Math.max(this.#uncertainUntilMs, window.toMs);
    this.#rereadUntilMs = window.toMs;
  }

  #sliceOf(window: TimeRange, { fromMs, toMs, names, samplesUntilMs }: OpenWindow['slice'], attempt: number): Slice {
    const uncertain = fromMs < this.#uncertainUntilMs;
    const divisible = !uncertain && !this.#isStride(window);
    return { window, fromMs, toMs, names, attempt, ...this.#mode.at(fromMs, samplesUntilMs), uncertain, divisible };
  }

  /** Nothing of the open window was delivered, and the source cannot be read in portions of the names. */
  #readWhole(): Verdict {
    this.#portions = WHOLE_WINDOW;
    this.#plain.isPlain = false;
    this.#attempts = new SliceAttempts();
    this.#open = undefined;
    return { kind: 'discard' };
  }

  #openWindow(portions: readonly Portion[]): OpenWindow {
    const fromMs = this.#atMs;
    // A window that is read again keeps its end, so that later data is not compared or requested as SAMPLES without need.
    const endMs = this.#rereadUntilMs > fromMs ? Math.min(this.#endMs, this.#rereadUntilMs) : this.#endMs;
    const range = { fromMs, toMs: windowEndMs(fromMs, this.#size, endMs) };
    // A stride is read in one slice, so that all of it can be shortened if it contains data.
    return new OpenWindow(range, this.#isStride(range) ? WHOLE_WINDOW : portions);
  }

  /** Whether the range is longer than a window with samples may be. */
  #isStride({ fromMs, toMs }: TimeRange): boolean {
    return toMs - fromMs > this.#options.limits.maxMs;
  }

  #isPlain({ streamed }: SliceOutcome, { fromMs, samplesUntilMs }: OpenWindow['slice']): boolean {
    return (
      this.#options.prefersNames &&
      this.#plain.mayCut &&
      this.#mode.isPlain(this.#mode.at(fromMs, samplesUntilMs), streamed)
    );
  }

  #learned(outcome: SliceOutcome, { slice }: OpenWindow): Learned {
    if (outcome.samples > 0) this.#plain.isPlain = this.#isPlain(outcome, slice);
    if (this.#plain.isPlain) return { sampled: this.#plain.cutsOf(outcome, slice) };
    const crowded = isCrowded(outcome, this.#size.lengthMs, this.#options.limits);
    return crowded ? { halves: splitNames(slice.names, outcome.seenNames?.()) } : {};
  }

  #finish(open: OpenWindow): void {
    const hasSamples = open.largest.samples > 0;
    const next =
      hasSamples && this.#plain.isPlain
        ? this.#plain.windowAfter(open, this.#size, this.#portionsStay)
        : this.#usualAfter(open);
    if (hasSamples) {
      this.#halvings.windowRead(open.lengthMs, open.refused);
      if (next.portions.length === 1) this.#portionsStay = false;
    }
    this.#portions = next.portions;
    this.#size = next.size;
    this.#atMs = open.toMs;
    this.#open = undefined;
  }

  #usualAfter(open: OpenWindow): NextWindow {
    const size = this.#grown(open);
    if (open.largest.samples === 0) {
      // A gap in the data is no reason to join portions that had to be read separately before it.
      const portions = this.#isStride(open) || this.#plain.isPlain ? this.#portions : open.read;
      return { size, portions };
    }
    const longer = size.lengthMs > this.#size.lengthMs || this.#plain.left();
    const fitTogether = open.fixedBytes < this.#options.limits.targetBytes / 2;
    // Names that had to be read separately stay separate, unless windows become longer or the labels of all names would fit.
    const together = longer && fitTogether && !this.#portionsStay;
    return { size, portions: together ? WHOLE_WINDOW : joinPortions(open.read, open.largest) };
  }

  #grown(read: Pick<OpenWindow, 'largest' | 'largestFixedBytes' | 'lengthMs'>): WindowState {
    const { limits, budgetBytes } = this.#options;
    const { samples, bytes } = read.largest;
    const outcome = { samples, bytes, fixedBytes: read.largestFixedBytes, budgetBytes };
    return nextWindow(this.#size, outcome, limits, read.lengthMs);
  }

  #count(failure: ReadFailure, open: OpenWindow): void {
    if (this.#attempts.count(failure)) this.#inARow.bad++;
    if (failure.kind !== 'too-large') return;
    open.refused = true;
    if (open.isWhole && !this.#isStride(open)) this.#halvings.refused(failure.limit, open.lengthMs, this.#size);
  }

  #react(reaction: ReadReaction, failure: ReadFailure, plan: SplitPlan | undefined, open: OpenWindow): Reaction {
    switch (reaction) {
      case 'fail':
        return { kind: failure.kind === 'too-large' ? 'fail-too-large' : 'fail' };
      case 'samples-only':
        open.readAsSamples();
        this.#attempts.counts.sameProblem = 0;
        return { kind: 'retry', toSamples: true };
      case 'samples-only-for-the-run':
        this.#mode.giveUpStreams(failure.kind === 'unsupported' && failure.streams);
        return { kind: 'retry', toSamples: true };
      case 'pause-and-retry':
        return { kind: 'retry', pauseAttempt: this.#inARow.pause(this.#attempts) };
      case 'split':
      case 'pause-and-split': {
        if (plan === undefined || ++this.#inARow.splits > MAX_SPLITS_IN_A_ROW) return { kind: 'fail-too-large' };
        this.#splitForAmbiguity ||= failure.kind === 'ambiguous';
        const pause = reaction === 'pause-and-split' && { pauseAttempt: this.#inARow.pause(this.#attempts) };
        this.#attempts = new SliceAttempts();
        return { kind: 'retry', ...pause, split: this.#split(plan, failure, open) };
      }
    }
  }

  #splitState(open: OpenWindow): SplitState {
    const { limits } = this.#options;
    const names = this.#plain.namesToCut(open);
    return { open, isStride: this.#isStride(open), size: this.#size, limits, halvings: this.#halvings, names };
  }

  /** @returns what was split */
  #split(plan: SplitPlan, failure: ReadFailure, open: OpenWindow): Split {
    const { fromMs, toMs } = open.slice;
    const isLimit = failure.kind === 'too-large';
    if (plan.by === 'window') {
      this.#size = plan.shorter;
      this.#open = undefined;
      return { fromMs: open.fromMs, toMs: open.toMs, by: 'time' };
    }
    if (plan.by === 'piece') {
      open.shortenPieces(plan.pieceMs, isLimit);
      return { fromMs, toMs, by: 'time' };
    }
    if (isLimit && isOfNames(failure.limit, this.#plain.isPlain)) this.#portionsStay = true;
    const before = open.isWhole ? this.#halvings.undo() : undefined;
    if (before === undefined || before.lengthMs <= this.#size.lengthMs) {
      open.splitNames(plan.halves);
      return { fromMs, toMs, by: 'name' };
    }
    // Shorter windows did not help: the names are read separately, at the length where the halving began.
    this.#size = { ...before, lengthMs: Math.min(before.lengthMs, this.#options.limits.maxMs) };
    const longer = this.#openWindow(plan.halves.map(portionOf));
    longer.refused = true;
    this.#open = longer;
    return { fromMs: longer.fromMs, toMs: longer.toMs, by: 'name' };
  }

  #current(): OpenWindow {
    if (this.#open === undefined) throw new Error('no slice is being read');
    return this.#open;
  }
}
