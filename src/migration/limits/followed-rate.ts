// Learns the rate that a destination allows: from its refusals (429), and from what it accepted between them. Pure: times are passed in.
//
// Such destinations have a token bucket: so much per second, and a burst that is saved up while less is sent. At a refusal the bucket is almost
// empty. So what is accepted from one refusal to the next, divided by the time, is the rate; it is too high by the burst if nothing was sent for a
// while. After a refusal the rate continues just below what was learned. Without another refusal it grows, slowly at first and then faster,
// because the limit may have been raised.

import { type Amounts, type LimitUnit, LimitUnits, type RefusedRequest, type SentRequest } from './limit-units.ts';

/** The rate between two refusals, as a function of the time for which it was used. */
interface Course {
  readonly startPerSecond: number;
  /** The best estimate of what is allowed. */
  readonly limitPerSecond: number;
  /** The time from the start to just below the limit. */
  readonly growthMs: number;
  /** After this time the limit is tested. */
  readonly testAfterMs: number;
}

/** From one refusal to the next. */
interface Span {
  readonly sinceMs: number;
  firstSentMs: number | undefined;
  lastSentMs: number;
  /** The time that everything sent takes at the rates of the course. If the source is slower, time passes more slowly here. */
  pacedMs: number;
  /** The time from the first request to the last one, without long pauses of the source. */
  busyMs: number;
  readonly accepted: Record<LimitUnit, number>;
}

const JUST_BELOW = 0.97;
/** The share of the limit by which the rate exceeds it after the first minute of testing, and eight times as much after the second. */
const TEST_GROWTH = 0.05;
const MINUTE_MS = 60_000;
const GROWTH_MS = 15_000;
/** A refusal costs its Retry-After. The more it costs, the more slowly the rate grows, and the later is the next test. */
const GROWTH_PER_RETRY_AFTER = 2;
const TEST_PER_RETRY_AFTER = 10;
const MAX_COUNTED_PAUSE_MS = 60_000;
const MAX_COUNTED_RETRY_AFTER_MS = 30_000;
/** What was accepted before the first refusal is mostly the burst, unless it took long. */
const FIRST_SHARE = 0.1;
const FIRST_SHARE_AFTER_LONG = 0.5;
const LONG_MS = 30_000;
/** The defaults of Cortex and Mimir are 2 and 20. */
const USUAL_BURST_SECONDS = 2;
/** A longer pause between two requests says nothing about the destination: its bucket is full by then. */
const LONGEST_GAP_MS = 1000;
/** Never fewer requests than one in this time. */
const MAX_PACE_MS = 10_000;

export class FollowedRate {
  readonly #units = new LimitUnits();
  #course: Course | undefined;
  #span: Span | undefined;
  #stated: number | undefined;
  #begun: Begun | undefined;

  /** What `perSecond` counts. */
  get unit(): LimitUnit {
    return this.#units.unit;
  }

  /** The rate to be used now; undefined: nothing was refused yet. */
  get perSecond(): number | undefined {
    return this.#course && rateOf(this.#course, this.#span?.pacedMs ?? 0);
  }

  /** What the destination accepts at once after a pause; 0 if that is unknown. */
  get burst(): number {
    return this.#course === undefined ? 0 : this.#burstAt(this.#course.limitPerSecond);
  }

  sent({ amounts, sentAtMs }: SentRequest): void {
    this.#span ??= emptySpan(sentAtMs);
    const span = this.#span;
    span.firstSentMs ??= sentAtMs;
    span.busyMs = busyUntil(span, sentAtMs);
    span.lastSentMs = sentAtMs;
    const { perSecond } = this;
    if (perSecond !== undefined) this.#span.pacedMs += (amounts[this.unit] * 1000) / perSecond;
  }

  accepted({ amounts, sentAtMs }: SentRequest): void {
    const span = this.#span;
    if (span === undefined || sentAtMs < span.sinceMs) return;
    for (const unit of ['samples', 'requests', 'bytes'] as const) span.accepted[unit] += amounts[unit];
  }

