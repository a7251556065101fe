// One remote_read request to the end of its response: query in, cursor over the series out. The response is held as the server sent it, every
// byte of it accounted for before it is kept; nothing of it is used until its end was seen.

import { FrameCollector } from '../wire/responses/frames.ts';
import { ChunkedCursor, SamplesCursor, type SeriesCursor } from '../wire/responses/read-response.ts';
import { encodeReadRequest, type Matcher } from '../wire/messages.ts';
import { canHold, checkExpansion, compress, decompress, SnappyReader } from '../wire/snappy/snappy.ts';
import { DoesNotFit, noteArrived } from './does-not-fit.ts';
import type { ReadResponse, ReadClient } from './read-client.ts';

/** What holds a response, within the bounds of whoever provides it. Each method throws DoesNotFit when it would be too much. */
export interface ResponseMemory {
  /** Accounts for bytes held elsewhere; waits until others have given back enough. */
  grow(bytes: number, signal: AbortSignal): Promise<void>;
  /** Takes over a block of the body. */
  keep(block: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Memory of at least `bytes`. */
  borrow(bytes: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Gives back some of it before the end. */
  discard(memories: Iterable<Uint8Array>): void;
}

export interface ReadQuery {
  readonly matchers: readonly Matcher[];
  /** Half open: [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * The end of the range as it is requested; `toMs` when undefined, a millisecond to spare: M3 leaves out the end of a range, which all others
   * include. What lies beyond the window is trimmed.
   */
  readonly lastMs?: number;
  readonly samplesOnly: boolean;
}

export interface SeriesResponse {
  readonly cursor: SeriesCursor;
  /** Bytes on the wire. */
  readonly receivedBytes: number;
}

/** A ReadResponse of one empty result, compressed; a series with its labels takes more. */
const LONGEST_EMPTY_BYTES = 8;
const MAX_EMPTY_MESSAGE_BYTES = 64;

/**
 * Reads one response completely.
 * @param attempt from 1; sent as `Retry-Attempt` from the second on
 * @throws RemoteError, WireError, DoesNotFit, or the signal's reason
 */
export async function readSeries(client: ReadClient, query: ReadQuery, options: ReadOptions): Promise<SeriesResponse> {
  const { signal } = options;
  const anchored = client.searchesRegexes;
  let response = await client.read(requestOf(query, anchored), { attempt: options.attempt, signal });
  if (!anchored && client.searchesRegexes) {
    // It responded another question.
    for await (const _ of response.body) break;
    response = await client.read(requestOf(query, true), { attempt: options.attempt, signal });
  }
  const received = { bytes: 0 };
  const cursor = await (response.kind === 'stream' ? readStream : readSamples)(response, options, received);
  return { cursor, receivedBytes: received.bytes };
}

interface ReadOptions {
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly memory: ResponseMemory;
  readonly maxFrameBytes: number;
}

/** Frames are kept where they arrived; only those that lie across two blocks are put together in memory of their own. */
async function readStream(
  response: ReadResponse,
  { signal, memory, maxFrameBytes }: ReadOptions,
  received: { bytes: number },
): Promise<SeriesCursor> {
  const frames = new FrameCollector({ maxFrameBytes });
  try {
    let allocatedBytes = 0;
    for await (const block of response.body) {
      received.bytes += block.length;
      await memory.keep(block, signal);
      const keeps = frames.push(block);
      if (frames.wantedBytes > 0) frames.provide(await memory.borrow(frames.wantedBytes, signal));
      if (!keeps) memory.discard([block]);
      if (frames.allocatedBytes > allocatedBytes) {
        await memory.grow(frames.allocatedBytes - allocatedBytes, signal);
        allocatedBytes = frames.allocatedBytes;
      }
    }
  } catch (error) {
    if (error instanceof DoesNotFit) noteArrived(error, new ChunkedCursor(frames.segments), frames.bytes);
    throw error;
  }
  frames.end();
  return new ChunkedCursor(frames.segments);
}

/** The message is decompressed as it arrives: nothing of the compressed bytes is kept. */
async function readSamples(
  response: ReadResponse,
  { signal, memory }: ReadOptions,
  received: { bytes: number },
): Promise<SeriesCursor> {
  const block = new SnappyReader();
  let tooLarge: DoesNotFit | undefined;
  for await (const piece of response.body) {
    received.bytes += piece.length;
    await memory.keep(piece, signal);
    if (tooLarge === undefined) block.push(piece);
    if (block.wantedBytes > 0 && tooLarge === undefined) {
      if (response.contentLength !== undefined) checkExpansion(block.declared ?? 0, response.contentLength);
      try {
        block.provide(await memory.borrow(block.wantedBytes, signal));
      } catch (error) {
        if (!(error instanceof DoesNotFit)) throw error;
        tooLarge = error;
      }
    }
    memory.discard([piece]);
    // A length costs a server nothing: it is believed once so much has arrived that it may be true.
    if (tooLarge !== undefined && canHold(received.bytes, block.declared ?? 0)) throw tooLarge;
  }
  if (tooLarge !== undefined) checkExpansion(block.declared ?? 0, received.bytes);
  return new SamplesCursor(block.end());
}

/**
 * Asks until the first bytes of the response tell whether there is any series. A response of SAMPLES without a series is a few bytes long.
 * @throws RemoteError, WireError when a short response is none, or the signal's reason
 */
export async function hasNoSeries(
  client: ReadClient,
  query: ReadQuery,
  options: { attempt: number; signal: AbortSignal },
): Promise<boolean> {
  const response = await client.read(requestOf(query, client.searchesRegexes), options);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of response.body) {
    bytes += piece.length;
    const isMore = bytes > (response.kind === 'stream' ? 0 : LONGEST_EMPTY_BYTES);
    if (!isMore) pieces.push(Uint8Array.from(piece));
    client.buffers.give(piece);
    if (isMore) return false;
  }
  if (response.kind === 'stream') return true;
  return !new SamplesCursor(decompress(Buffer.concat(pieces), MAX_EMPTY_MESSAGE_BYTES)).next();
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
    endMs: query.lastMs ?? query.toMs,
    matchers,
    accept: query.samplesOnly ? ['SAMPLES'] : ['STREAMED_XOR_CHUNKS', 'SAMPLES'],
  });
  return compress(request);
}
