// Finds where a run begins: after the latest mark in the destination. The first windows are read while the destination settles, so the first
// result may turn out to be outdated. `firstWriteGate` checks that before anything is written.
//
// A destination may be far away, so questions that do not depend on each other are asked at the same time.

import type { Clock } from '../telemetry/clock.ts';
import type { Connections } from './connections.ts';
import type { MigrationObserver, MigrationProgress } from './report/observer.ts';
import { emptyRange } from './plan/empty-range.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { FIRST_SHARD } from './plan/stretches.ts';
import { NO_COUNTS } from './report/counts.ts';
import type { KnownBeginning } from './progress/known-beginning.ts';
import type { Mark } from './progress/progress-mark.ts';
import { uncertainMs } from './plan/window-bounds.ts';
import type { Look } from './progress/settling.ts';

export interface Beginning {
  readonly mark: Mark | undefined;
  readonly fromMs: number;
  readonly endMs: number;
  /** What lies before this time is compared with the destination. */
  readonly uncertainUntilMs: number;
}

/** What the destination shows does not fit how this run has begun. Nothing was written. */
export class BeganDifferently extends Error {}

/** Earlier runs have divided the range into stretches, and this one has not. */
export class BeganInStretches extends BeganDifferently {
  override readonly name = 'BeganInStretches';

  constructor() {
    super('the destination has marks of stretches');
  }
}

/** After the destination had settled it showed another beginning than at first. */
export class BeganElsewhere extends BeganDifferently {
  override readonly name = 'BeganElsewhere';
  readonly beginning: Beginning;

  constructor(beginning: Beginning) {
    super('the destination returned a later mark than before');
    this.beginning = beginning;
  }
}

/** The destination is looked at again if the first window arrives later than this after the last look. */
const SETTLED_FOR_MS = 30_000;

interface Settling {
  readonly beginning: Promise<Beginning>;
  /** When it had settled. */
  atMs: number | undefined;
}

export interface PreparationOptions {
  readonly plan: MigrationPlan;
  readonly connections: Connections;
  readonly progress: MigrationProgress;
  readonly observer: MigrationObserver;
  readonly clock: Clock;
  /** If given, the destination is not asked for its marks. */
  readonly known: KnownBeginning | undefined;
  /** Before the first window there is nothing to finish, so a stop ends the preparation immediately. */
  readonly signal: AbortSignal;
}

/** Searches for the place to begin, before and after the destination has settled. */
export class Preparation {
  readonly #options: PreparationOptions;
  /** The end of a range without a given end that no mark has frozen yet. */
  readonly #openEndMs: number;
  #first: Beginning | undefined;
  #settling: Settling | undefined;

  constructor(options: PreparationOptions) {
    this.#options = options;
    this.#openEndMs = options.clock.now() - options.plan.lagMs;
  }

  /**
   * What the destination shows now, without waiting for it to settle. Only a mark of the range's end is trusted immediately. Its counts may
   * become visible later than the mark itself, and are waited for.
   */
  async firstLook(): Promise<Beginning> {
    this.#waitFor('progress mark');
    const { known } = this.#options;
    if (known !== undefined) return this.#enterKnown(known);
    this.#first = await this.#look();
    return isFinished(this.#first) && !isComplete(this.#first) ? await this.settled() : this.#first;
  }

  /** What the destination shows after it has settled. Returns the same promise again, unless it had settled long ago. */
  settled(): Promise<Beginning> {
    const { clock } = this.#options;
    const { atMs } = this.#settling ?? {};
    if (atMs !== undefined && clock.monotonicMs() - atMs > SETTLED_FOR_MS) this.#settling = undefined;
    return this.settle().beginning;
  }

  async #enterKnown({ mark, mayHoldSamples }: KnownBeginning): Promise<Beginning> {
    const fromMs = mark === undefined ? this.#options.plan.startMs : mark.throughMs + 1;
    const endMs = this.#options.plan.endMs ?? this.#openEndMs;
    const uncertainUntilMs = mayHoldSamples ? await this.#uncertainUntil(fromMs, endMs) : fromMs;
    const beginning = { mark, fromMs, endMs, uncertainUntilMs };
    this.#settling = { beginning: Promise.resolve(beginning), atMs: undefined };
    return beginning;
  }

