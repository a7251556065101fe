// What the source has shown that it can do. Readers of the same source share it: one that begins later does not start without trust.

export class SourceProof {
  #source = false;
  #stream = false;

  /** Whether the source has given any good response. */
  get source(): boolean {
    return this.#source;
  }

  /** Whether it has given a good stream. */
  get stream(): boolean {
    return this.#stream;
  }

  /** A good response. */
  responded(streamed: boolean): void {
    this.#source = true;
    this.#stream ||= streamed;
  }
}