  /** @returns whether the rate has changed. It does not for requests that were sent at an earlier rate */
  refused(request: RefusedRequest): boolean {
    const { sentAtMs, refusedAtMs } = request;
    const span = this.#span;
    if (span?.firstSentMs === undefined || sentAtMs < span.sinceMs) return false;
    // A pause of the source says nothing about the destination.
    const pausedMs = Math.min(MAX_COUNTED_PAUSE_MS, span.firstSentMs - span.sinceMs);
    const passedMs = this.#course === undefined ? refusedAtMs - span.sinceMs : pausedMs + span.pacedMs;
    const factor = this.#units.learn(request, span.accepted, passedMs);
    const seen = {
      accepted: span.accepted[this.unit],
      refused: request.amounts[this.unit],
      // A source that is slower than the rate has not shown that the rate is allowed.
      leastMs: Math.max(1, passedMs, pausedMs + busyUntil(span, refusedAtMs)),
      passedMs: Math.max(1, passedMs),
      pacedMs: span.pacedMs,
      usedPerSecond: (this.perSecond ?? 0) * factor,
    };
    const course = this.#course && inOtherUnit(this.#course, factor);
    this.#begun ??= { accepted: { ...span.accepted }, passedMs };
    const next =
      this.#statedAnew(request) ??
      (course === undefined
        ? firstEstimate(seen)
        : nextEstimate(course, seen, (perSecond) => this.#burstAt(perSecond)));
    const waitMs = Math.min(MAX_COUNTED_RETRY_AFTER_MS, request.retryAfterMs);
    const start = Math.max(next.startPerSecond, (seen.refused * 1000) / MAX_PACE_MS);
    const limitPerSecond = Math.max(next.limitPerSecond, start);
    this.#course = {
      startPerSecond: Math.min(start, JUST_BELOW * limitPerSecond),
      limitPerSecond,
      growthMs: GROWTH_MS + GROWTH_PER_RETRY_AFTER * waitMs,
      testAfterMs: GROWTH_MS + TEST_PER_RETRY_AFTER * waitMs,
    };
    this.#span = emptySpan(refusedAtMs);
    return true;
  }

  /** The refusals had another reason. */
  forget(): void {
    this.#course = undefined;
    this.#span = undefined;
    this.#stated = undefined;
    this.#begun = undefined;
  }

  #burstAt(perSecond: number): number {
    if (this.#begun === undefined) return 0;
    const { accepted, passedMs } = this.#begun;
    // The bucket may have been filled and emptied often.
    if (passedMs > LONG_MS) return perSecond * USUAL_BURST_SECONDS;
    return Math.max(0, accepted[this.unit] - (perSecond * passedMs) / 1000);
  }

  /** A limit that the destination states for the first time, or that has changed. */
  #statedAnew({ stated }: RefusedRequest): Estimate | undefined {
    if (stated === undefined || stated === this.#stated || this.unit !== 'samples') return undefined;
    this.#stated = stated;
    return { startPerSecond: AFTER_TEST * stated, limitPerSecond: stated };
  }
}

/** What was accepted before the first refusal: the burst, and what was allowed meanwhile. */
interface Begun {
  readonly accepted: Amounts;
  readonly passedMs: number;
}

/** The burst of a destination that allows so much per second. */
type BurstAt = (perSecond: number) => number;

type Estimate = Pick<Course, 'startPerSecond' | 'limitPerSecond'>;

/** What happened from one refusal to the next. */
interface Seen {
  readonly accepted: number;
  /** The amount of the refused request. */
  readonly refused: number;
  readonly passedMs: number;
  /** The time in which no more than this was accepted. */
  readonly leastMs: number;
  readonly pacedMs: number;
  /** The rate at the refusal; 0 if there was none. */
  readonly usedPerSecond: number;
}

/** The bucket is empty after a test. Less is sent at first, so that it has something to spare. */
const AFTER_TEST = 0.9;

function rateOf({ startPerSecond, limitPerSecond, growthMs, testAfterMs }: Course, pacedMs: number): number {
  const below = JUST_BELOW * limitPerSecond;
  if (pacedMs < growthMs) return below - (below - startPerSecond) * (1 - pacedMs / growthMs) ** 3;
  if (pacedMs < testAfterMs) return below;
  return below + limitPerSecond * TEST_GROWTH * ((pacedMs - testAfterMs) / MINUTE_MS) ** 3;
}

function firstEstimate({ accepted, refused, passedMs }: Seen): Estimate {
  const usedPerSecond = ((accepted + refused) * 1000) / passedMs;
  const share = passedMs > LONG_MS ? FIRST_SHARE_AFTER_LONG : FIRST_SHARE;
  return { startPerSecond: usedPerSecond * share, limitPerSecond: usedPerSecond };
}

function nextEstimate(course: Course, seen: Seen, burstAt: BurstAt): Estimate {
  const { accepted, refused, leastMs, pacedMs, usedPerSecond } = seen;
  if (pacedMs > course.testAfterMs) {
    // A refused test. At least as much is allowed as was accepted, and less than was sent at the end.
    const leastPerSecond = Math.min(usedPerSecond, (accepted * 1000) / leastMs);
    const limitPerSecond = Math.max(leastPerSecond, limitTested(course, pacedMs, usedPerSecond, burstAt));
    return { startPerSecond: AFTER_TEST * limitPerSecond, limitPerSecond };
  }
  // The limit is somewhere between what was accepted, pauses included, and what was sent. A request may be refused for what is missing in the
  // bucket for a part of it.
  const leastPerSecond = Math.min(usedPerSecond, ((accepted + refused / 4) * 1000) / leastMs);
  const middle = Math.sqrt(leastPerSecond * usedPerSecond);
  const least = accepted === 0 ? Math.max(middle, usedPerSecond / 2) : middle;
  return { startPerSecond: JUST_BELOW * least, limitPerSecond: Math.sqrt(least * usedPerSecond) };
}

/** The limit if the test that was refused has used up the burst. */
function limitTested(course: Course, pacedMs: number, usedPerSecond: number, burstAt: BurstAt): number {
  let [low, high] = [JUST_BELOW * course.limitPerSecond, usedPerSecond];
  for (let step = 0; step < 20; step++) {
    const middle = (low + high) / 2;
    if (excess(course, pacedMs, middle) > burstAt(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** What a test has sent beyond `perSecond` until now. */
function excess(course: Course, pacedMs: number, perSecond: number): number {
  const { limitPerSecond, testAfterMs } = course;
  const end = (pacedMs - testAfterMs) / MINUTE_MS;
  const above = perSecond / limitPerSecond - JUST_BELOW;
  const begin = Math.cbrt(above / TEST_GROWTH);
  const minutes = (TEST_GROWTH * (end ** 4 - begin ** 4)) / 4 - above * (end - begin);
  return Math.max(0, (minutes * limitPerSecond * MINUTE_MS) / 1000);
}

function inOtherUnit(course: Course, factor: number): Course {
  return { ...course, limitPerSecond: course.limitPerSecond * factor };
}

/** @returns `busyMs` at a later time */
function busyUntil({ firstSentMs, lastSentMs, busyMs }: Span, nowMs: number): number {
  return firstSentMs === undefined || nowMs <= firstSentMs
    ? busyMs
    : busyMs + Math.min(LONGEST_GAP_MS, Math.max(0, nowMs - lastSentMs));
}

function emptySpan(sinceMs: number): Span {
  const times = { sinceMs, firstSentMs: undefined, lastSentMs: sinceMs, pacedMs: 0, busyMs: 0 };
  return { ...times, accepted: { samples: 0, requests: 0, bytes: 0 } };
}
