// What is known about the verification of one migration over all its starts. It begins with the status that an earlier operator left, and is
// updated from the reports of the workers.

import type { PromMigrationSpec } from '../../api/prom-migration.ts';
import type { PromMigrationStatus, VerificationSettings } from '../../api/prom-migration-status.ts';
import type { Difference, ResumedVerification, VerificationProgress } from '../../migration/report/verification.ts';
import { verificationIn } from './status-verification.ts';
import { isSameSettings, wantedVerification } from './verification-settings.ts';

const MAX_FIRST = 10;

export class VerificationTrack {
  #settings: VerificationSettings | undefined;
  #progress: VerificationProgress | undefined;
  /** What earlier attempts have found. The engine resumes their counts, but does not know their differences. */
  #earlierFirst: readonly Difference[] = [];

  constructor(status: PromMigrationStatus | undefined, range: { readonly startMs: number; readonly endMs: number }) {
    const shown = verificationIn(status, range);
    this.#settings = shown?.settings;
    this.#progress = shown?.progress;
  }

  /** With whatever settings it is made. */
  get current(): VerificationProgress | undefined {
    return this.#progress;
  }

  /** The verification with the settings of this spec; undefined before it begins. */
  of(spec: PromMigrationSpec): VerificationProgress | undefined {
    return isSameSettings(wantedVerification(spec), this.#settings) ? this.#progress : undefined;
  }

  /** Where the next attempt may resume; undefined if it has to begin at the start of the range. */
  resumable(spec: PromMigrationSpec): ResumedVerification | undefined {
    const progress = this.of(spec);
    if (progress === undefined || progress.finished || progress.isDivided || progress.throughMs <= progress.startMs)
      return undefined;
    const { seriesCompared, samplesCompared, equal, missing, extra, different, repeated, repaired } = progress;
    const counts = { seriesCompared, samplesCompared, equal, missing, extra, different, repeated, repaired };
    return { throughMs: progress.throughMs, counts: { ...counts, expected: { ...progress.expected } } };
  }

  attemptStarted(spec: PromMigrationSpec): void {
    if (this.resumable(spec) === undefined) this.#progress = undefined;
    this.#settings = wantedVerification(spec);
    this.#earlierFirst = this.#progress?.first ?? [];
  }

  /** Takes over a worker's report. @returns whether something was compared since the last one */
  report(progress: VerificationProgress | undefined): boolean {
    if (progress === undefined) return false;
    const { resumedFromMs = Number.NEGATIVE_INFINITY, missing } = progress;
    // At the end, all that is missing may turn out to be expected.
    const earlier = this.#earlierFirst.filter(
      ({ timestampMs, kind }) => timestampMs < resumedFromMs && (kind !== 'missing' || missing > 0),
    );
    const before = this.#progress;
    this.#progress = { ...progress, first: [...earlier, ...progress.first].slice(0, MAX_FIRST) };
    return before === undefined || before.reachedMs !== progress.reachedMs || before.throughMs !== progress.throughMs;
  }

  /** A verification is no longer wanted: a later one is a new one. */
  forget(): void {
    this.#settings = undefined;
    this.#progress = undefined;
  }
}
