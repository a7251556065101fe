// The delay before a request is repeated after a transient RemoteError. Pure.

import { backoffMs, fullJitter } from '../telemetry/backoff.ts';

const BACKOFF = { firstMs: 500, maxMs: 30_000 };

/**
 * Milliseconds to wait after attempt number `attempt` (from 1) failed: exponential, from 500 ms up to 30 s, with full jitter, so that many
 * lanes that failed together do not retry together. Never below `retryAfterMs`, which the server requested: the jitter then applies only
 * above it.
 */
export function retryDelayMs(attempt: number, random: () => number, retryAfterMs = 0): number {
  const ceilingMs = backoffMs(BACKOFF, attempt);
  return retryAfterMs + fullJitter(retryAfterMs > 0 ? Math.min(ceilingMs, BACKOFF.firstMs) : ceilingMs, random);
}
