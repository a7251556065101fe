// Everything that one run of a migration holds open: clients, the memory budget, rate limits. Made by migrate.ts, closed with it.

import type { Endpoint } from '../remote/endpoint.ts';
import { QueryClient } from '../remote/query-client.ts';
import { ReadClient } from '../remote/read-client.ts';
import { WriteClient } from '../remote/write-client.ts';
import { laneBytes } from './write/lanes.ts';
import { MemoryBudget } from './limits/memory-budget.ts';
import type { MigrationContext } from './migration-context.ts';
import { MigrationError } from './migration-error.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import type { MigrationProgress } from './observer.ts';
import { type MarkReader, PromqlMarks, RemoteReadMarks } from './progress/progress-store.ts';
import { RateLimit } from './limits/rate-limit.ts';
import { PromqlReadBack, type ReadBack, RemoteReadBack } from './progress/read-back.ts';
import { Retrier } from './limits/retrier.ts';
import { SeriesRouter } from './series/series-router.ts';
import { Settling } from './progress/settling.ts';

export interface Connections {
  readonly source: ReadClient;
  readonly destination: WriteClient;
  /** Both undefined with `progress.protocol: None`. */
  readonly marks: MarkReader | undefined;
  readonly readBack: ReadBack | undefined;
  readonly settling: Settling;
  /** For answers of the source; lanes and read-back have their share of `limits.memory` apart. */
  readonly budget: MemoryBudget;
  readonly router: SeriesRouter;
  readonly retrier: Retrier;
  readonly samplesRate: RateLimit;
  readonly bytesRate: RateLimit;
  close(): void;
}

const smallestReadBudgetBytes = 4 * 1024 * 1024;

/** @throws MigrationError when the memory limit leaves nothing for reading */
export function openConnections(
  plan: MigrationPlan,
  context: MigrationContext,
  progress: MigrationProgress,
): Connections {
  const { clock, observer } = context;
  const retrier = new Retrier({ ...context, progress });
  const hooks = {
    request: (event: {
      side: Endpoint['side'];
      status: number | string;
      seconds: number;
      sentBytes: number;
      receivedBytes: number;
    }) => observer.event({ type: 'request', ...event }),
  };
  const { memoryBytes, inFlightWrites, samplesPerSecond, bytesPerSecond } = plan.limits;
  const share = Math.floor(memoryBytes / 8);
  const readBudgetBytes = memoryBytes - inFlightWrites * laneBytes - 2 * share;
  if (readBudgetBytes < smallestReadBudgetBytes) {
    throw new MigrationError(
      'memory-too-small',
      `spec.limits.memory of ${memoryBytes} bytes leaves no room for reading beside ${inFlightWrites} writes in flight of ${laneBytes} bytes`,
      { hint: 'raise spec.limits.memory or lower spec.limits.inFlightWrites' },
    );
  }
  const budget = new MemoryBudget(readBudgetBytes, (used) => {
    progress.inFlightBytes = used;
  });
  const source = new ReadClient(plan.source, hooks);
  const destination = new WriteClient(plan.destination, hooks, inFlightWrites + 1);
  const progressReading = openProgress(plan, { hooks, retrier, random: context.random, readBackBytes: share });
  const samplesRate = new RateLimit(samplesPerSecond, clock);
  const bytesRate = new RateLimit(bytesPerSecond, clock);
  context.onRatesAvailable?.((rates) => {
    samplesRate.set(rates.samplesPerSecond);
    bytesRate.set(rates.bytesPerSecond);
  });
  return {
    source,
    destination,
    marks: progressReading?.marks,
    readBack: progressReading?.readBack,
    settling: new Settling(plan.progress.protocol, clock, progressReading?.flush ?? (async () => false)),
    budget,
    router: new SeriesRouter(plan, share),
    retrier,
    samplesRate,
    bytesRate,
    close() {
      source.close();
      destination.close();
      progressReading?.client.close();
    },
  };
}

function openProgress(
  plan: MigrationPlan,
  options: {
    hooks: ConstructorParameters<typeof ReadClient>[1];
    retrier: Retrier;
    random: () => number;
    readBackBytes: number;
  },
) {
  if (plan.progress.protocol === 'None') return undefined;
  const { endpoint } = plan.progress;
  const { hooks, retrier, random, readBackBytes } = options;
  if (plan.progress.protocol === 'RemoteRead') {
    const client = new ReadClient(endpoint, hooks);
    const { maxFrameBytes } = plan.source;
    // Not the source's: who holds part of that one and waits for more could wait for a reader that does the same.
    const budget = new MemoryBudget(readBackBytes);
    return {
      client,
      marks: new RemoteReadMarks({ plan, endpoint, client, budget, retrier }),
      readBack: new RemoteReadBack({ endpoint, client, retrier, maxFrameBytes, answerBytes: readBackBytes }),
      flush: undefined,
    };
  }
  const client = new QueryClient(endpoint, hooks);
  return {
    client,
    marks: new PromqlMarks({ plan, endpoint, client, retrier, random }),
    readBack: new PromqlReadBack({ endpoint, client, retrier, random, answerBytes: readBackBytes }),
    flush: (signal: AbortSignal) => client.flush(signal),
  };
}
