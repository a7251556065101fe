// Everything that a verification keeps open. ../open-sides.ts opens it.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { WriteClient } from '../../remote/write-client.ts';
import type { BufferPool } from '../limits/buffer-pool.ts';
import type { DestinationPace } from '../limits/destination-pace.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import type { RateLimit } from '../limits/rate-limit.ts';
import type { Retrier } from '../limits/retrier.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { Mark, MarkValues } from '../progress/progress-mark.ts';
import type { ReadableView } from '../progress/readable-view.ts';
import type { SourceProof } from '../read/source-proof.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import type { SeriesSource } from '../source/series-source.ts';
import type { DestinationReader } from './destination-reader.ts';

/** The memory of a window while both sides are read and compared. */
interface WindowMemory {
  readonly source: MemoryBudget;
  readonly destination: MemoryBudget;
}

/** Marks in the destination that belong to one plan. */
export interface MarkAccess {
  latestMark(fromMs: number, toMs: number, signal: AbortSignal): Promise<Mark | undefined>;
  /** The furthest mark of each shard. */
  ledger(toMs: number, signal: AbortSignal): Promise<readonly Mark[]>;
  /** @returns false if the destination rejects the mark. @throws MigrationError */
  write(mark: MarkValues, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

export interface Sides {
  readonly source: SeriesSource;
  readonly sourceProof: SourceProof;
  readonly destination: DestinationReader;
  readonly destinationEndpoint: Endpoint;
  readonly writer: WriteClient;
  readonly view: ReadableView;
  marksOf(plan: MigrationPlan): MarkAccess;
  readonly pool: BufferPool;
  readonly memory: WindowMemory;
  readonly router: SeriesRouter;
  readonly retrier: Retrier;
  readonly samplesRate: RateLimit;
  readonly bytesRate: RateLimit;
  readonly pace: DestinationPace;
  close(): void;
}
