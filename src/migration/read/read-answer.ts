// One remote_read request to the end of its answer. The answer is held as the server sent it, every byte of it accounted for in the
// memory budget before it is kept; nothing of it is used until its end was seen. Called by source-reader.ts and read-back.ts.

import { giveBack } from '../../remote/http/body-blocks.ts';
import type { ReadClient } from '../../remote/read-client.ts';
import { FrameCollector } from '../../wire/answers/frames.ts';
import { canonicalLabels, metricName } from '../../wire/labels.ts';
import { encodeReadRequest } from '../../wire/messages.ts';
import { ChunkedCursor, SamplesCursor, type SeriesCursor } from '../../wire/answers/read-response.ts';
import { compress, declaredLength, decompress } from '../../wire/snappy/snappy.ts';
import type { MemoryBudget } from '../limits/memory-budget.ts';
import type { Matcher } from '../plan/migration-plan.ts';

export interface ReadQuery {
  readonly matchers: readonly Matcher[];
  /** Half open: [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  readonly samplesOnly: boolean;
}

export interface Answer {
  readonly cursor: SeriesCursor;
  /** Bytes on the wire. */
  readonly receivedBytes: number;
}

const mostSeenNames = 1000;

/** An answer, or what was decoded from it, does not fit into the memory budget even when nothing else is held. */
export class DoesNotFit extends Error {
  override readonly name = 'DoesNotFit';
  /** Metric names of what had arrived: where to cut when a window is split by name. */
  seenNames: readonly string[] = [];
  /** Most of what had arrived was labels: a shorter window has as many series, so only fewer names will do. */
  labelsDominate = false;

  /** Looks at what has arrived of the answer. */
  describe(cursor: SeriesCursor, bytes: number): void {
    const names = new Set<string>();
    let labelBytes = 0;
    while (cursor.next()) {
      labelBytes += cursor.labels.length;
      if (names.size < mostSeenNames) names.add(metricName(canonicalLabels(cursor.labels)));
    }
    this.labelsDominate = labelBytes > bytes / 2;
    // Names come in order, and the first of them fit: the cut is better near their end.
    this.seenNames = [...names].slice(this.labelsDominate ? Math.floor(names.size * 0.6) : 0);
  }
}

/** What decompressed answers lay in: tens of megabytes a window, which the garbage collector would give back late. */
const freeMessages: Uint8Array[] = [];
const mostFreeMessages = 2;
const messageStepBytes = 1024 * 1024;

/**
 * Bytes that one window holds of the budget, and the blocks of its answers. They are given back all at once, also after a failure: nothing of an
 * answer may be used after that.
 */
