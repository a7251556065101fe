// What the engine needs from outside to run stretches.

import type { MigrationContext } from './migration-context.ts';
import type { StretchStarter } from './stretches/stretch-task.ts';

export interface StretchesContext extends MigrationContext, StretchStarter {
  /** Called once at the start with a function that changes `plan.execution.parallelism` at runtime. */
  readonly onParallelismAvailable?: (set: (parallelism: number) => void) => void;
}
