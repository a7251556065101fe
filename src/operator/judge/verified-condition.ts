// The condition Verified: whether source and destination were compared, and with what result. Pure.

import type { PromMigrationSpec } from '../../api/prom-migration.ts';
import { isMatching, type VerificationProgress } from '../../migration/report/verification.ts';
import { formatExact } from '../../telemetry/format.ts';
import type { DesiredCondition, Reason } from './conditions.ts';
import { statusText } from './status-text.ts';
import type { Situation } from './situation.ts';
import { exactTime } from './status-counts.ts';
import { wantedVerification } from './verification-settings.ts';

/** Ends of a migration that show that a side could not be read to the end. */
const NOT_READABLE: readonly string[] = [
  'SourceRefused',
  'DestinationRefused',
  'ProgressRefused',
  'SourceUnreadable',
  'DestinationUnreadable',
  'ProgressNotKept',
  'LimitTooSmall',
];

export interface VerifiedInput {
  readonly spec: PromMigrationSpec;
  readonly situation: Situation;
  /** Undefined: it has not begun. */
  readonly verification: VerificationProgress | undefined;
}

export function verifiedCondition(input: VerifiedInput): DesiredCondition<'Verified'> {
  const { spec, situation, verification } = input;
  const meant = (status: DesiredCondition<'Verified'>['status'], reason: Reason<'Verified'>, message: string) =>
    ({ type: 'Verified', status, reason, message }) as const;
  if (wantedVerification(spec) === undefined) return meant('Unknown', 'NotRequested', 'spec.verification.mode is Off');
  if (verification === undefined) return meant('Unknown', 'NotFinished', 'the comparison follows the copy');
  // A worker reports that it has finished shortly before it ends. Its result counts together with its end.
  if (verification.finished && situation.kind === 'ended') {
    const found = resultText(verification);
    return isMatching(verification) ? meant('True', 'Matching', found) : meant('False', 'DifferencesFound', found);
  }
  const through = `compared through ${exactTime(verification.throughMs)}`;
  const obstacle = obstacleOf(situation);
  if (obstacle !== undefined) return meant('Unknown', 'NotReadable', statusText(`${through}: ${obstacle}`));
  // Without a time: a text that changes with every window would be written with every window.
  if (situation.kind === 'running') return meant('Unknown', 'Running', 'source and destination are being compared');
  return meant('Unknown', 'NotFinished', `interrupted, ${through}`);
}

function obstacleOf(situation: Situation): string | undefined {
  if (situation.kind === 'pausing' && situation.failures.reason === 'CredentialsRefused') {
    return situation.failures.message;
  }
  if (situation.kind !== 'ended' || situation.outcome.succeeded) return undefined;
  return NOT_READABLE.includes(situation.outcome.reason) ? situation.outcome.message : undefined;
}

/** What a verification has found, as one sentence. */
function resultText(found: VerificationProgress): string {
  const { samplesCompared, missing, different, repeated, extra, repaired } = found;
  const expected = Object.values(found.expected).reduce((sum, samples) => sum + samples, 0);
  const parts = [
    [missing, 'missing in the destination'],
    [different, 'with another value there'],
    [repeated, 'more than once there'],
    [extra, 'only there'],
    [expected, 'with an expected change'],
    [repaired, 'repaired'],
  ] as const;
  const shown = parts.filter(([samples]) => samples > 0).map(([samples, what]) => `${formatExact(samples)} ${what}`);
  const compared = `${formatExact(samplesCompared)} samples compared`;
  return shown.length === 0 ? `${compared}, all of them equal` : `${compared}: ${shown.join(', ')}`;
}