export class Reservation {
  readonly #budget: MemoryBudget;
  readonly #blocks = new Set<Uint8Array>();
  readonly #messages: Uint8Array[] = [];
  #bytes = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Waits until others have given back enough. @throws DoesNotFit when even that would not do */
  async grow(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#bytes + bytes > this.#budget.total) {
      throw new DoesNotFit(`needs more than the ${this.#budget.total} bytes of limits.memory that reading may use`);
    }
    await this.#budget.reserve(bytes, signal);
    this.#bytes += bytes;
  }

  /** Takes a block of an answer for as long as the reservation lasts. */
  async keep(block: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.grow(block.length, signal);
    this.#blocks.add(block);
  }

  /** Gives back some of the blocks that were kept. */
  discard(blocks: readonly Uint8Array[]): void {
    for (const block of blocks) {
      if (!this.#blocks.delete(block)) continue;
      this.#budget.release(block.length);
      this.#bytes -= block.length;
      giveBack(block);
    }
  }

  /** Memory for a decompressed answer, for as long as the reservation lasts. Its bytes are reserved apart, with `grow`. */
  borrow(bytes: number): Uint8Array {
    const at = freeMessages.findIndex((free) => free.length >= bytes);
    const memory =
      freeMessages.splice(at, at < 0 ? 0 : 1)[0] ??
      new Uint8Array(Math.ceil(bytes / messageStepBytes) * messageStepBytes);
    this.#messages.push(memory);
    return memory;
  }

  release(): void {
    this.discard([...this.#blocks]);
    freeMessages.push(...this.#messages.splice(0));
    // The smallest go first: what is asked for next is as likely large.
    freeMessages.sort((a, b) => a.length - b.length);
    while (freeMessages.length > mostFreeMessages) freeMessages.shift();
    if (this.#bytes > 0) this.#budget.release(this.#bytes);
    this.#bytes = 0;
  }
}

/** A ReadResponse of one empty result, compressed; a series with its labels takes more. */
const longestEmptyAnswerBytes = 8;

/**
 * Reads one answer completely.
 * @param attempt from 1; sent as `Retry-Attempt` from the second on
 * @throws RemoteError, WireError, DoesNotFit, or the signal's reason
 */
export async function readAnswer(
  client: ReadClient,
  query: ReadQuery,
  options: { attempt: number; signal: AbortSignal; reservation: Reservation; maxFrameBytes: number },
): Promise<Answer> {
  const { signal, reservation } = options;
  const anchored = client.searchesRegexes;
  let answer = await client.read(requestOf(query, anchored), { attempt: options.attempt, signal });
  if (!anchored && client.searchesRegexes) {
    // It answered another question.
    for await (const _ of answer.body) break;
    answer = await client.read(requestOf(query, true), { attempt: options.attempt, signal });
  }
  const received = new Received(reservation, signal);
  if (answer.kind === 'stream') {
    const frames = new FrameCollector({ maxFrameBytes: options.maxFrameBytes });
    try {
      for await (const block of received.blocks(answer.body)) frames.push(block);
    } catch (error) {
      if (error instanceof DoesNotFit) error.describe(new ChunkedCursor(frames.segments), frames.bytes);
      throw error;
    }
    frames.end();
    return { cursor: new ChunkedCursor(frames.segments), receivedBytes: received.bytes };
  }
  const parts: Uint8Array[] = [];
  for await (const block of received.blocks(answer.body)) parts.push(block);
  const compressed = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  const decodedBytes = declaredLength(compressed);
  await reservation.grow(decodedBytes, signal);
  const message = decompress(compressed, decodedBytes, (bytes) => reservation.borrow(bytes));
  reservation.discard(parts);
  return { cursor: new SamplesCursor(message), receivedBytes: received.bytes };
}

/**
 * Asks until the first bytes of the answer tell whether there is any series. An answer of SAMPLES without a series is a few bytes long.
 * @throws RemoteError, or the signal's reason
 */
export async function hasNoSeries(client: ReadClient, query: ReadQuery, signal: AbortSignal): Promise<boolean> {
  const answer = await client.read(requestOf(query, client.searchesRegexes), { attempt: 1, signal });
  let bytes = 0;
  for await (const piece of answer.body) {
    bytes += piece.length;
    if (bytes > (answer.kind === 'stream' ? 0 : longestEmptyAnswerBytes)) return false;
  }
  return true;
}

/** @param anchored for a server that would find a regular expression anywhere in a value: written out as Prometheus 3 reads it */
function requestOf(query: ReadQuery, anchored: boolean): Uint8Array {
  const matchers = query.matchers.map((matcher) =>
    anchored && (matcher.kind === '=~' || matcher.kind === '!~')
      ? { ...matcher, value: `^(?s:${matcher.value})$` }
      : matcher,
  );
  const request = encodeReadRequest({
    startMs: query.fromMs,
    // A millisecond to spare: M3 leaves out the end of a range, which all others include. What lies beyond the window is trimmed.
    endMs: query.toMs,
    matchers,
    accept: query.samplesOnly ? ['SAMPLES'] : ['STREAMED_XOR_CHUNKS', 'SAMPLES'],
  });
  return compress(request);
}

/** Passes on what fits into the memory budget, and counts it. */
class Received {
  bytes = 0;
  readonly #reservation: Reservation;
  readonly #signal: AbortSignal;

  constructor(reservation: Reservation, signal: AbortSignal) {
    this.#reservation = reservation;
    this.#signal = signal;
  }

  async *blocks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const block of body) {
      await this.#reservation.keep(block, this.#signal);
      this.bytes += block.length;
      yield block;
    }
  }
}
