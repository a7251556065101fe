// What a verification counts and reports. The observer reports it too, and report/ may not import this folder, so it stands there.

export { EXPECTED_CHANGES, type ExpectedChange, isMatching } from '../report/verification.ts';
export type {
  Difference,
  DifferenceKind,
  ResumedVerification,
  VerificationCounts,
  VerificationProgress,
} from '../report/verification.ts';
