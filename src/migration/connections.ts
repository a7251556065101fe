// Everything that one run of a migration keeps open: clients, the memory budget, rate limits.

import { CredentialPool } from '../remote/credentials/credential-pool.ts';
import type { ClientContext } from '../remote/http/exchange.ts';
import { WriteClient } from '../remote/write-client.ts';
import { BufferPool } from './limits/buffer-pool.ts';
import { DestinationPace } from './limits/destination-pace.ts';
import { MemoryBudget } from './limits/memory-budget.ts';
import { hasRoomToRead, memoryShares } from './write/memory-shares.ts';
import type { MigrationContext } from './migration-context.ts';
import { MigrationError } from './report/migration-error.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import type { MigrationProgress } from './report/observer.ts';
import type { DestinationView } from './progress/destination-view.ts';
import { MarkWriter } from './progress/mark-writer.ts';
import { NoView } from './progress/no-view.ts';
import { PromqlView } from './progress/promql-view.ts';
import type { ViewOptions } from './progress/view-options.ts';
import { RemoteReadView } from './progress/remote-read-view.ts';
import { RateLimit } from './limits/rate-limit.ts';
import { Retrier } from './limits/retrier.ts';
import { SeriesRouter } from './series/series-router.ts';
import { openSource } from './source/open-source.ts';
import type { SeriesSource } from './source/series-source.ts';

export interface Connections {
  readonly source: SeriesSource;
  readonly destination: WriteClient;
  readonly view: DestinationView;
  /** For responses of the source, including their free memory in the pool. Writes and read-back have separate shares of `limits.memory`. */
  readonly budget: MemoryBudget;
  readonly router: SeriesRouter;
  readonly retrier: Retrier;
  readonly samplesRate: RateLimit;
  readonly bytesRate: RateLimit;
  readonly pace: DestinationPace;
  close(): void;
}

/** @throws MigrationError when the memory limit leaves nothing for reading */
export function openConnections(
  plan: MigrationPlan,
  context: MigrationContext,
  progress: MigrationProgress,
): Connections {
  const { clock, observer } = context;
  const retrier = new Retrier({ ...context, progress });
  const pool = new BufferPool(context.onBufferGivenBack);
  const credentials = new CredentialPool(clock);
  const client: ClientContext = {
    clock,
    buffers: pool,
    credentials,
    request: (event) => observer.event({ type: 'request', ...event }),
  };
  const { memoryBytes, inFlightWrites, samplesPerSecond, bytesPerSecond } = plan.limits;
  const { readBytes: readBudgetBytes, writeBytes, shareBytes: share } = memoryShares(plan);
  if (!hasRoomToRead(plan)) {
    const [memory, others] =
      plan.stretch === undefined
        ? ['spec.limits.memory of', '']
        : ["the stretch's part of spec.limits.memory,", ' or spec.execution.parallelism'];
    throw new MigrationError(
      'memory-too-small',
      `${memory} ${memoryBytes} bytes leaves no room for reading next to the ${writeBytes} bytes for ${inFlightWrites} writes in flight`,
      { hint: `raise spec.limits.memory or lower spec.limits.inFlightWrites${others}` },
    );
  }
  const budget = new MemoryBudget(readBudgetBytes, (used, promised) => {
    progress.inFlightBytes = used;
    pool.allow(readBudgetBytes - used + promised);
  });
  pool.allow(readBudgetBytes);
  const source = openSource(plan, context, client, {
    budgetBytes: readBudgetBytes,
    longestMs: plan.window.maxMs,
  });
  const destination = new WriteClient(plan.destination, client, inFlightWrites + 1);
  const marker = new MarkWriter({ plan, client: destination, retrier, frozenEndMs: undefined });
  const view = openView(plan, {
    hooks: client,
    retrier,
    clock,
    random: context.random,
    maxResponseBytes: share,
    isResumed: context.known?.mayHoldSamples ?? false,
    probe: (timeMs, signal) => marker.probe(timeMs, signal),
  });
  const samplesRate = new RateLimit(samplesPerSecond, clock);
  const bytesRate = new RateLimit(bytesPerSecond, clock);
  context.onRatesAvailable?.((rates) => {
    samplesRate.set(rates.samplesPerSecond);
    bytesRate.set(rates.bytesPerSecond);
  });
  return {
    source,
    destination,
    view,
    budget,
    router: new SeriesRouter(plan, share),
    retrier,
    samplesRate,
    bytesRate,
    pace: new DestinationPace({ clock, progress }),
    close() {
      source.close();
      destination.close();
      view.close();
      credentials.close();
      pool.close();
    },
  };
}

function openView(plan: MigrationPlan, options: Omit<ViewOptions, 'plan' | 'endpoint'>): DestinationView {
  switch (plan.progress.protocol) {
    case 'RemoteRead':
      return new RemoteReadView({ plan, endpoint: plan.progress.endpoint, ...options });
    case 'PromQL':
      return new PromqlView({ plan, endpoint: plan.progress.endpoint, ...options });
    case 'None':
      return new NoView();
  }
}
