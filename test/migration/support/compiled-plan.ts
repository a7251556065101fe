// Manifests compiled into plans, for the tests of the compiler.

import assert from 'node:assert/strict';
import type { MigrationPlan } from '../../../src/migration/plan/migration-plan.ts';
import { compilePlan } from '../../../src/migration/plan/plan.ts';
import { type Changes, changed, documents, linesOf, load, secret } from '../../api/manifests.ts';

/** The compiled manifest, with a Secret `s` that contains these values. */
export function compile(
  changes: Changes,
  values: Readonly<Record<string, string>> = {},
): ReturnType<typeof compilePlan> {
  const loaded = load(documents(changed(changes), secret('s', values)));
  assert.ok('migration' in loaded, linesOf(loaded).join('\n'));
  return compilePlan(loaded.migration, loaded.secrets);
}

export function planOf(changes: Changes, values: Readonly<Record<string, string>> = {}): MigrationPlan {
  const compiled = compile(changes, values);
  assert.ok('plan' in compiled, linesOf(compiled).join('\n'));
  return compiled.plan;
}
