// How long the next window is: arithmetic alone, for the planner that reads them. A window grows towards the target that the last response
// foretells, shrinks by halving, ends where the source's blocks do, and crosses empty stretches in strides that no ordering rule limits.

const DAY_MS = 86_400_000;

/** Empty strides stop growing here: one that turns out to hold data has to be read again. */
export const LONGEST_STRIDE_MS = 30 * DAY_MS;

/** Short enough for a source of a million series, long enough to foretell from it what two hours hold. */
const FIRST_WINDOW_MS = 5 * 60_000;

/** The most that a window may grow at once, as a power of two: from the first one to two hours. */
const MOST_DOUBLINGS = 5;

/**
 * Prometheus and all that descend from it keep two hours, counted from 1970, in a block, and no chunk crosses its border. A chunk that
 * crosses the border of a window is encoded anew by the source for either side, which costs it more than all the rest.
 */
export const BLOCK_MS = 2 * 3_600_000;

/** How many windows must go well before a length that was too much is tried again. */
export const FINE_WINDOWS_BEFORE_RETRY = 16;

export interface WindowLimits {
  /** The floor; below it a window is split by metric name. */
  readonly minMs: number;
  /** The longest window that may carry samples. */
  readonly maxMs: number;
  readonly targetSamples: number;
  /** Of the response as it is held in memory. */
  readonly targetBytes: number;
}

export interface WindowState {
  /** Length of the next window, whole milliseconds; the caller cuts the last one at the migration's end. */
  readonly lengthMs: number;
  /** How many windows without a sample lie directly behind. */
  readonly emptyRun: number;
  /** The longest that windows with samples may grow to since one was too large; undefined when none was lately. */
  readonly ceilingMs: number | undefined;
  /** Windows with samples that went well since the ceiling was set. */
  readonly fineRun: number;
}

export interface WindowOutcome {
  /** Samples inside the window. */
  readonly samples: number;
  /** Of the response as it was held in memory. */
  readonly bytes: number;
  /** As many of them as every window has of whatever length: the labels of its series. */
  readonly fixedBytes: number;
  /** What the memory budget grants to one window. */
  readonly budgetBytes: number;
}

export function firstWindow(limits: WindowLimits): WindowState {
  return {
    lengthMs: clamp(FIRST_WINDOW_MS, limits.minMs, limits.maxMs),
    emptyRun: 0,
    ceilingMs: undefined,
    fineRun: 0,
  };
}

/** Where a window from `fromMs` ends: at a block's border when there is one in it, and in any case at `endMs`. */
export function windowEndMs(fromMs: number, state: WindowState, endMs: number): number {
  const toMs = Math.min(endMs, fromMs + state.lengthMs);
  const borderMs = Math.floor(toMs / BLOCK_MS) * BLOCK_MS;
  return borderMs > fromMs ? borderMs : toMs;
}

/**
 * The window after one that was read completely. For one that has to be read again (`mustReread`): the length to do it with.
 * @param askedMs what was really asked, when the window was cut at a border
 */
export function nextWindow(
  state: WindowState,
  outcome: WindowOutcome,
  limits: WindowLimits,
  askedMs: number = state.lengthMs,
): WindowState {
  if (outcome.samples === 0) {
    return {
      ...state,
      // The first empty window may be a scrape interval's pause: growing past a ceiling on its account would thrash.
      lengthMs: Math.min(
        state.lengthMs * 2,
        state.emptyRun === 0 ? dataLimitMs(state, limits) : Math.max(LONGEST_STRIDE_MS, limits.maxMs),
      ),
      emptyRun: state.emptyRun + 1,
    };
  }

  const fineRun =
    state.ceilingMs === undefined || mustReread(state, outcome, limits, askedMs) ? state.fineRun : state.fineRun + 1;
  const fine: WindowState =
    fineRun >= FINE_WINDOWS_BEFORE_RETRY
      ? { ...state, emptyRun: 0, ceilingMs: undefined, fineRun: 0 }
      : { ...state, emptyRun: 0, fineRun };
  // What was too much before is felt for, not jumped to.
  const mostDoublings = fineRun >= FINE_WINDOWS_BEFORE_RETRY ? 1 : MOST_DOUBLINGS;
  const limitMs = dataLimitMs(fine, limits);
  const lengthMs = grown(state.lengthMs, askedMs, outcome, limits, mostDoublings, limitMs);
  return { ...fine, lengthMs: clamp(lengthMs, limits.minMs, limitMs) };
}

/**
 * Whether a stride over an empty stretch ran into samples and is longer than a window with samples may be: nothing of it may be
 * written, the same start is read again with `nextWindow`'s length.
 */
export function mustReread(
  state: WindowState,
  outcome: WindowOutcome,
  limits: WindowLimits,
  askedMs: number = state.lengthMs,
): boolean {
  return outcome.samples > 0 && askedMs > limits.maxMs;
}

/**
 * The length to try after the source or the memory budget said that a window is too much; undefined at the floor, where the window
 * is split by metric name. `askedMs` is the length that was really asked, when it was cut at the migration's end.
 */
export function halve(
  state: WindowState,
  limits: WindowLimits,
  askedMs: number = state.lengthMs,
): WindowState | undefined {
  const triedMs = Math.min(askedMs, state.lengthMs);
  if (triedMs <= limits.minMs) return undefined;
  const halfMs = Math.max(limits.minMs, Math.floor(triedMs / 2));
  return {
    lengthMs: Math.min(halfMs, limits.maxMs),
    emptyRun: 0,
    // A stride that was too large says nothing about windows of ordinary length.
    ceilingMs: triedMs > limits.maxMs ? state.ceilingMs : halfMs,
    fineRun: 0,
  };
}

function grown(
  lengthMs: number,
  askedMs: number,
  outcome: WindowOutcome,
  limits: WindowLimits,
  mostDoublings: number,
  limitMs: number,
): number {
  const { fixedBytes, budgetBytes } = outcome;
  // Labels that take more than the target are not less in a shorter window, only read more often.
  const leastTarget = fixedBytes < limits.targetBytes ? 0 : fixedBytes + (budgetBytes - fixedBytes) / 4;
  const targetBytes = Math.max(leastTarget, Math.min(limits.targetBytes, budgetBytes));
  const load = (times: number) =>
    Math.max(
      (outcome.samples * times) / limits.targetSamples,
      (fixedBytes + (outcome.bytes - fixedBytes) * times) / targetBytes,
    );
  if (load(1) > 1) return Math.floor(askedMs / 2);
  // As if all of the length had been asked for.
  const whole = lengthMs / askedMs;
  if (load(whole) > 1) return Math.floor(lengthMs / 2);
  // A whole block is worth more than the next power of two.
  if (limitMs <= lengthMs * 2 ** mostDoublings && limitMs > lengthMs && load(limitMs / askedMs) < 1) return limitMs;
  let doublings = 0;
  while (doublings < mostDoublings && load(whole * 2 ** (doublings + 1)) < 1) doublings++;
  return lengthMs * 2 ** doublings;
}

function dataLimitMs(state: WindowState, limits: WindowLimits): number {
  return Math.min(limits.maxMs, state.ceilingMs ?? limits.maxMs);
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}
