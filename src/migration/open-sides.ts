// Opens what a verification needs: clients of both sides, their memory, the view of the destination.

import { CredentialPool } from '../remote/credentials/credential-pool.ts';
import type { Endpoint } from '../remote/http/endpoint.ts';
import type { ClientContext } from '../remote/http/exchange.ts';
import { WriteClient } from '../remote/write-client.ts';
import { BufferPool } from './limits/buffer-pool.ts';
import { DestinationPace } from './limits/destination-pace.ts';
import { MemoryBudget } from './limits/memory-budget.ts';
import { RateLimit } from './limits/rate-limit.ts';
import { Retrier } from './limits/retrier.ts';
import type { MigrationContext } from './migration-context.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { MarkWriter } from './progress/mark-writer.ts';
import { PromqlView } from './progress/promql-view.ts';
import { RemoteReadView } from './progress/remote-read-view.ts';
import { SourceProof } from './read/source-proof.ts';
import { MigrationError } from './report/migration-error.ts';
import type { MigrationProgress } from './report/observer.ts';
import { SeriesRouter } from './series/series-router.ts';
import { openSource } from './source/open-source.ts';
import { PromqlReader } from './verify/promql-reader.ts';
import { RemoteReadReader } from './verify/remote-read-reader.ts';
import type { MarkAccess, Sides } from './verify/sides.ts';

/**
 * `limits.memory` in eighths: up to six for the windows that are compared, one for questions to the destination, one for the results of
 * relabelling. With RemoteRead, five are enough for windows that are as long as in a copy.
 */
const PARTS = 8;
/** Of what a query API sends, only the series that differ are kept. They arrive decoded. */
const WINDOW_PARTS = {
  RemoteRead: { source: 2.5, destination: 2.5 },
  PromQL: { source: 4, destination: 2 },
} as const;

/**
 * @param received called with the bytes of every response of a side that is compared
 * @throws MigrationError when the destination can't be read
 */
export function openSides(
  plan: MigrationPlan,
  context: MigrationContext,
  progress: MigrationProgress,
  received: (bytes: number) => void,
): Sides {
  if (plan.progress.protocol === 'None') throw notReadable();
  const { endpoint, protocol } = plan.progress;
  const { random } = context;
  const retrier = new Retrier({ ...context, progress });
  const { pool, memory, part } = openMemory(plan, protocol, context, progress);
  const credentials = new CredentialPool(context.clock);
  const client = clientContext(context, { pool, credentials }, received);
  const source = openSource(plan, context, client, {
    budgetBytes: memory.source.total,
    longestMs: plan.window.comparedMaxMs,
  });
  const writer = new WriteClient(plan.destination, client, plan.limits.inFlightWrites + 1);
  const viewing = { endpoint, protocol, client, retrier, random, maxResponseBytes: part, writer };
  const view = viewOf(plan, viewing);
  const Reader = protocol === 'RemoteRead' ? RemoteReadReader : PromqlReader;
  const { observer } = context;
  const destination = new Reader({ plan, endpoint, client, view, budget: memory.destination, random, observer });
  return {
    source,
    sourceProof: new SourceProof(),
    destination,
    destinationEndpoint: endpoint,
    writer,
    view,
    marksOf: (of) => marksOf(of, viewing),
    pool,
    memory,
    router: new SeriesRouter(plan, part),
    retrier,
    ...openRates(plan, context),
    pace: new DestinationPace({ clock: context.clock, progress }),
    close() {
      source.close();
      destination.close();
      writer.close();
      view.close();
      credentials.close();
      pool.close();
    },
  };
}

type Protocol = keyof typeof WINDOW_PARTS;

function openMemory(
  plan: MigrationPlan,
  protocol: Protocol,
  context: MigrationContext,
  progress: MigrationProgress,
): Pick<Sides, 'pool' | 'memory'> & { readonly part: number } {
  const pool = new BufferPool(context.onBufferGivenBack);
  const part = Math.floor(plan.limits.memoryBytes / PARTS);
  const parts = WINDOW_PARTS[protocol];
  const windowBytes = Math.floor((parts.source + parts.destination) * part);
  const used = new Map<symbol, { readonly used: number; readonly promised: number }>();
  const budget = (bytes: number) => {
    const key = Symbol('budget');
    return new MemoryBudget(Math.floor(bytes), (usedBytes, promisedBytes) => {
      used.set(key, { used: usedBytes, promised: promisedBytes });
      const all = [...used.values()];
      progress.inFlightBytes = all.reduce((sum, one) => sum + one.used, 0);
      pool.allow(windowBytes - progress.inFlightBytes + all.reduce((sum, one) => sum + one.promised, 0));
    });
  };
  pool.allow(windowBytes);
  const memory = { source: budget(parts.source * part), destination: budget(parts.destination * part) };
  return { pool, memory, part };
}

function clientContext(
  { clock, observer }: MigrationContext,
  { pool, credentials }: { readonly pool: BufferPool; readonly credentials: CredentialPool },
  received: (bytes: number) => void,
): ClientContext {
  return {
    clock,
    buffers: pool,
    credentials,
    request: (event) => {
      if (event.side !== 'destination') received(event.receivedBytes);
      observer.event({ type: 'request', ...event });
    },
  };
}

/** What every view of the destination needs, whatever plan its marks belong to. */
interface Viewing {
  readonly endpoint: Endpoint;
  readonly protocol: Protocol;
  readonly client: ClientContext;
  readonly retrier: Retrier;
  readonly random: () => number;
  readonly maxResponseBytes: number;
  readonly writer: WriteClient;
}

function viewOf(plan: MigrationPlan, viewing: Viewing): Sides['view'] {
  const { endpoint, protocol, client, retrier, random, maxResponseBytes } = viewing;
  const View = protocol === 'RemoteRead' ? RemoteReadView : PromqlView;
  return new View({
    ...{ plan, endpoint, hooks: client, retrier, clock: client.clock, random, maxResponseBytes },
    probe: (timeMs, signal) => markWriterOf(plan, viewing).probe(timeMs, signal),
  });
}

function markWriterOf(plan: MigrationPlan, { writer, retrier }: Viewing): MarkWriter {
  return new MarkWriter({ plan, client: writer, retrier, frozenEndMs: undefined });
}

function marksOf(plan: MigrationPlan, viewing: Viewing): MarkAccess {
  const [reader, marks] = [viewOf(plan, viewing), markWriterOf({ ...plan, rejectedSamples: 'Skip' }, viewing)];
  return {
    latestMark: (fromMs, toMs, signal) => reader.latestMark(fromMs, toMs, signal),
    ledger: (toMs, signal) => reader.ledger(toMs, signal),
    write: (mark, signal) => marks.write(mark, signal),
    close: () => reader.close(),
  };
}

function openRates(plan: MigrationPlan, { clock, onRatesAvailable }: MigrationContext) {
  const samplesRate = new RateLimit(plan.limits.samplesPerSecond, clock);
  const bytesRate = new RateLimit(plan.limits.bytesPerSecond, clock);
  onRatesAvailable?.((rates) => {
    samplesRate.set(rates.samplesPerSecond);
    bytesRate.set(rates.bytesPerSecond);
  });
  return { samplesRate, bytesRate };
}

function notReadable(): MigrationError {
  return new MigrationError(
    'destination-not-readable',
    'spec.destination.progress.protocol has the value None, so the destination cannot be read and compared',
    {
      side: 'progress',
      hint: "set spec.destination.progress.protocol to RemoteRead or PromQL, and spec.destination.progress.url to the destination's read endpoint",
    },
  );
}
