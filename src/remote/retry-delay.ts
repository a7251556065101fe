// How long to wait before the next attempt. Pure; called by whoever repeats a request after a transient RemoteError.

const baseMs = 500;
const capMs = 30_000;

/**
 * Milliseconds to wait after attempt number `attempt` (from 1) failed: exponential with full jitter, so that many lanes that failed
 * together do not come back together; doubles from 500 ms up to 30 s. Never below `retryAfterMs`, what the server asked for: the
 * jitter is then spread over what lies above it.
 */
export function retryDelayMs(attempt: number, random: () => number, retryAfterMs = 0): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return retryAfterMs + Math.floor(random() * (retryAfterMs > 0 ? Math.min(ceilingMs, baseMs) : ceilingMs));
}
