// Which file and document a migration was read from, for messages about it. Kept by manifest.ts, asked by migration/plan.ts; a file of its
// own because each worker thread of the operator loads plan.ts and has no use for the parser and the validator behind manifest.ts.

import type { Problem } from './problem.ts';
import type { PromMigration } from './prom-migration.ts';

export type Origin = Pick<Problem, 'file' | 'document'>;

const ORIGINS = new WeakMap<PromMigration, Origin>();

export function rememberOrigin(migration: PromMigration, origin: Origin): void {
  ORIGINS.set(migration, origin);
}

/** Both unknown when it did not come from `loadManifests`. */
export function originOf(migration: PromMigration): Origin {
  return ORIGINS.get(migration) ?? { file: '', document: undefined };
}
