// How long the next window is: pure functions. A window grows towards the target, as predicted from the last response, shrinks by halving,
// ends at the source's block borders, and may be longer than `window.max` where there are no samples.

const DAY_MS = 86_400_000;

/** Strides stop growing at this length: a stride that contains data has to be read again. */
export const LONGEST_STRIDE_MS = 30 * DAY_MS;

/**
 * If a longer first window does not fit, or is not likely to. Short enough for a source of a million series, long enough to predict from it what
 * two hours contain.
 */
const SHORT_FIRST_WINDOW_MS = 5 * 60_000;

/** The maximum growth in one step, as a power of two: enough to get from a short first window to two hours. */
const MAX_DOUBLINGS = 5;

/**
 * Prometheus and the stores derived from it keep two hours, counted from 1970, in a block, and no chunk crosses its border. If a chunk crosses
 * the border of a window, the source encodes it again for each side, which costs it more than everything else.
 */
export const BLOCK_MS = 2 * 3_600_000;

/** How many windows must succeed before a length that was too large is tried again. */
export const FINE_WINDOWS_BEFORE_RETRY = 16;

export interface WindowLimits {
  /** The minimum length. At this length a window is split by metric name instead. */
  readonly minMs: number;
  /** The maximum length of a window with samples. */
  readonly maxMs: number;
  readonly targetSamples: number;
  /** Size of the response in memory. */
  readonly targetBytes: number;
  /** Begin with a short window: a long one would not fit into memory, and nothing is gained by trying. */
  readonly startsShort?: boolean;
}

export interface WindowState {
  /** Length of the next window in whole milliseconds, before the last window is cut at the migration's end. */
  readonly lengthMs: number;
  /** How many windows directly before had no samples. */
  readonly emptyRun: number;
  /** The maximum length for windows with samples since one was too large; undefined if none was recently. */
  readonly ceilingMs: number | undefined;
  /** Successful windows with samples since the ceiling was set. */
  readonly fineRun: number;
  /** No window with samples was read yet, so nothing is known about how much the source has. */
  readonly isFirst: boolean;
}

export interface WindowOutcome {
  /** Samples inside the window. */
  readonly samples: number;
  /** Size of the response in memory. */
  readonly bytes: number;
  /** The bytes that do not depend on the window's length: the labels of its series, and what is kept for each. */
  readonly fixedBytes: number;
  /** The memory budget of one window. */
  readonly budgetBytes: number;
}

/**
 * Of a stream the longest that is allowed: most sources fit, and then no chunk is cut by a window that was only tried. SAMPLES take six times as
 * much memory, and the source makes all of the response before its length is known; but it need not encode chunks that a window cuts.
 */
export function firstWindow({ minMs, maxMs, startsShort = false }: WindowLimits): WindowState {
  const lengthMs = startsShort ? clamp(SHORT_FIRST_WINDOW_MS, minMs, maxMs) : maxMs;
  return { lengthMs, emptyRun: 0, ceilingMs: undefined, fineRun: 0, isFirst: true };
}

/** The end of a window that starts at `fromMs`: the next block border inside it, and never later than `endMs`. */
export function windowEndMs(fromMs: number, state: WindowState, endMs: number): number {
  const toMs = Math.min(endMs, fromMs + state.lengthMs);
  const borderMs = Math.floor(toMs / BLOCK_MS) * BLOCK_MS;
  return borderMs > fromMs ? borderMs : toMs;
}

/**
 * The state after a window that was read completely. For a stride that has to be read again (`mustReread`): the length to use.
 * @param requestedMs the length that was requested, if the window was cut at a border
 */
export function nextWindow(
  state: WindowState,
  outcome: WindowOutcome,
  limits: WindowLimits,
  requestedMs: number = state.lengthMs,
): WindowState {
  if (outcome.samples === 0) {
    return {
      ...state,
      // The first empty window may be the gap between two scrapes. Growing past a ceiling because of it would thrash.
      lengthMs: Math.min(
        state.lengthMs * 2,
        state.emptyRun === 0 ? dataLimitMs(state, limits) : Math.max(LONGEST_STRIDE_MS, limits.maxMs),
      ),
      emptyRun: state.emptyRun + 1,
    };
  }

  const fineRun =
    state.ceilingMs === undefined || mustReread(state, outcome, limits, requestedMs)
      ? state.fineRun
      : state.fineRun + 1;
  const fine: WindowState =
    fineRun >= FINE_WINDOWS_BEFORE_RETRY
      ? { ...state, emptyRun: 0, ceilingMs: undefined, fineRun: 0, isFirst: false }
      : { ...state, emptyRun: 0, fineRun, isFirst: false };
  // After a failure, grow gradually.
  const maxDoublings = fineRun >= FINE_WINDOWS_BEFORE_RETRY ? 1 : MAX_DOUBLINGS;
  const limitMs = dataLimitMs(fine, limits);
  const lengthMs = grown(state.lengthMs, requestedMs, outcome, limits, maxDoublings, limitMs);
  return { ...fine, lengthMs: clamp(lengthMs, limits.minMs, limitMs) };
}

