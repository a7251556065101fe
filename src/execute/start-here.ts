// Starts stretches in this thread: those that follow one another.

import type { MigrationContext } from '../migration/migration-context.ts';
import type { StretchJob, StretchListener, StretchTask } from '../migration/stretches/stretch-task.ts';
import { runStretch } from './run-stretch.ts';

export function startHere(job: StretchJob, listener: StretchListener, context: MigrationContext): StretchTask {
  const stop = new AbortController();
  const abort = new AbortController();
  let setRates: StretchTask['setRates'] = () => undefined;
  const own: MigrationContext = {
    clock: context.clock,
    random: context.random,
    stop: stop.signal,
    abort: abort.signal,
    observer: listener,
    startupDeadlineMs: context.startupDeadlineMs,
    ...(context.onBufferGivenBack !== undefined && { onBufferGivenBack: context.onBufferGivenBack }),
    onRatesAvailable: (set) => {
      setRates = set;
    },
  };
  const result = runStretch(job, own, async (lines) => {
    const { differencesIn } = await import('./handed-differences.ts');
    await listener.differences?.(differencesIn(lines));
  });
  return { result, stop: () => stop.abort(), abort: () => abort.abort(), setRates: (rates) => setRates(rates) };
}
