// When a token is replaced by a new one. Pure.

/** All times are monotonic. */
export interface Lease {
  readonly issuedMs: number;
  /** Undefined: without an end. */
  readonly lifeMs: number | undefined;
}

export type RefreshDecision =
  | 'use'
  /** It is still valid: use it while a new one is requested. */
  | 'use-and-refresh'
  /** It has expired, or expires before a request could arrive. */
  | 'wait';

/** A token that is older than this part of its life is replaced. */
const OLD_SHARE = 0.8;
const LAST_MS = 60_000;
/** For the way to the server. */
const MARGIN_MS = 5_000;
/** Between two attempts while the old token is valid. */
const PAUSE_MS = 10_000;

/** At 80 % of its life or a minute before its end, whichever is earlier, but not in the first half of its life. */
export function refreshAtMs({ issuedMs, lifeMs }: Lease): number {
  if (lifeMs === undefined) return Number.POSITIVE_INFINITY;
  return issuedMs + Math.min(lifeMs * OLD_SHARE, Math.max(lifeMs - LAST_MS, lifeMs / 2));
}

/** @param failedMs when the last request for a new token failed, if none has succeeded since */
export function decideRefresh(lease: Lease, nowMs: number, failedMs: number | undefined): RefreshDecision {
  const { issuedMs, lifeMs } = lease;
  if (nowMs < refreshAtMs(lease)) return 'use';
  // Infinite if there is no life time.
  const endMs = issuedMs + (lifeMs ?? Number.POSITIVE_INFINITY);
  if (nowMs >= endMs - Math.min(MARGIN_MS, (lifeMs ?? 0) * 0.05)) return 'wait';
  return failedMs !== undefined && nowMs - failedMs < PAUSE_MS ? 'use' : 'use-and-refresh';
}
