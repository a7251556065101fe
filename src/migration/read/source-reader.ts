// Reads the source window by window: an async generator of responses. Reacts to failures, waits and reports; window-planner.ts decides what to
// request and how to react, slice-request.ts sends the requests.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import type { Endpoint } from '../../remote/http/endpoint.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { Clock } from '../../telemetry/clock.ts';
import { WireError } from '../../wire/errors.ts';
import { toMigrationError } from '../report/migration-error.ts';
import { Indivisible, isDivisible, keepsNames } from './earlier-series.ts';
import { asRemoteError, failureOf, messageOf } from './failed-read.ts';
import type { TimeRange } from './open-window.ts';
import { RangeEnd } from './range-end.ts';
import { type PairedPart, PairedRequest } from './paired-request.ts';
import { type ReadFailure, toReadFailure } from './read-failure.ts';
import { sampledNames } from './sampled-names.ts';
import type { Slice } from './slice.ts';
import { SliceAhead } from './slice-ahead.ts';
import { outcomeOf, SliceRequest, type SliceRequestOptions } from './slice-request.ts';
import { SourceProof } from './source-proof.ts';
import { StreamTotals } from './stream-totals.ts';
import { UncertainWindow } from './uncertain-window.ts';
import { type Companion, type Held, releasePart, type WindowPart } from './window-part.ts';
import { WindowPlanner } from './window-planner.ts';

export interface SourceReaderOptions<C extends Held> extends SliceRequestOptions {
  readonly clock: Clock;
  /** What lies before this time will be compared with the destination, which takes memory. */
  readonly uncertainUntilMs: number;
  /**
   * How much of the budget a window should take. By default less than half: the response that is read and the one that is written share it.
   */
  readonly windowShare?: number;
  /** Shared by all readers of the source. */
  readonly proof?: SourceProof;
  readonly companion?: Companion<C>;
  /** Large streams are handed on in parts before their end has arrived. Only for a consumer that handles UncertainWindow. */
  readonly inParts?: boolean;
}

const UNREACHABLE: ReadFailure = { kind: 'transient', responded: false };

/**
 * The memory of a part. The source sends the next part while this one is written, so smaller parts take less memory and let both sides work at
 * the same time; each costs a copy of its last frame.
 */
const PART_BYTES = 8 * 1024 * 1024;

/** What a slice's response begins with, and the request that reads the rest of it. */
interface Begun<C extends Held> {
  readonly pair: PairedRequest<C>;
  readonly part: PairedPart<C>;
}

/** Of a VictoriaMetrics' blocks, a window is read for as many names as are held without trouble (held-reader.ts). */
function windowShareOf({ protocol }: SliceRequestOptions['plan']['source']): number {
  return protocol === 'VictoriaMetrics' ? 0.3 : 0.45;
}

export class SourceReader<C extends Held = never> {
  readonly #options: SourceReaderOptions<C>;
  readonly #planner: WindowPlanner;
  readonly #rangeEnd: RangeEnd;
  /** Of the range that is read. */
  #endMs = 0;
  readonly #ahead = new SliceAhead<SliceRequest>();
  #inParts: boolean;
  readonly #partBytes: number;
  /** Of the responses that were handed on in parts. */
  readonly #totals = new StreamTotals();

