// `plan --probe-write`: writes a few samples into the destination and looks whether it shows them. Nothing else of `plan` writes.

import type { ClientContext } from '../../remote/http/exchange.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { WriteClient } from '../../remote/write-client.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { encodeLabels } from '../../wire/labels.ts';
import { WriteBatch } from '../../wire/requests/write-batch.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DestinationLook } from './destination-look.ts';
import { type Observations, oldestMs, type ProbeOutcome } from './observations.ts';
import { type ProbeSeries, probeSeries } from './probe-series.ts';
import { acceptsAnyOrder } from './store-traits.ts';

/** As long as a run waits for its first mark. */
const VISIBLE_MS = 15_000;
const POLL_MS = 1000;
/** M3 excludes the end of a range. The series has no other sample. */
const AROUND_MS = 1000;
const HOUR_MS = 3_600_000;

export interface WriteProbeContext {
  readonly client: ClientContext;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Undefined if the destination cannot be read. */
  readonly look: DestinationLook | undefined;
  /** Sends with a few retries. */
  readonly retried: <T>(send: (signal: AbortSignal) => Promise<T>) => Promise<T>;
  /** @returns undefined after a failure */
  readonly tried: <T>(send: (signal: AbortSignal) => Promise<T>) => Promise<T | undefined>;
}

/**
 * Writes samples at the oldest time of the range, and at the present if that cannot do harm.
 * @throws what a write throws if the destination could not be judged; the signal's reason
 */
export async function probeWrite(seen: Observations, context: WriteProbeContext): Promise<ProbeOutcome[]> {
  const oldest = oldestMs(seen);
  if (oldest === undefined) return [];
  const writer = new WriteProbe(seen.plan, context);
  try {
    const outcomes: ProbeOutcome[] = [];
    for (const timeMs of [oldest, ...(presentIsHarmless(seen) ? [seen.nowMs] : [])])
      for (const series of probeSeries(seen.plan, seen.shape, timeMs))
        outcomes.push(await writer.write(series, timeMs));
    return await writer.looked(outcomes, seen);
  } finally {
    writer.close();
  }
}

/**
 * A sample of the present makes everything older out of bounds in a head like that of Prometheus that has nothing newer. So it is only written
 * where that cannot happen, or has happened.
 */
export function presentIsHarmless(seen: Observations): boolean {
  const { plan, nowMs, destination } = seen;
  const { product, newestMs, outOfOrderMs = 0 } = seen.servers.destination ?? {};
  if (acceptsAnyOrder(product) || plan.destination.ordering === 'Any' || destination.hasNewer === true) return true;
  const oldest = oldestMs(seen) ?? nowMs;
  return (newestMs !== undefined && newestMs >= nowMs - HOUR_MS) || outOfOrderMs >= nowMs - oldest;
}

class WriteProbe {
  readonly #context: WriteProbeContext;
  readonly #client: WriteClient;
  readonly #series = new Map<ProbeOutcome, ProbeSeries>();

  constructor(plan: MigrationPlan, context: WriteProbeContext) {
    this.#context = context;
    this.#client = new WriteClient(plan.destination, context.client, 1);
  }

  async write(series: ProbeSeries, timeMs: number): Promise<ProbeOutcome> {
    const batch = new WriteBatch(1024);
    batch.appendSample(encodeLabels(Object.entries(series.labels)), timeMs, 1);
    const body = batch.body();
    const outcome = { like: series.like, timeMs, ...(await this.#send(body)), isShown: undefined };
    this.#series.set(outcome, series);
    return outcome;
  }

  /** What was accepted is expected to be shown within some seconds, all of it at once. */
  async looked(outcomes: readonly ProbeOutcome[], { nowMs }: Observations): Promise<ProbeOutcome[]> {
    const { clock, signal } = this.#context;
    const untilMs = clock.monotonicMs() + VISIBLE_MS;
    const shown = new Map<ProbeOutcome, boolean | undefined>();
    for (;;) {
      for (const outcome of outcomes)
        if (outcome.error === undefined && shown.get(outcome) !== true)
          shown.set(outcome, await this.#isShown(outcome, nowMs));
      const isWaiting = [...shown.values()].some((isShown) => isShown === false);
      if (!isWaiting || clock.monotonicMs() >= untilMs) break;
      await clock.sleep(POLL_MS, signal);
    }
    return outcomes.map((outcome) => ({ ...outcome, isShown: shown.get(outcome) }));
  }

  close(): void {
    this.#client.close();
  }

  async #send(body: Uint8Array): Promise<Pick<ProbeOutcome, 'error' | 'isUnproven'>> {
    const { retried, signal } = this.#context;
    try {
      const { unproven } = await retried((inner) => this.#client.write(body, { attempt: 1, signal: inner }));
      return { error: undefined, isUnproven: unproven !== undefined };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RemoteError) || error.class === 'transient') throw error;
      const { code, reason, message, hint } = error;
      return { error: { code, reason, message, hint, isOfSamples: error.class === 'rejected' }, isUnproven: false };
    }
  }

  /** Thanos hides what is behind newer data in ranges that do not reach to now. */
  async #isShown(outcome: ProbeOutcome, nowMs: number): Promise<boolean | undefined> {
    const { look, tried } = this.#context;
    const matchers = this.#series.get(outcome)?.matchers;
    if (look === undefined || matchers === undefined) return undefined;
    const { timeMs } = outcome;
    const near = await tried((signal) => look.has(matchers, timeMs, timeMs + AROUND_MS, signal));
    if (near !== false) return near;
    return (await tried((signal) => look.has(matchers, timeMs, nowMs + AROUND_MS, signal))) === true;
  }
}
