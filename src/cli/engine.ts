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
    migrate: runMigration,
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
