// Where the stretches of a migration run: in threads of their own, or in this one if they follow one another.

import type { MigrationContext } from '../migration/migration-context.ts';
import type { StretchStarter } from '../migration/stretches/stretch-task.ts';
import { startHere } from './start-here.ts';
import type { StretchThreads } from './stretch-threads.ts';

interface OwnParallelism {
  readonly current: () => number;
  readonly mayGrow: boolean;
}

/** Ends the threads afterwards. */
export async function withStarter<T>(
  context: MigrationContext,
  { current, mayGrow }: OwnParallelism,
  use: (starter: StretchStarter) => Promise<T>,
): Promise<T> {
  let threads: StretchThreads | undefined;
  try {
    if (current() > 1 || mayGrow) {
      const { StretchThreads } = await import('./stretch-threads.ts');
      threads = new StretchThreads(context);
    }
    const ownThreads = threads;
    return await use({
      start: (job, listener) =>
        ownThreads === undefined || current() <= 1
          ? startHere(job, listener, context)
          : ownThreads.start(job, listener),
      prepare: (plan, count) => {
        if (current() > 1) ownThreads?.prepare(plan, count);
      },
    });
  } finally {
    threads?.close();
  }
}
