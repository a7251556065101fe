// What is known about one migration's timeline over all its starts. It begins with the status that an earlier operator left, and is updated
// from the reports of the workers.

import { parseTime } from '../../api/time.ts';
import type { PromMigration, PromMigrationSpec } from '../../api/prom-migration.ts';
import type { MigrationEvent, MigrationProgress } from '../../migration/report/observer.ts';
import { addCounts, type Counts, NO_COUNTS } from '../../migration/report/counts.ts';
import type { Side } from '../../remote/meaning/side.ts';
import type { Moment } from '../../telemetry/clock.ts';
import { completedRatio, RemainingTime } from '../../telemetry/completion.ts';
import { SlidingRate } from '../../telemetry/sliding-rate.ts';
import type { ErrorCode } from './attempt.ts';
import { type Failing, FailingSides } from './failing-sides.ts';
import { findCondition } from './conditions.ts';
import { countsIn } from './status-counts.ts';
import { stretchesIn } from './status-stretches.ts';
import { trustedStatus } from './status-origin.ts';
import { statusText } from './status-text.ts';
import { wantedVerification } from './verification-settings.ts';
import { VerificationTrack } from './verification-track.ts';

export interface ErrorEntry {
  readonly timeMs: number;
  readonly side: Side | undefined;
  /** An ErrorCode, or what the status of another version has. */
  readonly code: string;
  readonly message: string;
  readonly count: number;
}

const MAX_ERRORS = 10;
const RATE_WINDOW_MS = 30_000;

export class MigrationTrack {
  /**
   * The counts before the current attempt: from the status of an earlier operator, then from the end of the last attempt. Shown until an attempt
   * has found the counts beside the mark in the destination. Only without marks do they remain the valid counts.
   */
  #base: Counts | undefined;
  readonly #hasMarks: boolean;
  #run: Readonly<MigrationProgress> | undefined;
  #follows = false;
  readonly #startMs: number;
  #range: { readonly startMs: number; readonly endMs: number } | undefined;
  #through: number | undefined;
  #samplesRate = new SlidingRate(RATE_WINDOW_MS);
  /** How far the attempts of this process have come, including samples acknowledged in windows in flight: for the percentage. */
  #reached: number | undefined;
  #remaining = new RemainingTime();
  #stretches: MigrationProgress['stretches'];
  readonly #failing = new FailingSides();
  #recentErrors: ErrorEntry[];
  /** Timestamps, for the status. */
  startTimeMs: number | undefined;
  lastProgressTimeMs: number | undefined;
  /** On the monotonic clock, for measurements. A start before this process is derived from its timestamp. */
  startedMs: number | undefined;
  /** When this process last saw that a window was finished, or samples written or compared. */
  lastProgressMs: number | undefined;
  tryingSinceMs: number | undefined;
  resumedFromMs: number | undefined;
  /** Whether the engine has found where to begin. */
  copying = false;
  readonly verification: VerificationTrack;

