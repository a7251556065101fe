// What a user can do about a condition or an error. docs/operations.md and docs/errors.md say more. Pure.

import { MIGRATION_CODES } from '../../migration/report/migration-codes.ts';
import { manifestPath, RESPONSE_CODES } from '../../remote/meaning/response-codes.ts';

/** By the reason of a condition. A reason that is not here needs nothing, or its message has the cure. */
export const CONDITION_CURES: Readonly<Record<string, string>> = {
  NoResumePoint: 'nothing, if you chose spec.destination.progress.protocol None',
  InvalidSpec: 'correct the field that the message names: kubectl edit pmig NAME',
  SecretNotFound: 'create the Secret, the ConfigMap or the key in this namespace; the operator sees it within a minute',
  SecretNotReadable: "grant the operator's service account get on this Secret",
  SecretUnusable: 'correct the content: it is empty, not PEM, or a key of another certificate',
  JobsDisabled:
    'start the operator with --jobs and --job-image (jobs.enabled of the chart), or set spec.execution.mode to InProcess',
  AmbientCredentialsDisabled: 'give the endpoint that the message names credentials of its own',
  PreflightBlocked: 'change what the message names; spec.preflight: Warn copies regardless',
  PreflightNotJudged: 'make the side that the message names respond; the operator looks again by itself',
  NotChecked: 'wait a moment; if it stays, check that an operator runs and watches this namespace',
  WaitingForWorker: 'wait, suspend other migrations, or raise --max-migrations (maxMigrations of the chart)',
  WaitingForPods: 'wait a minute; pods on a lost node end when the node is removed',
  Suspended: 'kubectl pmig resume NAME',
  OperatorStopped: 'start the operator: kubectl get pods -A -l app.kubernetes.io/name=prom-migrator',
  Deleting: 'the controllers in metadata.finalizers must remove their finalizers',
  SourceFailing: 'check that the source runs and is not overloaded; spec.limits.samplesPerSecond slows the copy down',
  DestinationFailing:
    'check that the destination runs and is not overloaded; spec.limits.samplesPerSecond slows the copy down',
  ProgressFailing: 'check that spec.destination.progress.url responds',
  CredentialsRefused: 'correct the Secret; the operator reads it again before each attempt',
  WorkerCrashed: 'lower spec.window.targetSamples, or give the operator more memory',
  WorkerHung: 'give the operator more CPU',
  JobIncomplete: 'nothing at first; if it repeats, find out what deletes Jobs or pods: kubectl get events',
  SamplesSkipped: 'make the destination accept such samples, or accept that they are missing',
  CompletedWithSkips: 'decide whether the samples in status.progress.samplesRejected matter',
  NothingFound: 'check spec.selectors, spec.source.tenant and the retention of the source',
  SamplesRejected: 'make the destination accept the samples, or set spec.rejectedSamples to Skip',
  StretchesFailed: 'see the failed stretches; then change the spec, which starts another Job',
  LimitTooSmall: 'raise spec.limits.memory, or lower spec.limits.inFlightWrites',
  EmptyRange: 'create another PromMigration with a correct spec.timeRange',
  DeadlineExceeded: 'raise spec.activeDeadlineSeconds; the migration then resumes',
  InternalError: 'a defect: kubectl pmig report NAME, and open an issue',
  DifferencesFound: 'prom-migrator verify --repair writes what is missing; see docs/guides/verify.md',
};

export function cureOfCondition(reason: string, name: string): string | undefined {
  return Object.hasOwn(CONDITION_CURES, reason) ? CONDITION_CURES[reason]?.replaceAll('NAME', name) : undefined;
}

/** Undefined if the code is unknown, or the message has its cure already. */
export function cureOfError(code: string, side: string | undefined, message: string): string | undefined {
  const codes: Readonly<Record<string, { readonly cure: string }>> = { ...RESPONSE_CODES, ...MIGRATION_CODES };
  if (!Object.hasOwn(codes, code)) return undefined;
  const known = side === 'source' || side === 'destination' || side === 'progress' ? side : undefined;
  const place = known === undefined ? 'spec.source or spec.destination' : manifestPath(known);
  const cure = codes[code]?.cure.replaceAll('spec.SIDE', place);
  return cure === undefined || message.includes(cure) ? undefined : cure;
}