  constructor(options: SourceReaderOptions<C>) {
    this.#options = options;
    this.#rangeEnd = new RangeEnd(options.client.rangeEnd);
    const { plan, budget, uncertainUntilMs, proof = new SourceProof() } = options;
    const { minMs, maxMs, targetSamples } = plan.window;
    const { protocol, readMode } = plan.source;
    const limits = {
      minMs,
      maxMs,
      targetSamples,
      targetBytes: Math.floor(budget.total * (options.windowShare ?? windowShareOf(plan.source))),
      startsShort: readMode === 'Samples' || protocol === 'PromQL',
    };
    const form = protocol === 'RemoteRead' ? readMode : 'Decoded';
    const { companion } = options;
    const canDivide = companion === undefined || companion.open !== undefined;
    this.#inParts = options.inParts === true && canDivide && isDivisible(plan);
    this.#partBytes = Math.min(PART_BYTES, Math.floor(budget.total / 4));
    const prefersNames = keepsNames(plan) || (plan.destination.ordering === 'Any' && companion === undefined);
    this.#planner = new WindowPlanner({
      limits,
      budgetBytes: budget.total,
      form,
      uncertainUntilMs,
      proof,
      prefersNames,
    });
  }

  /**
   * The windows of [fromMs, toMs) in order.
   * @throws MigrationError when the source refuses the request or repeatedly sends invalid data; UncertainWindow if a response fails after some
   *   of it was handed on, only with `inParts`; the signal's reason
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
        const begun = await this.#read(slice, signal);
        if (begun === undefined) continue;
        yield* this.#parts(begun, requestedAtMs, signal);
      }
    } finally {
      await this.#ahead.drop();
    }
  }

  /** The parts of a slice's response. */
  async *#parts({ pair, part: first }: Begun<C>, requestedAtMs: number, signal: AbortSignal) {
    const { slice } = pair.request;
    const { fromMs, toMs } = slice;
    const stream = this.#totals.begin(toMs - fromMs);
    let part: PairedPart<C> | undefined = first;
    try {
      while (part !== undefined) {
        // The planner may be in another range by now, which this part must not advance.
        if (signal.aborted) releasePart(part);
        signal.throwIfAborted();
        stream.add(part.receivedBytes, this.#outcome(part, slice));
        const verdict = part.isLast ? this.#planner.responded(stream.end()) : this.#planner.handedOn(stream.share);
        const { isLast, ...rest } = part;
        part = undefined;
        if (verdict.kind === 'discard') releasePart(rest);
        else yield { ...rest, last: verdict.remaining === 0, remaining: verdict.remaining, requestedAtMs };
        if (!isLast) part = await this.#next(pair, signal);
      }
    } finally {
      if (!first.isLast) await pair.drop(new Error('the rest of the response is not needed'));
    }
  }

  /** @throws UncertainWindow; the signal's reason */
  async #next(pair: PairedRequest<C>, signal: AbortSignal): Promise<PairedPart<C>> {
    try {
      return await pair.next();
    } catch (error) {
      signal.throwIfAborted();
      throw uncertainWindow(pair.request, error);
    }
  }

  /** A response that can be handed on in parts may have any size. */
  #outcome(part: PairedPart<C>, slice: Slice): ReturnType<typeof outcomeOf> {
    const sampled = () => sampledNames(part.cursors, part.outline);
    const outcome = { ...outcomeOf(part), sampledNames: sampled };
    if (this.#divides(slice) && outcome.streamed) return { ...outcome, bytes: 0, fixedBytes: 0 };
    const larger = Math.max(1, this.#companionBytes(part) / outcome.bytes);
    return { ...outcome, bytes: outcome.bytes * larger, fixedBytes: outcome.fixedBytes * larger };
  }

  #divides(slice: Slice): boolean {
    return this.#inParts && slice.divisible;
  }

  /**
   * Prepares to read a window again that could not be finished after some of it may have been written. The new read is compared with the
   * destination, and held until its end has arrived. Call `windows` from the window's start next.
   * @throws MigrationError as `readAgain`
   */
  async recover({ window, uncertainty, cause }: UncertainWindow, signal: AbortSignal): Promise<void> {
    if (cause instanceof WireError && uncertainty === 'undecodable') return this.readAgain(window, cause, signal);
    const { retrier } = this.#options;
    this.#planner.interrupted(window);
    // The next windows would have the same series in the same order.
    if (uncertainty === 'indivisible') this.#inParts = false;
    else {
      const error = asRemoteError(cause);
      await retrier.pause(error, this.#endpointOf(error), 1, signal);
    }
  }

  /**
   * As `recover`, for a window that could not be decoded. If its stream repeatedly fails the same way, the window is read as SAMPLES.
   * @throws MigrationError when SAMPLES repeatedly fail the same way
   */
  async readAgain(window: TimeRange, problem: WireError, signal: AbortSignal): Promise<void> {
    const { times, reaction } = this.#planner.undecodable(window, problem.message);
    if (reaction === 'fail') throw toMigrationError(problem, 'source');
    if (reaction === 'samples-only') this.#reportSamples(window, problem);
    else await this.#options.retrier.pause(asRemoteError(problem), this.#options.plan.source, times, signal);
  }

  /** What the companion holds of its budget, as if its budget were as large as the source's. */
  #companionBytes({ companion: held }: PairedPart<C>): number {
    const { companion, budget } = this.#options;
    if (held === undefined || companion === undefined) return 0;
    return held.reservation.bytes * (budget.total / companion.budgetBytes);
  }

  /** One attempt at a slice. @returns undefined when it failed and the planner has a new plan */
  async #read(slice: Slice, signal: AbortSignal): Promise<Begun<C> | undefined> {
    const { companion, retrier } = this.#options;
    const request = (await this.#ahead.take(slice)) ?? this.#start(slice, signal);
    const pair = new PairedRequest(request, companion, this.#divides(slice));
    try {
      const part = await pair.first((sourcePart) => {
        signal.throwIfAborted();
        if (pair.readsInTurn) this.#startNext(sourcePart, signal);
      });
      if (companion !== undefined) retrier.responded(companion.endpoint.side);
      return { pair, part };
    } catch (error) {
      await pair.drop(error);
      signal.throwIfAborted();
      // The planner returns the same slice again.
      if (error instanceof Indivisible) this.#inParts = false;
      else await this.#react(request, error, signal);
      return undefined;
    }
  }

  /** Requests a slice from the source. */
  #start(slice: Slice, signal: AbortSignal): SliceRequest {
    const partBytes = this.#divides(slice) ? this.#partBytes : Number.POSITIVE_INFINITY;
    const terms = { rangeEnd: this.#rangeEnd, endMs: this.#endMs, partBytes };
    return new SliceRequest(slice, this.#options, terms, signal);
  }

  /** While the companion reads a slice, the source prepares the next one. */
  #startNext(part: PairedPart<C>, signal: AbortSignal): void {
    const next = this.#planner.expectedAfter(outcomeOf(part));
    if (next !== undefined) this.#ahead.keep(this.#start(next, signal));
  }

  async #react({ slice, received }: SliceRequest, error: unknown, signal: AbortSignal): Promise<void> {
    const { retrier, observer } = this.#options;
    // A tolerated refusal says nothing about the window, so it is no reason to split it.
    const tolerated = error instanceof RemoteError && retrier.toleratesRefusal(error);
    const reaction = this.#planner.failed(tolerated ? UNREACHABLE : toReadFailure(error, received));
    if (reaction.kind !== 'retry') throw failureOf(error, reaction.kind === 'fail-too-large');
    const { pauseAttempt, split, toSamples } = reaction;
    const remoteError = asRemoteError(error);
    if (pauseAttempt !== undefined)
      await retrier.pause(remoteError, this.#endpointOf(remoteError), pauseAttempt, signal);
    if (split !== undefined) observer.event({ type: 'window-split', ...split, reason: messageOf(error) });
    if (toSamples) this.#reportSamples(slice, error);
  }

  #endpointOf({ side }: RemoteError): Endpoint {
    const { plan, companion } = this.#options;
    return side === 'source' ? plan.source : (companion?.endpoint ?? plan.source);
  }

  #reportSamples({ fromMs, toMs }: TimeRange, error: unknown): void {
    const range = `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
    const message = `the source's stream cannot be used for ${range}, so SAMPLES are read instead: ${messageOf(error)}`;
    this.#options.observer.event({ type: 'warning', code: 'samples-instead-of-stream', message });
  }
}

/** @throws `error` itself when it is not a read failure */
function uncertainWindow({ slice, received }: SliceRequest, error: unknown): UncertainWindow {
  if (error instanceof Indivisible) return new UncertainWindow(slice.window, 'indivisible', error);
  toReadFailure(error, received);
  const cause = error instanceof Error ? error : new Error(messageOf(error));
  if (cause instanceof DoesNotFit) return new UncertainWindow(slice.window, 'indivisible', cause);
  const decodes = !(cause instanceof WireError) || received === 'part';
  return new UncertainWindow(slice.window, decodes ? 'broken' : 'undecodable', cause);
}
