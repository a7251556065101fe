// What a view of the destination needs from its run.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { ClientContext } from '../../remote/http/exchange.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { Retrier } from '../limits/retrier.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';

export interface ViewOptions {
  readonly plan: MigrationPlan;
  readonly endpoint: Endpoint;
  readonly hooks: ClientContext;
  readonly retrier: Retrier;
  readonly clock: Clock;
  readonly random: () => number;
  /** The maximum size of one response, or of one line of an export. A larger one is read in pieces. */
  readonly maxResponseBytes: number;
  /** Whether an earlier run is known to have written. */
  readonly isResumed?: boolean;
  /** Writes one sample beside the progress series. @throws RemoteError when the destination does not accept it */
  readonly probe: (timeMs: number, signal: AbortSignal) => Promise<void>;
}
