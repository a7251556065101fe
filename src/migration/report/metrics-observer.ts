// Turns a migration's reports into metrics. The progress object is read at each scrape, not at every batch.

import type { MigrationMetrics } from '../../telemetry/metrics.ts';
import type { MigrationEvent, MigrationObserver, MigrationProgress } from './observer.ts';

/** Feeds `metrics` with one migration, under its name. `close` takes over the last totals and drops the reference to the migration. */
export function observeIntoMetrics(
  migration: string,
  metrics: MigrationMetrics,
): MigrationObserver & { readonly close: () => void } {
  let latest: Readonly<MigrationProgress> | undefined;
  const refresh = () => {
    if (latest !== undefined) metrics.update(migration, latest);
  };
  const forget = metrics.beforeScrape(refresh);
  return {
    progress(progress) {
      latest = progress;
    },
    event(event: MigrationEvent) {
      if (event.type === 'request') {
        metrics.request(migration, {
          side: event.side,
          code: event.status,
          seconds: event.seconds,
          sentBytes: event.sentBytes,
          receivedBytes: event.receivedBytes,
        });
      } else if (event.type === 'retry') metrics.retry(migration, event.side, event.code);
      else if (event.type === 'window-finished') metrics.windowFinished(migration, event.seconds);
      else if (event.type === 'window-split') metrics.windowSplit(migration, event.by);
      else if (event.type === 'warning') metrics.warning(migration, event.code);
      else if (event.type === 'started') metrics.memoryBudget(migration, event.memoryBytes);
    },
    close() {
      refresh();
      forget();
    },
  };
}
