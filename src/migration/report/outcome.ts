// How work on a migration ends: whatever happens, with a result, which the observer gets as well.

import { type MigrationObserver, type MigrationProgress, type MigrationResult, resultError } from './observer.ts';

export interface Ending {
  readonly observer: MigrationObserver;
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

/**
 * @param work returns whether all of it was done
 * @param passes errors that are not the end of the work, and are thrown
 */
export async function outcomeOf(
  progress: MigrationProgress,
  { observer, stop, abort }: Ending,
  work: () => Promise<boolean>,
  passes: (error: unknown) => boolean = () => false,
): Promise<MigrationResult> {
  const end = (phase: MigrationProgress['phase']) => {
    progress.phase = phase;
    progress.waitingFor = '';
    observer.progress(progress);
    observer.event({ type: 'finished', phase });
  };
  try {
    const isDone = await work();
    end(isDone ? 'Succeeded' : 'Interrupted');
    return { progress };
  } catch (caught) {
    if (passes(caught)) throw caught;
    const isInterrupted = abort.aborted || (stop.aborted && caught === stop.reason);
    end(isInterrupted ? 'Interrupted' : 'Failed');
    return isInterrupted ? { progress } : { progress, error: resultError(caught) };
  }
}