  /** Lets the destination settle, while the first window is read. */
  settle(): Settling {
    if (this.#settling !== undefined) return this.#settling;
    const settling: Settling = { beginning: this.#lookUntilSettled(), atMs: undefined };
    settling.beginning.then(
      () => {
        settling.atMs = this.#options.clock.monotonicMs();
      },
      // The gate reports a failure, after some windows were read.
      () => undefined,
    );
    this.#settling = settling;
    return settling;
  }

  #lookUntilSettled(): Promise<Beginning> {
    this.#waitFor('recent writes to become visible');
    const { connections, signal } = this.#options;
    const { view } = connections;
    let first = this.#first;
    const look: Look<Beginning> = {
      look: async () => {
        const beginning = first ?? (await this.#look(this.#first));
        first = undefined;
        return beginning;
      },
      isComplete,
      isSame: (before, after) => isSameBeginning(before, after) && before.mark?.samples === after.mark?.samples,
      isProven: async ({ mark, fromMs, endMs, uncertainUntilMs }) =>
        mark === undefined &&
        uncertainUntilMs === fromMs &&
        (await view.isUntouched(fromMs, this.#uncertain(fromMs, endMs), signal)),
    };
    return view.settled(look, signal);
  }

  /** @param before what an earlier look has found, most likely the same as now */
  async #look(before?: Beginning): Promise<Beginning> {
    const { plan, connections, clock, signal } = this.#options;
    const searchEndMs = Math.max(plan.endMs ?? 0, clock.now() + 1);
    // The mark of a stretch that has only begun is just before it.
    const searchStartMs = plan.stretch === undefined ? plan.startMs : plan.startMs - 1;
    const [mark, uncertainUntilMsBefore] = await Promise.all([
      connections.view.latestMark(searchStartMs, searchEndMs, signal),
      before === undefined ? undefined : this.#uncertainUntil(before.fromMs, before.endMs),
    ]);
    if (plan.stretch === undefined && mark !== undefined && mark.shard !== FIRST_SHARD) throw new BeganInStretches();
    const endMs = plan.endMs ?? mark?.endMs ?? this.#openEndMs;
    if (endMs <= plan.startMs) throw emptyRange(endMs);
    const fromMs = mark === undefined ? plan.startMs : mark.throughMs + 1;
    const isSame = before?.fromMs === fromMs && before.endMs === endMs;
    const uncertainUntilMs =
      (isSame ? uncertainUntilMsBefore : undefined) ?? (await this.#uncertainUntil(fromMs, endMs));
    return { mark, fromMs, endMs, uncertainUntilMs };
  }

  /** The end of the stretch in which an earlier run may have written samples that no mark covers. */
  async #uncertainUntil(fromMs: number, endMs: number): Promise<number> {
    const { plan, connections, signal } = this.#options;
    const { view } = connections;
    if (!view.readable || fromMs >= endMs) return fromMs;
    // Most destinations have nothing there, and comparing every series with nothing takes time and memory.
    const isEmpty = await view.isEmpty(fromMs, this.#uncertain(fromMs, endMs), signal);
    return isEmpty ? fromMs : fromMs + uncertainMs(plan.destination.ordering);
  }

  #uncertain(fromMs: number, endMs: number): number {
    return Math.min(fromMs + uncertainMs(this.#options.plan.destination.ordering), endMs);
  }

  #waitFor(what: string): void {
    const { progress, observer } = this.#options;
    progress.waitingFor = what;
    observer.progress(progress);
  }
}

/**
 * Checks, before the first write, that the destination has settled and still shows the beginning that was read from.
 * @returns the check, to be called before each write; it runs once
 * @throws BeganElsewhere when another run's mark has become visible meanwhile; whatever the look-up throws
 */
export function firstWriteGate(preparation: Preparation, from: Beginning, open: (beginning: Beginning) => void) {
  let opened: Promise<void> | undefined;
  const check = async () => {
    const beginning = await preparation.settled();
    if (!isSameBeginning(from, beginning)) throw new BeganElsewhere(beginning);
    open(beginning);
  };
  return (): Promise<void> => {
    opened ??= check();
    return opened;
  };
}

export function isFinished({ fromMs, endMs }: Beginning): boolean {
  return fromMs >= endMs;
}

/** Nothing that appears later can change it. */
function isComplete(beginning: Beginning): boolean {
  return isFinished(beginning) && beginning.mark?.counts !== undefined;
}

function isSameBeginning(a: Beginning, b: Beginning): boolean {
  return a.fromMs === b.fromMs && a.endMs === b.endMs && a.uncertainUntilMs === b.uncertainUntilMs;
}

/** Initializes the progress from the beginning. */
export function enterBeginning(
  { mark, fromMs, endMs }: Beginning,
  { view }: Connections,
  progress: MigrationProgress,
): void {
  progress.endMs = endMs;
  progress.watermarkMs = Math.min(fromMs, endMs);
  progress.reachedMs = progress.watermarkMs;
  if (mark !== undefined) progress.resumedFromMs = fromMs;
  if (mark === undefined) progress.earlier = view.readable ? NO_COUNTS : 'unknown';
  else progress.earlier = mark.counts ?? 'unknown';
}

export function reportBeginning(
  { mark, fromMs, endMs }: Beginning,
  plan: MigrationPlan,
  { view }: Connections,
  observer: MigrationObserver,
): void {
  observer.event({ type: 'started', startMs: plan.startMs, endMs, memoryBytes: plan.limits.memoryBytes });
  if (mark !== undefined) observer.event({ type: 'resumed', fromMs, samplesBefore: mark.samples });
  if (view.readable) return;
  const message =
    'destination.progress.protocol has the value None: no resume point is kept, so another run starts from the beginning and may write samples twice';
  observer.event({ type: 'warning', code: 'at-least-once', message });
}
