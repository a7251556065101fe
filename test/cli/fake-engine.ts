// An engine that copies nothing and does what the test specifies.

import type { RunEngine } from '../../src/cli/job.ts';
import type { MigrationContext } from '../../src/migration/migration-context.ts';
import type { MigrationPlan } from '../../src/migration/plan/migration-plan.ts';
import { initialProgress, type MigrationProgress, type MigrationResult } from '../../src/migration/report/observer.ts';

export const startMs = Date.UTC(2026, 0, 1);
export const endMs = Date.UTC(2026, 0, 2);

export function someProgress(changes: Partial<MigrationProgress> = {}): MigrationProgress {
  return {
    ...initialProgress(startMs, endMs),
    phase: 'Running',
    reachedMs: changes.watermarkMs ?? startMs,
    ...changes,
  };
}

export function finished(changes: Partial<MigrationProgress> = {}): MigrationResult {
  return { progress: someProgress({ phase: 'Succeeded', watermarkMs: endMs, ...changes }) };
}

export interface FakeEngine extends RunEngine {
  prepared: { files: readonly { name: string; text: string }[]; secretsDir: string | undefined } | undefined;
}

export function fakeEngine(
  migrate: (context: MigrationContext) => MigrationResult | Promise<MigrationResult>,
): FakeEngine {
  const engine: FakeEngine = {
    prepared: undefined,
    prepare(files, secretsDir) {
      engine.prepared = { files: files.map(({ name, text }) => ({ name, text: text.reveal() })), secretsDir };
      // The command reads no other field of the plan.
      return { plan: { migration: 'default/demo' } as MigrationPlan };
    },
    migrate: async (_plan, context) => migrate(context),
    verify: async (_plan, context) => migrate(context),
    preflight: async ({ migration }) => ({
      ...{ migration, findings: [], unjudged: [], servers: {} },
      ...{ estimate: undefined, recommended: undefined },
    }),
  };
  return engine;
}
