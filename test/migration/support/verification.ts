// Verifications as the engine reports them, for tests that run none.

import type { VerificationProgress } from '../../../src/migration/report/verification.ts';

/** One that has begun and found nothing. */
export function someVerification(changes: Partial<VerificationProgress> = {}): VerificationProgress {
  return {
    startMs: Date.UTC(2026, 0, 1),
    endMs: Date.UTC(2026, 0, 2),
    resumedFromMs: undefined,
    throughMs: Date.UTC(2026, 0, 1),
    reachedMs: Date.UTC(2026, 0, 1),
    seriesCompared: 0,
    samplesCompared: 0,
    equal: 0,
    missing: 0,
    extra: 0,
    different: 0,
    repeated: 0,
    expected: {},
    repaired: 0,
    first: [],
    firstPresent: [],
    bytesRead: 0,
    finished: false,
    isDivided: false,
    ...changes,
  };
}
