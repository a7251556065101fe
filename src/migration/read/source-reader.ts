// Reads the source window by window: an async generator of complete responses. Sends the requests, reserves memory, waits and reports;
// window-planner.ts decides what to request and how to react to a failure.

import { DoesNotFit, noteArrived } from '../../remote/does-not-fit.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { ReadClient } from '../../remote/read-client.ts';
import { readSeries, type SeriesResponse } from '../../remote/read-series.ts';
import type { Clock } from '../../telemetry/clock.ts';
import type { WireError } from '../../wire/errors.ts';
import { ChunkedCursor } from '../../wire/responses/read-response.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import { Reservation } from '../limits/reservation.ts';
import type { Retrier } from '../limits/retrier.ts';
import type { Matcher, MigrationPlan } from '../plan/migration-plan.ts';
import { PROGRESS_METRIC } from '../progress/progress-mark.ts';
import { toMigrationError } from '../report/migration-error.ts';
import type { MigrationObserver, MigrationProgress } from '../report/observer.ts';
import { partitionMatchers } from '../series/name-partition.ts';
import type { SeriesRouter } from '../series/series-router.ts';
import type { TimeRange } from './open-window.ts';
import { type Outline, outlineOf } from './outline.ts';
import { RangeEnd } from './range-end.ts';
import { type ReadFailure, toReadFailure } from './read-failure.ts';
import { asRemoteError, failureOf, messageOf } from './failed-read.ts';
import type { Slice } from './slice.ts';
import { type Asked, SliceAhead } from './slice-ahead.ts';
import { SourceProof } from './source-proof.ts';
import { type Companion, type Held, releasePart, type WindowPart } from './window-part.ts';
import { WindowPlanner } from './window-planner.ts';

export interface SourceReaderOptions<C extends Held> {
  readonly plan: MigrationPlan;
  readonly client: ReadClient;
  readonly budget: MemoryBudget;
  readonly router: Pick<SeriesRouter, 'route'>;
  readonly retrier: Retrier;
  readonly observer: MigrationObserver;
  readonly progress: MigrationProgress;
  readonly clock: Clock;
  /** What lies before this time will be compared with the destination, which takes memory. */
  readonly uncertainUntilMs: number;
  /**
   * How much of the budget a window should take. By default less than half: the response that is read and the one that is written share it.
   */
  readonly windowShare?: number;
  /** Selects fewer series than the plan. */
  readonly only?: Matcher;
  /** Shared by all readers of the source. */
  readonly proof?: SourceProof;
  readonly companion?: Companion<C>;
}

/** How much of a slice's response had arrived when it failed. */
interface Receiving {
  received: 'part' | 'stream' | 'plain';
}

const UNREACHABLE: ReadFailure = { kind: 'transient', responded: false };

type SlicePart<C extends Held> = Omit<WindowPart<C>, 'last' | 'remaining' | 'requestedAtMs'>;

interface SourceRequest<C extends Held> extends Asked {
  readonly response: Promise<SlicePart<C>>;
  readonly receiving: Receiving;
  readonly signal: AbortSignal;
}

export class SourceReader<C extends Held = never> {
  readonly #options: SourceReaderOptions<C>;
  readonly #planner: WindowPlanner;
  readonly #rangeEnd = new RangeEnd();
  /** Of the range that is read. */
  #endMs = 0;
  readonly #ahead = new SliceAhead<SourceRequest<C>>();

  constructor(options: SourceReaderOptions<C>) {
    this.#options = options;
    const { plan, budget, uncertainUntilMs, proof = new SourceProof() } = options;
    const { minMs, maxMs, targetSamples } = plan.window;
    const limits = {
      minMs,
      maxMs,
      targetSamples,
      targetBytes: Math.floor(budget.total * (options.windowShare ?? 0.45)),
    };
    const { readMode } = plan.source;
    this.#planner = new WindowPlanner({ limits, budgetBytes: budget.total, readMode, uncertainUntilMs, proof });
  }

