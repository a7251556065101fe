// The differences of the range that is being compared. They count when all of it has been compared: a range whose response turns out to be
// undecodable is read again, and its differences are found again.

import type { Difference, DifferenceReceiver, VerificationProgress } from '../report/verification.ts';
import { noteFirst } from './verification-counts.ts';

export class Findings {
  readonly #verification: VerificationProgress;
  readonly #receiver: DifferenceReceiver | undefined;
  #first: Pick<VerificationProgress, 'first'> = { first: [] };

  constructor(verification: VerificationProgress, receiver: DifferenceReceiver | undefined) {
    this.#verification = verification;
    this.#receiver = receiver;
  }

  add(difference: Difference): void {
    noteFirst(this.#first, difference);
    this.#receiver?.add(difference);
  }

  /** What was added counts. */
  keep(): void {
    for (const difference of this.#first.first) noteFirst(this.#verification, difference);
    this.#first = { first: [] };
    this.#receiver?.keep();
  }

  /** What was added since the last `keep` does not count. */
  discard(): void {
    this.#first = { first: [] };
    this.#receiver?.discard();
  }
}
