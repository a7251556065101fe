// How far this machine's clock is from that of a server that rejects signatures of another time.

/** AWS accepts signatures for five minutes, and a clock that is in order is not off by this much. */
const TOLERATED_MS = 60_000;

export class ClockOffset {
  #offsetMs = 0;

  /** The time by the server's clock, as far as it is known. */
  adjusted(nowMs: number): number {
    return nowMs + this.#offsetMs;
  }

  /**
   * Learns from the Date header of a refused request.
   * @param signedMs the time in the request
   * @returns whether the time in the request may be the reason
   */
  correct(date: string | undefined, signedMs: number, nowMs: number): boolean {
    const serverMs = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isNaN(serverMs) || Math.abs(serverMs - signedMs) < TOLERATED_MS) return false;
    this.#offsetMs = serverMs - nowMs;
    return true;
  }
}