  /**
   * The windows of [fromMs, toMs) in order.
   * @throws MigrationError when the source refuses the request or repeatedly sends invalid data; the signal's reason
   */
  async *windows(fromMs: number, toMs: number, signal: AbortSignal): AsyncGenerator<WindowPart<C>> {
    const planner = this.#planner;
    const { clock, progress } = this.#options;
    let window: TimeRange | undefined;
    let requestedAtMs = 0;
    planner.begin(fromMs, toMs);
    this.#endMs = toMs;
    try {
      for (let slice = planner.next(); slice !== undefined; slice = planner.next()) {
        if (slice.window !== window) requestedAtMs = clock.monotonicMs();
        window = slice.window;
        progress.windowMs = planner.windowMs;
        const part = await this.#read(slice, signal);
        if (part === undefined) continue;
        // The planner may be in another range by now, which this part must not advance.
        if (signal.aborted) releasePart(part);
        signal.throwIfAborted();
        const bytes = Math.max(part.reservation.bytes, this.#companionBytes(part));
        const verdict = planner.responded({ ...outcomeOf(part), bytes });
        if (verdict.kind === 'discard') releasePart(part);
        else yield { ...part, last: verdict.remaining === 0, remaining: verdict.remaining, requestedAtMs };
      }
    } finally {
      await this.#ahead.drop();
    }
  }

  /**
   * Prepares to read a window again that could not be decoded after some of it may have been written. The new read is compared with the
   * destination. If its stream repeatedly fails the same way, the window is read as SAMPLES. Call `windows` from the window's start next.
   * @throws MigrationError when SAMPLES repeatedly fail the same way
   */
  async readAgain(window: TimeRange, problem: WireError, signal: AbortSignal): Promise<void> {
    const { times, reaction } = this.#planner.undecodable(window, problem.message);
    if (reaction === 'fail') throw toMigrationError(problem, 'source');
    if (reaction === 'samples-only') this.#reportSamples(window, problem);
    else await this.#options.retrier.pause(asRemoteError(problem), this.#options.plan.source, times, signal);
  }

  /** What the companion holds of its budget, as if its budget were as large as the source's. */
  #companionBytes({ companion: held }: SlicePart<C>): number {
    const { companion, budget } = this.#options;
    if (held === undefined || companion === undefined) return 0;
    return held.reservation.bytes * (budget.total / companion.budgetBytes);
  }

  /** One attempt at a slice. @returns undefined when it failed and the planner has a new plan */
  async #read(slice: Slice, signal: AbortSignal): Promise<SlicePart<C> | undefined> {
    const { companion, retrier } = this.#options;
    const asked = (await this.#ahead.take(slice)) ?? this.#start(slice, signal);
    const early = companion?.needsSource === false ? companion.read(slice, undefined, asked.signal) : undefined;
    early?.catch(() => undefined);
    try {
      const part = await asked.response;
      signal.throwIfAborted();
      if (companion === undefined) return part;
      if (early === undefined) this.#startNext(part, signal);
      const held = await (early ?? companion.read(slice, part, asked.signal));
      retrier.responded(companion.endpoint.side);
      return { ...part, companion: held };
    } catch (error) {
      await asked.drop(error);
      await early?.then(
        (held) => held.reservation.release(),
        () => undefined,
      );
      signal.throwIfAborted();
      await this.#react(slice, asked.receiving, error, signal);
      return undefined;
    }
  }

  /** Requests a slice from the source. */
  #start(slice: Slice, signal: AbortSignal): SourceRequest<C> {
    const reservation = new Reservation(this.#options.budget, this.#options.client.buffers);
    const receiving: Receiving = { received: 'part' };
    const dropped = new AbortController();
    const attempt = AbortSignal.any([signal, dropped.signal]);
    const response = this.#ask(slice, receiving, reservation, attempt);
    const ended = response.then(
      () => undefined,
      () => undefined,
    );
    return {
      slice,
      response,
      receiving,
      signal: attempt,
      async drop(reason) {
        dropped.abort(reason);
        await ended;
        reservation.release();
      },
    };
  }

