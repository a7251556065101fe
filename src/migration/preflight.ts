// Looks at both sides before a migration, and writes nothing unless it is told to: the requests are GETs, queries and reads. What follows from it
// is judged in preflight/.

import { CredentialPool } from '../remote/credentials/credential-pool.ts';
import type { Endpoint } from '../remote/http/endpoint.ts';
import type { ClientContext } from '../remote/http/exchange.ts';
import { RemoteError } from '../remote/meaning/remote-error.ts';
import type { Side } from '../remote/meaning/side.ts';
import { retryDelayMs } from '../remote/retry-delay.ts';
import type { ServerReport } from '../remote/server-report.ts';
import { StatusClient } from '../remote/status-client.ts';
import type { Clock } from '../telemetry/clock.ts';
import { Deadline } from '../telemetry/deadline.ts';
import { BufferPool } from './limits/buffer-pool.ts';
import { MemoryBudget } from './limits/memory-budget.ts';
import type { MigrationPlan } from './plan/migration-plan.ts';
import { openDestinationLook } from './preflight/destination-look.ts';
import { estimateOf } from './preflight/estimate.ts';
import { judge } from './preflight/judge.ts';
import { LabelShapes } from './preflight/label-shape.ts';
import type { DestinationData, Observations, Refusal } from './preflight/observations.ts';
import type { PreflightResult, Unjudged } from './preflight/preflight-result.ts';
import { type Probed, probeRange, spread } from './preflight/probe-range.ts';
import { recommend } from './preflight/recommend.ts';
import { SeriesSketch } from './preflight/series-sketch.ts';
import { SourceProbe } from './preflight/source-probe.ts';
import { storeReport } from './preflight/store-report.ts';
import { probeWrite } from './preflight/write-probe.ts';
import { markMatchers, PROGRESS_METRIC } from './progress/progress-mark.ts';
import { MigrationError, toMigrationError } from './report/migration-error.ts';
import { SeriesRouter } from './series/series-router.ts';
import { openSource } from './source/open-source.ts';
import { memoryShares } from './write/memory-shares.ts';

export interface PreflightContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Writes a few samples into the destination, to find out what it accepts. */
  readonly probeWrite?: boolean;
  /** How long the windows of the source may be read. */
  readonly probeMs?: number;
  readonly longestProbeMs?: number;
  /** The most memory for a window; by default as much as a run reads with. */
  readonly maxReadBytes?: number;
}

/** How long a side may take to respond, with retries. */
const RESPONSE_MS = 10_000;
/** And how long the first window may take, of a source with very many series. */
const FIRST_WINDOW_MS = 20_000;
const MAX_ATTEMPTS = 3;
const SMALLEST_BUDGET_BYTES = 16 * 1024 * 1024;
const LOOKS = 6;
const NEWER_MS = 3_600_000;

/** @throws the signal's reason */
export async function preflight(plan: MigrationPlan, context: PreflightContext): Promise<PreflightResult> {
  return await new Preflight(plan, context).run();
}

class Preflight {
  readonly #plan: MigrationPlan;
  readonly #context: PreflightContext;
  readonly #pool = new BufferPool();
  readonly #credentials: CredentialPool;
  readonly #client: ClientContext;
  readonly #sketch = new SeriesSketch();
  readonly #shapes = new LabelShapes();
  readonly #refusals: Refusal[] = [];
  readonly #unjudged: Unjudged[] = [];

  constructor(plan: MigrationPlan, context: PreflightContext) {
    this.#plan = plan;
    this.#context = context;
    this.#credentials = new CredentialPool(context.clock);
    const { clock } = context;
    this.#client = { clock, buffers: this.#pool, credentials: this.#credentials, request: () => undefined };
  }

