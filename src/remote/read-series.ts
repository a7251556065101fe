// One remote_read request to the end of its response: takes a query, returns a cursor over the series. The response is held as the server
// sent it. Every byte is accounted for before it is kept, and nothing is used before the end has arrived.

import { FrameCollector } from '../wire/responses/frames.ts';
import { ChunkedCursor, SamplesCursor, type SeriesCursor } from '../wire/responses/read-response.ts';
import type { Matcher } from '../wire/messages.ts';
import { canHold, checkExpansion, compress, decompress, SnappyReader } from '../wire/snappy/snappy.ts';
import { DoesNotFit, noteArrived } from './does-not-fit.ts';
import type { ReadResponse, ReadClient } from './read-client.ts';

/** The memory that holds a response, within the provider's limits. Each method throws DoesNotFit if the limit would be exceeded. */
export interface ResponseMemory {
  /** Accounts for bytes held elsewhere. Waits until other users have given back enough. */
  grow(bytes: number, signal: AbortSignal): Promise<void>;
  /** Takes over a block of the body. */
  keep(block: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Memory of at least `bytes`. */
  borrow(bytes: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Gives back a part of it before the end. */
  discard(memories: Iterable<Uint8Array>): void;
}

export interface ReadQuery {
  readonly matchers: readonly Matcher[];
  /** Half open: [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * The end of the requested range. Undefined means `toMs`, which is one millisecond more than needed: M3 excludes the end of a range, all
   * other servers include it. Samples beyond the window are trimmed.
   */
  readonly lastMs?: number;
  readonly samplesOnly: boolean;
}

export interface SeriesResponse {
  readonly cursor: SeriesCursor;
  /** The number of bytes on the wire. */
  readonly receivedBytes: number;
}

/** A compressed ReadResponse with one empty result. A series with its labels takes more. */
const LONGEST_EMPTY_BYTES = 8;
const MAX_EMPTY_MESSAGE_BYTES = 64;

/**
 * Reads one response completely.
 * @param attempt from 1; sent as `Retry-Attempt` from the second attempt on
 * @throws RemoteError, WireError, DoesNotFit, or the signal's reason
 */
export async function readSeries(client: ReadClient, query: ReadQuery, options: ReadOptions): Promise<SeriesResponse> {
  const { signal } = options;
  const anchored = client.searchesRegexes;
  let response = await client.read(await requestOf(query, anchored), { attempt: options.attempt, signal });
  if (!anchored && client.searchesRegexes) {
    // The response was for another request.
    for await (const _ of response.body) break;
    response = await client.read(await requestOf(query, true), { attempt: options.attempt, signal });
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

/** Frames are kept where they arrived. Only frames that cross two blocks are copied into memory of their own. */
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

/** The message is decompressed as it arrives. No compressed bytes are kept. */
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
    // A declared length costs a server nothing. It is trusted only when enough bytes have arrived that it may be true.
    if (tooLarge !== undefined && canHold(received.bytes, block.declared ?? 0)) throw tooLarge;
  }
  if (tooLarge !== undefined) checkExpansion(block.declared ?? 0, received.bytes);
  return new SamplesCursor(block.end());
}

/**
 * Reads until the first bytes of the response show whether there is any series. A SAMPLES response without a series is a few bytes long.
 * @throws RemoteError, WireError if a short response is not a valid one, or the signal's reason
 */
export async function hasNoSeries(
  client: ReadClient,
  query: ReadQuery,
  options: { attempt: number; signal: AbortSignal },
): Promise<boolean> {
  const response = await client.read(await requestOf(query, client.searchesRegexes), options);
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

/**
 * @param anchored for a server that searches for a regular expression anywhere in a value: writes it out in full, as Prometheus 3 reads it
 */
async function requestOf(query: ReadQuery, anchored: boolean): Promise<Uint8Array> {
  // Loads protobufjs, which a run that has nothing to read does not need.
  const { encodeReadRequest } = await import('../wire/messages.ts');
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