  /** While the companion reads a slice, the source prepares the next one. */
  #startNext(part: SlicePart<C>, signal: AbortSignal): void {
    const next = this.#planner.expectedAfter(outcomeOf(part));
    if (next !== undefined) this.#ahead.keep(this.#start(next, signal));
  }

  async #react(slice: Slice, { received }: Receiving, error: unknown, signal: AbortSignal): Promise<void> {
    const { retrier, plan, observer, companion } = this.#options;
    // A tolerated refusal says nothing about the window, so it is no reason to split it.
    const tolerated = error instanceof RemoteError && retrier.toleratesRefusal(error);
    const reaction = this.#planner.failed(tolerated ? UNREACHABLE : toReadFailure(error, received));
    if (reaction.kind !== 'retry') throw failureOf(error, reaction.kind === 'fail-too-large');
    const { pauseAttempt, split, toSamples } = reaction;
    const remoteError = asRemoteError(error);
    const endpoint = remoteError.side === 'source' ? plan.source : (companion?.endpoint ?? plan.source);
    if (pauseAttempt !== undefined) await retrier.pause(remoteError, endpoint, pauseAttempt, signal);
    if (split !== undefined) observer.event({ type: 'window-split', ...split, reason: messageOf(error) });
    if (toSamples) this.#reportSamples(slice, error);
  }

  async #ask(slice: Slice, receiving: Receiving, reservation: Reservation, signal: AbortSignal): Promise<SlicePart<C>> {
    const { plan, client, progress, observer, retrier, only } = this.#options;
    const { fromMs, toMs, samplesOnly, insteadOfStream, attempt } = slice;
    progress.waitingFor = 'source';
    if (toMs < this.#endMs) await this.#probeRangeEnd(slice, signal);
    const responses: SeriesResponse[] = [];
    for (const selector of plan.selectors) {
      const matchers = [
        ...selector,
        ...partitionMatchers(slice.names),
        ...(only === undefined ? [] : [only]),
        { kind: '!=', name: '__name__', value: PROGRESS_METRIC } as const,
      ];
      const options = { attempt, signal, memory: reservation, maxFrameBytes: plan.source.maxFrameBytes };
      const query = { matchers, fromMs, toMs, lastMs: this.#rangeEnd.lastMs(toMs), samplesOnly };
      responses.push(await readSeries(client, query, options));
      retrier.responded('source');
    }
    for (const { cursor } of responses) this.#rangeEnd.note(cursor);
    receiving.received = responses.some(({ cursor }) => cursor instanceof ChunkedCursor) ? 'stream' : 'plain';
    const outline = await this.#outline(responses, slice.uncertain, reservation, signal);
    const receivedBytes = responses.reduce((sum, response) => sum + response.receivedBytes, 0);
    progress.bytesRead += receivedBytes;
    observer.progress(progress);
    const cursors = responses.map((reply) => reply.cursor);
    const window = { fromMs: slice.window.fromMs, toMs: slice.window.toMs };
    return { window, fromMs, toMs, cursors, outline, receivedBytes, reservation, samplesOnly, insteadOfStream };
  }

  /** Sends one small request per run and never retries it. If it fails, windows are requested with the extra millisecond. */
  async #probeRangeEnd({ toMs, samplesOnly }: Slice, signal: AbortSignal): Promise<void> {
    const { plan, client, budget } = this.#options;
    const probe = this.#rangeEnd.probeBefore(toMs);
    if (probe === undefined) return;
    const { matchers, timeMs } = probe;
    const query = { matchers, fromMs: timeMs, toMs: timeMs + 1, lastMs: timeMs, samplesOnly };
    const reservation = new Reservation(budget, client.buffers);
    const options = { attempt: 1, signal, memory: reservation, maxFrameBytes: plan.source.maxFrameBytes };
    try {
      this.#rangeEnd.probed(probe, (await readSeries(client, query, options)).cursor);
    } catch {
      signal.throwIfAborted();
      this.#rangeEnd.probed(probe, undefined);
    } finally {
      reservation.release();
    }
  }

  async #outline(
    responses: readonly SeriesResponse[],
    uncertain: boolean,
    reservation: Reservation,
    signal: AbortSignal,
  ): Promise<Outline> {
    try {
      const cursors = responses.map(({ cursor }) => cursor);
      return await outlineOf(cursors, { router: this.#options.router, uncertain, reservation, signal });
    } catch (error) {
      const [first] = responses;
      if (error instanceof DoesNotFit && first !== undefined) {
        first.cursor.rewind();
        noteArrived(error, first.cursor, first.receivedBytes);
      }
      throw error;
    }
  }

  #reportSamples({ fromMs, toMs }: TimeRange, error: unknown): void {
    const range = `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
    const message = `the source's stream cannot be used for ${range}, so SAMPLES are read instead: ${messageOf(error)}`;
    this.#options.observer.event({ type: 'warning', code: 'samples-instead-of-stream', message });
  }
}

function outcomeOf({ outline, reservation, cursors }: SlicePart<Held>) {
  return {
    series: outline.entries,
    samples: outline.sampleBound,
    bytes: reservation.bytes,
    labelBytes: outline.labelBytes,
    streamed: cursors.some((cursor) => cursor instanceof ChunkedCursor),
  };
}
