// What `run` and `verify` have in common: both work on one migration until its end. What differs between them is in a `Job`.

import type { ManifestFile } from '../api/manifest.ts';
import type { Problem } from '../api/problem.ts';
import type { MigrationContext } from '../migration/migration-context.ts';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { MigrationResult } from '../migration/report/observer.ts';
import type { VerifyOptions } from '../migration/verify-copy.ts';
import type { PreflightContext } from '../migration/preflight.ts';
import type { PreflightResult } from '../migration/preflight/preflight-result.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { CommandCode } from './error-codes.ts';
import type { ExitStatus, InterruptSignal } from './exit-codes.ts';
import type { Command } from './flags.ts';
import type { Interrupts } from './interrupt.ts';
import type { CommandIo } from './io.ts';

export type PreparedPlan = { readonly plan: MigrationPlan } | { readonly problems: readonly Problem[] };

/** The part of api/ and migration/ that these commands need. */
export interface RunEngine {
  prepare(files: readonly ManifestFile[], secretsDir: string | undefined): PreparedPlan;
  migrate(plan: MigrationPlan, context: MigrationContext): Promise<MigrationResult>;
  verify(plan: MigrationPlan, context: MigrationContext, options: VerifyOptions): Promise<MigrationResult>;
  preflight(plan: MigrationPlan, context: PreflightContext): Promise<PreflightResult>;
}

/** What differs between the commands that run one migration to its end. */
export interface Job {
  readonly command: Command;
  /** The plan that is run, if it is not the one of the manifest. */
  readonly partOf?: (plan: MigrationPlan, stdin: CommandIo['stdin']) => Promise<PreparedPlan>;
  work(engine: RunEngine, plan: MigrationPlan, context: MigrationContext): Promise<MigrationResult>;
  log(logger: Logger, result: MigrationResult, interrupts: Interrupts): void;
  /** For stdout. */
  json(migration: string, result: MigrationResult, durationMs: number): object;
  text(migration: string, result: MigrationResult, durationMs: number): string;
  /** The JSON if the migration could not be started. */
  refused(message: string): object;
  exitStatus(result: MigrationResult, interruptedBy: InterruptSignal | undefined): ExitStatus;
}

export const BAD_MANIFEST = 'bad-manifest' satisfies CommandCode;
export const BAD_USAGE = 'bad-usage' satisfies CommandCode;
