// Decides which piece of the range is read next, and reacts to the outcome: a state machine without input or output. It crosses the range
// window by window. A window that is too large is halved. Where shorter windows do not help, its metric names are read separately. The size of
// a window is never an error.

import { Halvings } from './halvings.ts';
import { splitNames } from '../series/name-partition.ts';
import { joinPortions, type Portion, portionOf, WHOLE_WINDOW } from './name-portions.ts';
import { OpenWindow, type SliceOutcome, type TimeRange } from './open-window.ts';
import { type ReadFailure, type ReadReaction, reactToReadFailure } from './read-failure.ts';
import { SliceAttempts } from './slice-attempts.ts';
import { SampleMode, type SourceForm, type UndecodableReaction } from './sample-mode.ts';
import type { Reaction, Slice, Split, Verdict } from './slice.ts';
import type { SourceProof } from './source-proof.ts';
import { type SplitPlan, type SplitState, splitPlanOf } from './split-plan.ts';
import {
  firstWindow,
  labelsDominate,
  nextWindow,
  type WindowLimits,
  type WindowState,
  windowEndMs,
} from './window-size.ts';

export interface PlannerOptions {
  readonly limits: WindowLimits;
  /** The memory budget of one window. */
  readonly budgetBytes: number;
  readonly form: SourceForm;
  /** Begin with a short window: a long one would not fit into memory, and nothing is gained by trying. */
  readonly startsShort: boolean;
  /** What lies before this time will be compared with the destination. */
  readonly uncertainUntilMs: number;
  readonly proof: SourceProof;
}

/** A source that finds every request "too large" is broken: 17 halvings lead from 24 h to 1 s, and names split quickly. */
const MAX_SPLITS_IN_A_ROW = 250;
/** This many consecutive splits caused only by 5xx, timeouts and cut responses mean an outage, not a size problem. The planner waits it out. */
const MAX_SPLITS_IN_OUTAGE = 40;
/** While windows are split, the pauses keep growing from one to the next, but stay below 4 s: a day takes many splits to reach a second. */
const MAX_SPLIT_PAUSE = 4;

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
  #uncertainUntilMs: number;
  /** The end of the window that is read again. */
  #rereadUntilMs = Number.NEGATIVE_INFINITY;
  #splitForAmbiguity = false;
  /** Since the last good response. */
  #inARow = { splits: 0, pauses: 0, bad: 0 };
  /** Of the current slice. */
  #attempts = new SliceAttempts();

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#size = firstWindow(options.limits, options.startsShort);
    this.#mode = new SampleMode(options.form);
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
    const { slice } = this.#open;
    const uncertain = slice.fromMs < this.#uncertainUntilMs;
    return {
      window: this.#open,
      fromMs: slice.fromMs,
      toMs: slice.toMs,
      names: slice.names,
      attempt: this.#attempts.failures + 1,
      ...this.#mode.at(slice.fromMs, slice.samplesUntilMs),
      uncertain,
      divisible: !uncertain && !this.#isStride(this.#open),
    };
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
    this.#inARow = { splits: 0, pauses: 0, bad: 0 };
    this.#attempts = new SliceAttempts();
    this.#halvings.end();
    open.note(outcome);
    if (this.#isStride(open) && outcome.samples > 0) {
      this.#size = this.#grown(open);
      this.#open = undefined;
      return { kind: 'discard' };
    }
    const halves = this.#isCrowded(outcome) ? splitNames(open.slice.names, outcome.seenNames?.()) : undefined;
    open.advance(outcome, this.#options.limits.maxMs, halves);
    const { remaining } = open;
    if (open.isRead) this.#finish(open);
    return { kind: 'deliver', remaining };
  }

  /** The slice that `next` will return after `responded(outcome)`, so that it can be read ahead; undefined where that cannot be told. */
  expectedAfter(outcome: SliceOutcome): Slice | undefined {
    const open = this.#current();
    const isUsual = open.isWhole && open.slice.toMs === open.toMs && !this.#isStride(open) && outcome.samples > 0;
    if (!isUsual || this.#isCrowded(outcome) || this.#portions.length !== 1 || open.toMs >= this.#endMs)
      return undefined;
    const { lengthMs, toMs: fromMs } = open;
    const size = this.#grown({ largest: outcome, largestFixedBytes: outcome.fixedBytes, lengthMs });
    const window = { fromMs, toMs: windowEndMs(fromMs, size, this.#endMs) };
    const uncertain = fromMs < this.#uncertainUntilMs;
    const mode = this.#mode.at(fromMs, Number.NEGATIVE_INFINITY);
    return { window, ...window, names: open.slice.names, attempt: 1, ...mode, uncertain, divisible: !uncertain };
  }

  /** The slice could not be read, or does not fit into memory. */
  failed(failure: ReadFailure): Reaction {
    const open = this.#current();
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

  /** Windows are short because of memory, and labels take most of it: they can be longer if fewer series are read at once. */
  #isCrowded({ bytes, fixedBytes }: SliceOutcome): boolean {
    const { limits } = this.#options;
    const isShort = this.#size.lengthMs < limits.maxMs;
    return isShort && bytes > limits.targetBytes && labelsDominate({ bytes, fixedBytes });
  }

  #finish(open: OpenWindow): void {
    const grown = this.#grown(open);
    if (open.largest.samples > 0) {
      const longer = grown.lengthMs > this.#size.lengthMs;
      const fitTogether = open.fixedBytes < this.#options.limits.targetBytes / 2;
      // Names that had to be read separately stay separate, unless windows become longer or the labels of all names would fit.
      const together = longer && fitTogether && !this.#portionsStay;
      this.#portions = together ? WHOLE_WINDOW : joinPortions(open.read, open.largest);
      if (this.#portions.length === 1) this.#portionsStay = false;
      this.#halvings.windowRead(open.lengthMs, open.refused);
    } else if (!this.#isStride(open)) {
      // A gap in the data is no reason to join portions that had to be read separately before it.
      this.#portions = open.read;
    }
    this.#size = grown;
    this.#atMs = open.toMs;
    this.#open = undefined;
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
        return { kind: 'retry', pauseAttempt: this.#pauseAttempt() };
      case 'split':
      case 'pause-and-split': {
        if (plan === undefined || ++this.#inARow.splits > MAX_SPLITS_IN_A_ROW) return { kind: 'fail-too-large' };
        this.#splitForAmbiguity ||= failure.kind === 'ambiguous';
        const pause = reaction === 'pause-and-split' && { pauseAttempt: this.#pauseAttempt() };
        this.#attempts = new SliceAttempts();
        return { kind: 'retry', ...pause, split: this.#split(plan, failure, open) };
      }
    }
  }

  #splitState(open: OpenWindow): SplitState {
    const { limits } = this.#options;
    return { open, isStride: this.#isStride(open), size: this.#size, limits, halvings: this.#halvings };
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
    if (isLimit && (failure.limit === 'series' || failure.limit === 'bytes')) this.#portionsStay = true;
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

  #pauseAttempt(): number {
    return Math.max(this.#attempts.failures, Math.min(++this.#inARow.pauses, MAX_SPLIT_PAUSE));
  }

  #current(): OpenWindow {
    if (this.#open === undefined) throw new Error('no slice is being read');
    return this.#open;
  }
}
