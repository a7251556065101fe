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
import type { Check } from './judge/decide.ts';

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

export interface CheckOptions {
  readonly read: (migration: PromMigration) => Promise<SecretReading>;
  /** Whether this operator creates Jobs. */
  readonly hasJobs: boolean;
  /** How many checks in a row have failed before this one. */
  readonly failures: number;
}

/**
 * @throws whatever `read` throws when the API server gives no clear response
 */
export async function checkMigration(
  resource: PromMigration,
  { read, hasJobs, failures }: CheckOptions,
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
  if (migration.spec.execution.mode === 'Job' && !hasJobs) {
    const message =
      'spec.execution.mode Job needs an operator that creates Jobs: see its flags --jobs and --job-image. A Job that exists continues: delete it before another mode is set';
    return { check: { ok: false, reason: 'JobsDisabled', message, retryAtMs: clock.monotonicMs() + INVALID_AGAIN_MS } };
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