  constructor(resource: PromMigration, now: Moment) {
    this.#hasMarks = resource.spec.destination.progress.protocol !== 'None';
    const status = this.#hasMarks ? trustedStatus(resource) : resource.status;
    const { progress, range, conditions, startTime, lastProgressTime, resumedFrom, recentErrors } = status ?? {};
    this.#stretches = stretchesIn(status?.stretches);
    this.#startMs = parseTime(resource.spec.timeRange.start) ?? 0;
    this.#base = countsIn(progress);
    this.#through = timeOf(progress?.through);
    const endMs = timeOf(range?.end);
    this.#range = endMs === undefined ? undefined : { startMs: this.#startMs, endMs };
    this.verification = new VerificationTrack(status, { startMs: this.#startMs, endMs: endMs ?? this.#startMs });
    // A success is over: if it is verified later, the deadline counts from then.
    const hasSucceeded = findCondition(conditions, 'Succeeded')?.status === 'True';
    this.startTimeMs = hasSucceeded ? undefined : timeOf(startTime);
    if (this.startTimeMs !== undefined) this.startedMs = now.monotonicMs - Math.max(0, now.wallMs - this.startTimeMs);
    this.lastProgressTimeMs = timeOf(lastProgressTime);
    this.resumedFromMs = timeOf(resumedFrom);
    this.#recentErrors = (recentErrors ?? []).map(({ time, side, code, message, count }) => ({
      timeMs: timeOf(time) ?? 0,
      side: side as Side | undefined,
      code,
      message: statusText(message),
      count: count ?? 1,
    }));
  }

  get range(): { readonly startMs: number; readonly endMs: number } | undefined {
    return this.#range;
  }

  /** Of the latest attempt; undefined if the range is not divided. */
  get stretches(): MigrationProgress['stretches'] {
    return this.#stretches;
  }

  /** Everything before it is in the destination. */
  get throughMs(): number | undefined {
    return this.#through;
  }

  /** Over all starts; undefined if unknown, as after the marks of an older version. */
  get counts(): Counts | undefined {
    const run = this.#run;
    if (run === undefined || !this.#hasBegun(run)) return this.#base;
    const earlier = run.earlier === 'unknown' ? (this.#hasMarks ? undefined : this.#base) : run.earlier;
    return earlier && addCounts(earlier, run);
  }

  /** Samples that the destination rejected, over all starts as far as known. */
  get samplesRejected(): Readonly<Record<string, number>> {
    return (this.counts ?? this.#run ?? NO_COUNTS).samplesRejected;
  }

  /** Written, or compared since the comparison has begun. */
  get samplesPerSecond(): number {
    return this.#run === undefined ? 0 : this.#samplesRate.perSecond();
  }

  /** The rate to which the destination's own limit holds the migration back; undefined if it does not. */
  get destinationLimit(): number | undefined {
    return this.#run?.heldBy?.samplesPerSecond;
  }

  /** The completed fraction of the work, from 0 to 1; undefined until the range is known. */
  completed(spec: PromMigrationSpec): number | undefined {
    const reachedMs = this.#reached ?? this.#through;
    if (this.#range === undefined || reachedMs === undefined) return undefined;
    const work = wantedVerification(spec) === undefined ? 'Copy' : 'CopyAndVerify';
    return completedRatio({ ...this.#range, reachedMs, work, verification: this.verification.of(spec) });
  }

  /** Whether the current attempt compares source and destination, until it has ended: its last report precedes its end. */
  get verifying(): boolean {
    return this.#run?.verification !== undefined;
  }

  /** Undefined while unknown. */
  get remainingMs(): number | undefined {
    return this.#run === undefined ? undefined : this.#remaining.remainingMs;
  }

  /** The last different failures, newest first. */
  get recentErrors(): readonly ErrorEntry[] {
    return this.#recentErrors;
  }

  /** The side whose requests have kept failing for a while. `nowMs` is on the monotonic clock. */
  failing(nowMs: number): Failing | undefined {
    return this.#failing.outage(nowMs);
  }

  /** @param follows whether it only follows a Job */
  attemptStarted(spec: PromMigrationSpec, { wallMs, monotonicMs }: Moment, follows = false): void {
    this.#follows = follows;
    this.verification.attemptStarted(spec);
    this.#base = this.counts;
    this.#run = undefined;
    this.copying = false;
    this.#samplesRate = new SlidingRate(RATE_WINDOW_MS);
    this.#remaining = new RemainingTime();
    this.#failing.clear();
    this.startTimeMs ??= wallMs;
    this.startedMs ??= monotonicMs;
    this.tryingSinceMs ??= monotonicMs;
  }

  attemptEnded(): void {
    this.#base = this.counts;
    this.#run = undefined;
    this.copying = false;
    this.#failing.clear();
  }

  /** Paused on purpose: this time does not count towards the progress deadline. */
  paused(): void {
    this.tryingSinceMs = undefined;
  }

  /** As for a Kubernetes Job, suspending stops the clock of the active deadline, and resuming starts it again from zero. */
  suspended(): void {
    this.paused();
    this.startTimeMs = undefined;
    this.startedMs = undefined;
  }

  /** Takes over a worker's report. @returns whether a window was finished, or compared */
  report(progress: Readonly<MigrationProgress>, events: readonly MigrationEvent[], now: Moment): boolean {
    const windowsBefore = this.#run?.windows ?? 0;
    const deliveredBefore = deliveredIn(this.#run);
    const reachedBefore = this.#reached;
    const comparedBefore = this.#run?.verification !== undefined;
    for (const event of events) this.#take(event, progress, now);
    const compared = this.verification.report(progress.verification);
    this.#run = progress;
    if (progress.stretches !== undefined) this.#stretches = progress.stretches;
    if (this.#hasBegun(progress)) {
      this.#range = { startMs: this.#startMs, endMs: progress.endMs };
      this.#through = progress.watermarkMs;
      // The windows that an earlier attempt had in flight are in the destination, although they are compared again.
      this.#reached = Math.max(progress.reachedMs, this.#reached ?? progress.reachedMs);
      this.#remaining.look(progress, now.monotonicMs);
    }
    if (comparedBefore !== (progress.verification !== undefined)) this.#samplesRate = new SlidingRate(RATE_WINDOW_MS);
    this.#samplesRate.add(now.monotonicMs, progress.verification?.samplesCompared ?? progress.samplesWritten);
    // The marks of a Job show how far its pods have come, even if the counts beside them are missing.
    const marked = this.#follows && reachedBefore !== undefined && (this.#reached ?? 0) > reachedBefore;
    const finished = progress.windows > windowsBefore || compared || marked;
    if (finished) this.lastProgressTimeMs = now.wallMs;
    // A window takes long where the destination limits the rate.
    if (finished || deliveredIn(progress) > deliveredBefore) this.lastProgressMs = now.monotonicMs;
    return finished;
  }

  /** Records a failure without a retry of its request: the end of an attempt. */
  noteError(side: Side | undefined, code: ErrorCode, message: string, timeMs: number): void {
    const text = statusText(message);
    const same = this.#recentErrors.find((entry) => entry.side === side && entry.code === code);
    const entry: ErrorEntry = {
      timeMs,
      side,
      code,
      message: text,
      count: (same?.count ?? 0) + 1,
    };
    this.#recentErrors = [entry, ...this.#recentErrors.filter((other) => other !== same)].slice(0, MAX_ERRORS);
  }

  #take(event: MigrationEvent, progress: Readonly<MigrationProgress>, now: Moment): void {
    const nowMs = now.monotonicMs;
    switch (event.type) {
      case 'started':
        this.copying = true;
        this.resumedFromMs = progress.resumedFromMs;
        // No mark was found: what the status shows of earlier starts belongs to another copy, or is lost.
        if (progress.resumedFromMs === undefined) {
          this.#base = NO_COUNTS;
          this.#reached = undefined;
        }
        break;
      case 'retry':
        this.#failing.retried(event, nowMs);
        this.noteError(event.side, event.code, event.message, now.wallMs);
        break;
      case 'rejected':
        this.noteError('destination', event.reason, event.response, now.wallMs);
        break;
      case 'request':
        if (typeof event.status === 'number' && event.status < 300) this.#failing.recovered(event.side, nowMs);
        break;
      default:
        break;
    }
  }

  /** Whether the run has found where to begin, and with it the counts of earlier runs. */
  #hasBegun(run: Readonly<MigrationProgress>): boolean {
    return this.copying || run.phase === 'Succeeded' || run.phase === 'Verifying' || run.verification !== undefined;
  }
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseTime(text);
}

/** Samples that this attempt has written, or compared. */
function deliveredIn(progress: Readonly<MigrationProgress> | undefined): number {
  return (progress?.samplesWritten ?? 0) + (progress?.verification?.samplesCompared ?? 0);
}