/**
 * Whether a stride over an empty stretch found samples and is longer than a window with samples may be. Nothing of it may be written: the same
 * start is read again with `nextWindow`'s length.
 */
export function mustReread(
  state: WindowState,
  outcome: WindowOutcome,
  limits: WindowLimits,
  requestedMs: number = state.lengthMs,
): boolean {
  return outcome.samples > 0 && requestedMs > limits.maxMs;
}

/**
 * The length to try after the source or the memory budget reported that a window is too large; undefined at the minimum, where the window is
 * split by metric name. `askedMs` is the length that was requested, if the window was cut at the migration's end.
 */
export function halve(
  state: WindowState,
  limits: WindowLimits,
  requestedMs: number = state.lengthMs,
): WindowState | undefined {
  const triedMs = Math.min(requestedMs, state.lengthMs);
  if (triedMs <= limits.minMs) return undefined;
  const halfMs = Math.max(limits.minMs, Math.floor(triedMs / 2));
  if (state.isFirst && triedMs <= limits.maxMs && halfMs > SHORT_FIRST_WINDOW_MS) {
    // How much too large it was is not known. What a short window contains shows which length fits.
    return { ...state, lengthMs: clamp(SHORT_FIRST_WINDOW_MS, limits.minMs, limits.maxMs), emptyRun: 0 };
  }
  return {
    lengthMs: Math.min(halfMs, limits.maxMs),
    emptyRun: 0,
    // A stride that was too large says nothing about windows of normal length.
    ceilingMs: triedMs > limits.maxMs ? state.ceilingMs : halfMs,
    fineRun: 0,
    isFirst: state.isFirst,
  };
}

function grown(
  lengthMs: number,
  requestedMs: number,
  outcome: WindowOutcome,
  limits: WindowLimits,
  maxDoublings: number,
  limitMs: number,
): number {
  const samplesLoad = (times: number) => (outcome.samples * times) / limits.targetSamples;
  const bytesLoad = bytesLoadOf(outcome, limits);
  const load = (times: number) => Math.max(samplesLoad(times), bytesLoad(times));
  // Scaled as if the whole length had been requested.
  const whole = lengthMs / requestedMs;
  if (samplesLoad(1) > 1 || (bytesLoad(1) > 1 && !labelsDominate(outcome))) return Math.floor(requestedMs / 2);
  if (load(1) > 1) return lengthMs;
  if (load(whole) > 1) return Math.floor(lengthMs / 2);
  // Prefer a whole block to the next power of two.
  if (limitMs <= lengthMs * 2 ** maxDoublings && limitMs > lengthMs && load(limitMs / requestedMs) < 1) return limitMs;
  let doublings = 0;
  while (doublings < maxDoublings && load(whole * 2 ** (doublings + 1)) < 1) doublings++;
  return lengthMs * 2 ** doublings;
}

/** Most of the bytes are labels. A shorter window has the same labels; they are only read more often. */
function labelsDominate({ bytes, fixedBytes }: Pick<WindowOutcome, 'bytes' | 'fixedBytes'>): boolean {
  return fixedBytes > bytes / 2;
}

/** Windows are short because of memory, and labels take most of it: they can be longer if fewer series are read at once. */
export function isCrowded(
  outcome: Pick<WindowOutcome, 'bytes' | 'fixedBytes'>,
  lengthMs: number,
  limits: WindowLimits,
) {
  return lengthMs < limits.maxMs && outcome.bytes > limits.targetBytes && labelsDominate(outcome);
}

/** The size of the response for a window that is this many times as long, as a multiple of the target. */
function bytesLoadOf({ bytes, fixedBytes, budgetBytes }: WindowOutcome, limits: WindowLimits) {
  // Next to many labels there has to be room for some samples, or the labels would be read for few samples again and again.
  const withSamples = fixedBytes + (budgetBytes - fixedBytes) / 4;
  const targetBytes = Math.max(Math.min(limits.targetBytes, budgetBytes), withSamples);
  return (times: number) => (fixedBytes + (bytes - fixedBytes) * times) / targetBytes;
}

function dataLimitMs(state: WindowState, limits: WindowLimits): number {
  return Math.min(limits.maxMs, state.ceilingMs ?? limits.maxMs);
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}
