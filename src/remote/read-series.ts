// One remote_read request: takes a query, returns the response or a cursor over its series.

import { SamplesCursor } from '../wire/responses/read-response.ts';
import type { Matcher } from '../wire/messages.ts';
import { compress, decompress } from '../wire/snappy/snappy.ts';
import type { ReadClient } from './read-client.ts';
import { type ResponseMemory, type ResponsePart, SeriesStream } from './series-stream.ts';

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

/** A compressed ReadResponse with one empty result. A series with its labels takes more. */
const LONGEST_EMPTY_BYTES = 8;
const MAX_EMPTY_MESSAGE_BYTES = 64;

interface OpenOptions {
  /** From 1; sent as `Retry-Attempt` from the second attempt on. */
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly maxFrameBytes: number;
}

/**
 * Sends a request. Resolves when a response has begun.
 * @throws RemoteError, or the signal's reason
 */
export async function openSeries(client: ReadClient, query: ReadQuery, options: OpenOptions): Promise<SeriesStream> {
  const { signal, attempt, maxFrameBytes } = options;
  const anchored = client.searchesRegexes;
  let response = await client.read(await requestOf(query, anchored), { attempt, signal });
  if (!anchored && client.searchesRegexes) {
    // The response was for another request.
    for await (const _ of response.body) break;
    response = await client.read(await requestOf(query, true), { attempt, signal });
  }
  return new SeriesStream(response, maxFrameBytes);
}

/**
 * Reads one response completely. Nothing is used before its end has arrived.
 * @throws RemoteError, WireError, DoesNotFit, or the signal's reason
 */
export async function readSeries(
  client: ReadClient,
  query: ReadQuery,
  options: OpenOptions & { readonly memory: ResponseMemory },
): Promise<ResponsePart> {
  const stream = await openSeries(client, query, options);
  return stream.next(options.memory, { partBytes: Number.POSITIVE_INFINITY, signal: options.signal });
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
