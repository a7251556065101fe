// The engine that the commands run: manifests from api/, migrations from migration/.

import { loadManifests } from '../api/manifest.ts';
import { runMigration } from '../execute/run-migration.ts';
import { compilePlan } from '../migration/plan/plan.ts';
import { keepHeapSmall } from '../telemetry/small-heap.ts';
import type { RunEngine } from './job.ts';

export function createEngine(): RunEngine {
  keepHeapSmall();
  return {
    prepare(files, secretsDir) {
      const loaded = loadManifests(files, secretsDir);
      return 'problems' in loaded ? loaded : compilePlan(loaded.migration, loaded.secrets);
    },
    async migrate(plan, context) {
      // The pods of a Job copy what the operator has looked at.
      if (plan.preflight !== 'Enforce' || plan.stretch !== undefined) return await runMigration(plan, context);
      const { runEnforced } = await import('../execute/run-enforced.ts');
      return await runEnforced(plan, context);
    },
    async verify(plan, context, options) {
      const { runVerification } = await import('../execute/run-verification.ts');
      return await runVerification(plan, context, options);
    },
    async preflight(plan, context) {
      const { preflight } = await import('../migration/preflight.ts');
      return await preflight(plan, context);
    },
  };
}
