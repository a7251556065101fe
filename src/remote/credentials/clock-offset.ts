// How far this machine's clock is from that of a server that rejects signatures of another time.

/** AWS accepts signatures for five minutes, and a clock that is in order is not off by this much. */
const TOLERATED_MS = 60_000;

export class ClockOffset {
  #offsetMs = 0;

  /** From this machine's clock to the server's, as far as it is known. */
  get ms(): number {
    return this.#offsetMs;
  }

  /**
   * Learns from the Date header of a refused request. It says when the server has responded, which may be long after the request was signed.
   * @param usedMs the offset with which the request was signed
   * @param nowMs the time of the response by this machine's clock
   * @returns whether the time in the request may be the reason
   */
  correct(date: string | undefined, usedMs: number, nowMs: number): boolean {
    const serverMs = date === undefined ? Number.NaN : Date.parse(date);
    const offsetMs = serverMs - nowMs;
    if (Number.isNaN(offsetMs) || Math.abs(offsetMs - usedMs) < TOLERATED_MS) return false;
    this.#offsetMs = offsetMs;
    return true;
  }
}
