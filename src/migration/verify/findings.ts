// The differences of the range that is being compared. They count when all of it has been compared: a range whose response turns out to be
// undecodable is read again, and its differences are found again.

import type { Difference, DifferenceReceiver, ExpectedChange, VerificationProgress } from '../report/verification.ts';
import { earliest, noteFirst } from './verification-counts.ts';

type First = Pick<VerificationProgress, 'first'>;

export class Findings {
  readonly #verification: VerificationProgress;
  readonly #receiver: DifferenceReceiver | undefined;
  /** Of the range that is being compared. */
  #added: readonly [missing: First, others: First] = [{ first: [] }, { first: [] }];

  constructor(verification: VerificationProgress, receiver: DifferenceReceiver | undefined) {
    this.#verification = verification;
    this.#receiver = receiver;
  }

  add(difference: Difference): void {
    const [missing, others] = this.#added;
    noteFirst(difference.kind === 'missing' ? missing : others, difference);
    this.#receiver?.add(difference);
  }

  /** What was added counts. Waits until it is written. @throws the signal's reason */
  async keep(signal: AbortSignal): Promise<void> {
    const [missing, others] = this.#added;
    const { first, firstPresent } = this.#verification;
    this.#verification.firstPresent = earliest(firstPresent, others.first);
    this.#verification.first = earliest(earliest(first, missing.first), others.first);
    this.#forget();
    await this.#receiver?.keep(signal);
  }

  /** What was added since the last `keep` does not count. */
  discard(): void {
    this.#forget();
    this.#receiver?.discard();
  }

  /** Everything that is missing is expected. */
  expectMissing(reason: ExpectedChange): void {
    const { missing, expected } = this.#verification;
    this.#verification.expected = { ...expected, [reason]: (expected[reason] ?? 0) + missing };
    this.#verification.missing = 0;
    this.#verification.first = this.#verification.firstPresent;
    this.#receiver?.expectMissing(reason);
  }

  #forget(): void {
    this.#added = [{ first: [] }, { first: [] }];
  }
}
