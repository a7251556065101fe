// What this process knows about the Jobs of one migration.

import type { DividedRange } from '../../execute/worker-messages.ts';
import { failedStretches, failingStretches, type JobFacts } from './job-facts.ts';
import { LeftJob } from './left-job.ts';
import { LastingTrouble } from './lasting-trouble.ts';
import { RepeatedActions } from './repeated-actions.ts';

/** What the status shows of a Job. */
export interface JobReport {
  readonly active: number;
  readonly failed: ReturnType<typeof failedStretches>;
  /** Which stretches fail. */
  readonly failing: string | undefined;
  readonly obstacle: string | undefined;
}

/** How long pods may be missing before their events are read: a pod that has ended is not replaced at once. */
const MISSING_MS = 15_000;
/** How long the container of a pod may take to start: its image is pulled, and its volumes are mounted. */
const STARTING_MS = 60_000;

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
  /** A Job that the operator does not manage. */
  readonly left = new LeftJob();
  /** The Job that the migration has; undefined: none, as far as is known, and no pods of one. */
  name: string | undefined;
  /** That a Job copies that must not; undefined if none does. */
  unstopped: string | undefined;
  /** Everything is copied: only the verification is left, and that needs no Job. */
  copied = false;
  /** Why the API server has refused the last change of a Job. */
  refusal: string | undefined;
  readonly repeated = new RepeatedActions();
  /** There are fewer pods than there should be. */
  missing = new LastingTrouble(MISSING_MS);
  /** A pod that has a node does not start. */
  starting = new LastingTrouble(STARTING_MS);

  /** A follower has started. */
  started(): void {
    this.divided = undefined;
    this.frozenEndMs = undefined;
    this.facts = undefined;
    this.refusal = undefined;
    this.missing = new LastingTrouble(MISSING_MS);
    this.starting = new LastingTrouble(STARTING_MS);
  }

  /** The division has been tried: another one follows, or none. */
  ended(): void {
    if (this.facts !== undefined) this.judged.add(this.facts.uid);
  }

  /** Undefined without a Job. */
  get report(): JobReport | undefined {
    const { facts, refusal } = this;
    if (facts === undefined) {
      return refusal === undefined ? undefined : { active: 0, failed: [], failing: undefined, obstacle: refusal };
    }
    return {
      active: facts.active,
      failed: failedStretches(facts),
      failing: failingStretches(facts),
      obstacle: facts.obstacle ?? refusal ?? this.missing.message ?? this.starting.message,
    };
  }
}
