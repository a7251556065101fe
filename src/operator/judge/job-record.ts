// What this process knows about the Jobs of one migration.

import type { DividedRange } from '../../execute/worker-messages.ts';
import { failedStretches, failingStretches, type JobFacts } from './job-facts.ts';

/** What the status shows of a Job. */
export interface JobReport {
  readonly active: number;
  readonly failed: ReturnType<typeof failedStretches>;
  /** Which stretches fail. */
  readonly failing: string | undefined;
  readonly obstacle: string | undefined;
}

export class JobRecord {
  /** What the current follower has found to be left; undefined until then. */
  divided: DividedRange | undefined;
  /** The Job that copies it. */
  facts: JobFacts | undefined;
  /** The end of the range that the follower was started with, because the manifest leaves it open and the Job has one. */
  frozenEndMs: number | undefined;
  readonly judged = new Set<string>();
  /** How many Jobs in a row have ended because their pods failed too often, although their marks had progressed. */
  exhausted = 0;
  /** Everything is copied: only the verification is left, and that needs no Job. */
  copied = false;
  /** Why the API server has refused the last Job, or the Job controller its pods; and when, on the monotonic clock. */
  refusal: { readonly message: string; readonly atMs: number } | undefined;

  /** Since when there are fewer pods than there should be, or since the events were read. On the monotonic clock. */
  missingSinceMs: number | undefined;

  /** A follower has started. */
  started(): void {
    this.divided = undefined;
    this.frozenEndMs = undefined;
    this.facts = undefined;
    this.refusal = undefined;
    this.missingSinceMs = undefined;
  }

  /** The division has been tried: another one follows, or none. */
  ended(): void {
    if (this.facts !== undefined) this.judged.add(this.facts.uid);
  }

  /** Undefined without a Job. */
  get report(): JobReport | undefined {
    const { facts, refusal } = this;
    if (facts === undefined && refusal === undefined) return undefined;
    const obstacle = facts?.obstacle ?? refusal?.message;
    return {
      active: facts?.active ?? 0,
      failed: facts === undefined ? [] : failedStretches(facts),
      failing: facts && failingStretches(facts),
      obstacle,
    };
  }
}
