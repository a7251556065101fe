// Whether a PromMigration can be run: validates it with the code of `prom-migrator run`, reads its Secrets, and compiles its plan.

import type { PromMigration } from '../api/prom-migration.ts';
import { formatProblem } from '../api/problem.ts';
import { formatPath } from '../api/field-path.ts';
import { referencesOf, type SecretSource } from '../api/secret-source.ts';
import { validateMigration } from '../api/validate.ts';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import { compilePlan } from '../migration/plan/plan.ts';
import type { Clock } from '../telemetry/clock.ts';
import { pauseMs } from './judge/attempt.ts';
import { ambientFields } from './ambient-credentials.ts';
import type { Check } from './judge/check-result.ts';

/** The result of reading the references of a migration. */
export interface SecretReading {
  readonly source: SecretSource;
  readonly problems: readonly {
    readonly reason: 'SecretNotFound' | 'SecretKeyNotFound' | 'SecretForbidden';
    readonly message: string;
  }[];
}

export interface Checked {
  readonly check: Check;
  /** For the worker; undefined if the check failed. */
  readonly plan?: MigrationPlan;
}

/** An invalid spec can become valid without an edit only if the problem depends on the current time. */
const INVALID_AGAIN_MS = 5 * 60_000;
/** A missing Secret is often created soon. */
const LONGEST_SECRET_PAUSE_MS = 60_000;
/** A Job is gone, or a right is granted, without a change of the migration. */
const JOBS_AGAIN_MS = 30_000;

export interface CheckOptions {
  readonly read: (migration: PromMigration) => Promise<SecretReading>;
  /** Why this operator cannot copy the migration in a Job; undefined if it can. */
  readonly noJobs: string | undefined;
  /** Why the operator must not copy the migration itself yet: a Job of it may copy. Undefined if it may. */
  readonly whyWait: () => Promise<string | undefined>;
  /** Whether migrations may use the identity of the operator's own pod. */
  readonly allowsAmbient: boolean;
  /** How many checks in a row have failed before this one. */
  readonly failures: number;
}

/**
 * @throws whatever `read` throws when the API server gives no clear response
 */
export async function checkMigration(
  resource: PromMigration,
  { read, noJobs, whyWait, allowsAmbient, failures }: CheckOptions,
  clock: Pick<Clock, 'now' | 'monotonicMs'>,
): Promise<Checked> {
  const { apiVersion, kind, metadata, spec } = resource;
  // Without the status: one written by another version may have fields that this version does not know.
  const validated = validateMigration({ apiVersion, kind, metadata, spec }, clock.now());
  if ('problems' in validated) {
    const message = validated.problems
      .map((problem) => formatProblem({ ...problem, file: '', document: undefined }))
      .join('; ');
    return { check: { ok: false, reason: 'InvalidSpec', message, retryAtMs: clock.monotonicMs() + INVALID_AGAIN_MS } };
  }
  const { migration } = validated;
  const jobProblem = await problemWithJobs(migration, { noJobs, whyWait });
  if (jobProblem !== undefined) {
    const retryAtMs = clock.monotonicMs() + JOBS_AGAIN_MS;
    return { check: { ok: false, reason: 'JobsDisabled', message: jobProblem, retryAtMs } };
  }
  const ambient = allowsAmbient ? [] : ambientFields(migration);
  if (ambient.length > 0) {
    const message = `${ambient.join(', ')}: the operator would use the identity of its own pod, which needs its flag --ambient-credentials. Give the endpoint credentials of its own, or let a Job copy (spec.execution.mode Job, without verification) and give at least spec.destination.progress credentials of its own`;
    const retryAtMs = clock.monotonicMs() + INVALID_AGAIN_MS;
    return { check: { ok: false, reason: 'AmbientCredentialsDisabled', message, retryAtMs } };
  }
  const { source, problems } = await read(migration);
  const secretAgainMs = Math.min(pauseMs(failures + 1), LONGEST_SECRET_PAUSE_MS);
  const [first] = problems;
  if (first !== undefined) {
    const reason = first.reason === 'SecretForbidden' ? 'SecretNotReadable' : 'SecretNotFound';
    const message = problems.map((problem) => problem.message).join('; ');
    return { check: { ok: false, reason, message, retryAtMs: clock.monotonicMs() + secretAgainMs } };
  }
  const compiled = compilePlan(migration, source);
  if ('problems' in compiled) {
    const paths = referencesOf(migration).map(({ path }) => formatPath(path));
    const aboutSecrets = compiled.problems.every((problem) => paths.some((path) => path.startsWith(problem.path)));
    const message = compiled.problems.map((problem) => formatProblem({ ...problem, file: '' })).join('; ');
    return aboutSecrets
      ? { check: { ok: false, reason: 'SecretUnusable', message, retryAtMs: clock.monotonicMs() + secretAgainMs } }
      : { check: { ok: false, reason: 'InvalidSpec', message, retryAtMs: clock.monotonicMs() + INVALID_AGAIN_MS } };
  }
  return {
    check: { ok: true, id: compiled.plan.id, noResumePoint: compiled.plan.progress.protocol === 'None' },
    plan: compiled.plan,
  };
}

/** Two copies at once would write samples twice, so a Job that this operator cannot stop comes first. */
async function problemWithJobs(
  { spec }: PromMigration,
  { noJobs, whyWait }: Pick<CheckOptions, 'noJobs' | 'whyWait'>,
): Promise<string | undefined> {
  if (spec.execution.mode !== 'Job') return await whyWait();
  return noJobs === undefined ? undefined : `spec.execution.mode Job is not possible: ${noJobs}`;
}
