// The file and document that a migration was read from, for messages about it. It is a file of its own because each worker thread of the
// operator loads plan.ts and does not need the parser and the validator behind manifest.ts.

import type { Problem } from './problem.ts';
import type { PromMigration } from './prom-migration.ts';

export type Origin = Pick<Problem, 'file' | 'document'>;

const ORIGINS = new WeakMap<PromMigration, Origin>();

export function rememberOrigin(migration: PromMigration, origin: Origin): void {
  ORIGINS.set(migration, origin);
}

/** Both fields are unknown if the migration did not come from `loadManifests`. */
export function originOf(migration: PromMigration): Origin {
  return ORIGINS.get(migration) ?? { file: '', document: undefined };
}
