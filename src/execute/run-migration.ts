// Runs one migration to its end: undivided in this thread, or in stretches, side by side in threads of their own. What decides is
// spec.execution, and what earlier runs have left in the destination.

import { BeganInStretches } from '../migration/beginning.ts';
import { migrate } from '../migration/migrate.ts';
import type { MigrationContext } from '../migration/migration-context.ts';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { MigrationResult } from '../migration/report/observer.ts';
import { ownParallelism } from './own-parallelism.ts';

export interface RunContext extends MigrationContext {
  /** Called once at the start with a function that changes `plan.execution.parallelism` at runtime. */
  readonly onParallelismAvailable?: (set: (parallelism: number) => void) => void;
}

/** Never rejects. */
export async function runMigration(plan: MigrationPlan, context: RunContext): Promise<MigrationResult> {
  if (plan.stretch !== undefined) return await migrate(plan, context);
  const parallelism = new Parallelism(plan, context);
  if (!parallelism.divides) {
    try {
      // If the parallelism is raised, the windows in flight are finished before the range is divided.
      const stop = AbortSignal.any([context.stop, parallelism.changed]);
      const continues = () => parallelism.divides && !context.stop.aborted && !context.abort.aborted;
      const result = await migrate(plan, { ...context, stop, continues });
      if (isEnd(result.progress.phase)) return result;
    } catch (error) {
      if (!(error instanceof BeganInStretches)) throw error;
    }
  }
  return await inStretches(plan, context, parallelism);
}

function isEnd(phase: MigrationResult['progress']['phase']): boolean {
  return phase === 'Succeeded' || phase === 'Failed' || phase === 'Interrupted';
}

/** How many stretches run at once, from the plan or as it was changed since. */
class Parallelism {
  readonly #plan: MigrationPlan;
  readonly #changed = new AbortController();
  #value: number;
  #apply: ((parallelism: number) => void) | undefined;

  constructor(plan: MigrationPlan, context: RunContext) {
    this.#plan = plan;
    this.#value = ownParallelism(plan);
    context.onParallelismAvailable?.((parallelism) => {
      this.#value = parallelism;
      if (this.divides) this.#changed.abort();
      this.#apply?.(parallelism);
    });
  }

  get value(): number {
    return this.#value;
  }

  /** Whether the range has to be divided. */
  get divides(): boolean {
    return this.#value > 1 || this.#plan.execution.order === 'NewestFirst';
  }

  /** Aborted when the range has to be divided. */
  get changed(): AbortSignal {
    return this.#changed.signal;
  }

  /** The value may already have changed. */
  onChange(apply: (parallelism: number) => void): void {
    this.#apply = apply;
    apply(this.#value);
  }
}

async function inStretches(
  plan: MigrationPlan,
  context: RunContext,
  parallelism: Parallelism,
): Promise<MigrationResult> {
  // Loaded here, because a migration in one thread needs neither this nor what starts threads.
  const { copyInStretches } = await import('../migration/copy-in-stretches.ts');
  const { withStarter } = await import('./start-stretches.ts');
  const own = { current: () => parallelism.value, mayGrow: context.onParallelismAvailable !== undefined };
  return await withStarter(context, own, (starter) => {
    const { execution } = plan;
    const current = { ...plan, execution: { ...execution, parallelism: parallelism.value } };
    const onParallelismAvailable = (set: (value: number) => void) => parallelism.onChange(set);
    return copyInStretches(current, { ...context, ...starter, onParallelismAvailable });
  });
}