  async run(): Promise<PreflightResult> {
    const plan = this.#plan;
    const nowMs = this.#context.clock.now();
    const [startMs, endMs] = [plan.startMs, plan.endMs ?? nowMs - plan.lagMs];
    try {
      const isEmpty = endMs <= startMs;
      const none: Probed = { windows: [], tooLarge: [] };
      const [source, destination, progress, probed] = await Promise.all([
        plan.source.protocol === 'ThanosStore'
          ? this.#attempt('source', (signal) => storeReport(plan.source, this.#client, signal))
          : this.#report(plan.source),
        this.#reachDestination(),
        plan.progress.protocol === 'None' ? undefined : this.#report(plan.progress.endpoint),
        isEmpty ? none : this.#probe(startMs, endMs),
      ]);
      const data = await this.#look(probed, { startMs, endMs, nowMs });
      const servers = { ...(source && { source }), ...(destination && { destination }), ...(progress && { progress }) };
      const estimate = estimateOf({ plan, startMs, endMs, windows: probed.windows, series: this.#sketch.counts() });
      const looked: Observations = {
        ...{ plan, nowMs, startMs, endMs, servers, estimate },
        ...{ refusals: this.#refusals, ...probed, destination: data, shape: this.#shapes.shape() },
      };
      const seen = this.#context.probeWrite === true && !isEmpty ? await this.#probeWrite(looked) : looked;
      return {
        migration: plan.migration,
        findings: judge(seen),
        unjudged: this.#unjudged,
        servers,
        estimate,
        recommended: recommend(seen),
      };
    } finally {
      this.#credentials.close();
      this.#pool.close();
    }
  }

  async #report(endpoint: Endpoint): Promise<ServerReport | undefined> {
    const status = new StatusClient(endpoint, this.#client);
    let report: ServerReport | undefined;
    try {
      await this.#attempt(endpoint.side, async (signal) => {
        report = await status.report(signal);
        if (status.missed !== undefined) throw status.missed;
      });
      return report;
    } finally {
      status.close();
    }
  }

  async #reachDestination(): Promise<ServerReport | undefined> {
    const { destination } = this.#plan;
    const status = new StatusClient(destination, this.#client);
    try {
      const refusal = await this.#attempt('destination', async (signal) => {
        const found = await status.refusalOfGet(signal);
        if (found?.class === 'transient') throw found;
        return found;
      });
      if (refusal !== undefined) this.#note(refusal, 'destination');
    } finally {
      status.close();
    }
    return await this.#report(destination);
  }

  async #probe(startMs: number, endMs: number): Promise<Probed> {
    const plan = this.#plan;
    const { clock, random, signal, probeMs, longestProbeMs, maxReadBytes = Number.POSITIVE_INFINITY } = this.#context;
    const readBytes = Math.min(maxReadBytes, Math.max(SMALLEST_BUDGET_BYTES, memoryShares(plan).readBytes));
    const budget = new MemoryBudget(readBytes, () => undefined);
    this.#pool.allow(budget.total);
    const observer = { event: () => undefined };
    const source = openSource(plan, { random, observer }, this.#client, { budgetBytes: budget.total, longestMs: 0 });
    const router = new SeriesRouter(plan, Math.floor(budget.total / 8));
    const probe = new SourceProbe({ plan, source, budget, router, sketch: this.#sketch, shapes: this.#shapes, clock });
    let hasResponded = false;
    const read = async (fromMs: number, toMs: number, outer: AbortSignal) => {
      if (hasResponded) return await probe.read(fromMs, toMs, outer);
      const window = await this.#retried('source', (inner) => probe.read(fromMs, toMs, inner), outer, FIRST_WINDOW_MS);
      hasResponded = true;
      return window;
    };
    try {
      return await probeRange({
        ...{ startMs, endMs, clock, random, signal, read },
        ...(probeMs !== undefined && { budgetMs: probeMs }),
        ...(longestProbeMs !== undefined && { longestMs: longestProbeMs }),
      });
    } catch (error) {
      signal.throwIfAborted();
      this.#note(error, 'source');
      return { windows: [], tooLarge: [] };
    } finally {
      source.close();
    }
  }

  /** What the destination already has. Nothing is known of one that cannot be read. */
  async #look(
    { windows }: Probed,
    { startMs, endMs, nowMs }: { readonly startMs: number; readonly endMs: number; readonly nowMs: number },
  ): Promise<DestinationData> {
    const plan = this.#plan;
    const unknown = { hasMark: undefined, presentAtMs: [], hasNewer: undefined };
    if (plan.progress.protocol === 'None' || endMs <= startMs) return unknown;
    const look = openDestinationLook(plan.progress, this.#client);
    try {
      const marks = markMatchers(plan);
      const untilMs = Math.max(endMs, nowMs);
      const hasMark = await this.#attempt('progress', (signal) => look.has(marks, startMs, untilMs, signal));
      if (hasMark === undefined) return unknown;
      const own = { kind: '!=', name: '__name__', value: PROGRESS_METRIC } as const;
      const hasSelected = async (fromMs: number, toMs: number) => {
        for (const matchers of plan.selectors) {
          const found = await this.#tried((signal) => look.has([...matchers, own], fromMs, toMs, signal));
          if (found !== false) return found;
        }
        return false;
      };
      const presentAtMs: number[] = [];
      for (const { fromMs, toMs } of spread(windows, LOOKS)) {
        const found = await hasSelected(fromMs, Math.min(toMs, fromMs + NEWER_MS));
        if (found === undefined) break;
        if (found) presentAtMs.push(fromMs);
      }
      const newerFromMs = Math.max(endMs, nowMs - NEWER_MS);
      const hasNewer = newerFromMs < nowMs ? await hasSelected(newerFromMs, nowMs) : undefined;
      return { hasMark, presentAtMs, hasNewer };
    } finally {
      look.close();
    }
  }

  async #probeWrite(seen: Observations): Promise<Observations> {
    const { progress } = this.#plan;
    const { clock, signal } = this.#context;
    const look = progress.protocol === 'None' ? undefined : openDestinationLook(progress, this.#client);
    try {
      const probe = await probeWrite(seen, {
        ...{ client: this.#client, clock, signal, look },
        retried: (send) => this.#retried('destination', send, signal),
        tried: (send) => this.#tried(send),
      });
      return { ...seen, probe };
    } catch (error) {
      signal.throwIfAborted();
      this.#note(error, 'destination');
      return seen;
    } finally {
      look?.close();
    }
  }

  /** @returns undefined if the side refuses or does not respond, which is noted */
  async #attempt<T>(side: Side, send: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#context;
    try {
      return await this.#retried(side, send, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#note(error, side);
      return undefined;
    }
  }

  /** One attempt at what need not be known. */
  async #tried<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    using deadline = this.#deadline();
    try {
      return await send(deadline.signal);
    } catch {
      this.#context.signal.throwIfAborted();
      return undefined;
    }
  }

  /** A few attempts within a few seconds: a user is waiting. */
  async #retried<T>(
    side: Side,
    send: (signal: AbortSignal) => Promise<T>,
    outer: AbortSignal,
    limitMs = RESPONSE_MS,
  ): Promise<T> {
    const { clock, random } = this.#context;
    using deadline = this.#deadline(outer, limitMs);
    let last: unknown = new MigrationError('unreachable', `the ${side} did not respond within ${limitMs / 1000} s`, {
      side,
    });
    for (let attempt = 1; ; attempt++) {
      try {
        return await send(deadline.signal);
      } catch (error) {
        outer.throwIfAborted();
        if (deadline.expired) throw last;
        last = error;
        if (attempt >= MAX_ATTEMPTS || !(error instanceof RemoteError) || error.class !== 'transient') throw error;
        await clock.sleep(retryDelayMs(attempt, random, undefined), deadline.signal).catch(() => undefined);
        if (deadline.expired) throw error;
      }
    }
  }

  #deadline(outer = this.#context.signal, limitMs = RESPONSE_MS): Deadline {
    const deadline = new Deadline(outer);
    deadline.start(this.#context.clock, limitMs, new Error('no response in time'));
    return deadline;
  }

  #note(error: unknown, side: Side): void {
    const { code, message, hint } = toMigrationError(error, side);
    const noted = { side, code, message, hint };
    const isRefusal = error instanceof RemoteError && (error.class === 'refused' || error.class === 'unsupported');
    const list = isRefusal ? this.#refusals : this.#unjudged;
    if (!list.some((other) => other.side === side && other.code === code)) list.push(noted);
  }
}
