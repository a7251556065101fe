// One remote_read request to the end of its answer. The answer is held as the server sent it, every byte of it accounted for in the
// memory budget before it is kept; nothing of it is used until its end was seen. Called by source-reader.ts and read-back.ts.

import type { ReadAnswer, ReadClient } from '../../remote/read-client.ts';
import { FrameCollector } from '../../wire/responses/frames.ts';
import { ChunkedCursor, SamplesCursor, type SeriesCursor } from '../../wire/responses/read-response.ts';
import { WireError } from '../../wire/errors.ts';
import { canonicalLabels, metricName } from '../../wire/labels.ts';
import { encodeReadRequest } from '../../wire/messages.ts';
import { canHold, checkExpansion, compress, decompress, SnappyReader } from '../../wire/snappy/snappy.ts';
import { DoesNotFit, type Reservation } from '../limits/reservation.ts';
import type { Matcher } from '../plan/migration-plan.ts';

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

export interface Answer {
  readonly cursor: SeriesCursor;
  /** Bytes on the wire. */
  readonly receivedBytes: number;
}

const MAX_SEEN_NAMES = 1000;

/** Notes in the error what has arrived of the response that does not fit: it decides how the window is split. */
export function noteArrived(error: DoesNotFit, cursor: SeriesCursor, bytes: number): void {
  const names = new Set<string>();
  let labelBytes = 0;
  while (cursor.next()) {
    labelBytes += cursor.labels.length;
    const name = names.size < MAX_SEEN_NAMES ? nameOf(cursor.labels) : '';
    if (name !== '') names.add(name);
  }
  error.labelsDominate = labelBytes > bytes / 2;
  // Names come in order, and the first of them fit: the cut is better near their end.
  error.seenNames = [...names].slice(error.labelsDominate ? Math.floor(names.size * 0.6) : 0);
}

/** A ReadResponse of one empty result, compressed; a series with its labels takes more. */
const LONGEST_EMPTY_BYTES = 8;
const MAX_EMPTY_MESSAGE_BYTES = 64;

/**
 * Reads one answer completely.
 * @param attempt from 1; sent as `Retry-Attempt` from the second on
 * @throws RemoteError, WireError, DoesNotFit, or the signal's reason
 */
export async function readAnswer(client: ReadClient, query: ReadQuery, options: ReadOptions): Promise<Answer> {
  const { signal } = options;
  const anchored = client.searchesRegexes;
  let answer = await client.read(requestOf(query, anchored), { attempt: options.attempt, signal });
  if (!anchored && client.searchesRegexes) {
    // It answered another question.
    for await (const _ of answer.body) break;
    answer = await client.read(requestOf(query, true), { attempt: options.attempt, signal });
  }
  const received = { bytes: 0 };
  const cursor = await (answer.kind === 'stream' ? readStream : readSamples)(answer, options, received);
  return { cursor, receivedBytes: received.bytes };
}

interface ReadOptions {
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly reservation: Reservation;
  readonly maxFrameBytes: number;
}

/** Frames are kept where they arrived; only those that lie across two blocks are put together in memory of their own. */
async function readStream(
  answer: ReadAnswer,
  { signal, reservation, maxFrameBytes }: ReadOptions,
  received: { bytes: number },
): Promise<SeriesCursor> {
  const frames = new FrameCollector({ maxFrameBytes });
  try {
    let allocatedBytes = 0;
    for await (const block of answer.body) {
      received.bytes += block.length;
      await reservation.keep(block, signal);
      const keeps = frames.push(block);
      if (frames.wantedBytes > 0) frames.provide(await reservation.borrow(frames.wantedBytes, signal));
      if (!keeps) reservation.discard([block]);
      if (frames.allocatedBytes > allocatedBytes) {
        await reservation.grow(frames.allocatedBytes - allocatedBytes, signal);
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
  answer: ReadAnswer,
  { signal, reservation }: ReadOptions,
  received: { bytes: number },
): Promise<SeriesCursor> {
  const block = new SnappyReader();
  let tooLarge: DoesNotFit | undefined;
  for await (const piece of answer.body) {
    received.bytes += piece.length;
    await reservation.keep(piece, signal);
    if (tooLarge === undefined) block.push(piece);
    if (block.wantedBytes > 0 && tooLarge === undefined) {
      if (answer.contentLength !== undefined) checkExpansion(block.declared ?? 0, answer.contentLength);
      try {
        block.provide(await reservation.borrow(block.wantedBytes, signal));
      } catch (error) {
        if (!(error instanceof DoesNotFit)) throw error;
        tooLarge = error;
      }
    }
    reservation.discard([piece]);
    // A length costs a server nothing: it is believed once so much has arrived that it may be true.
    if (tooLarge !== undefined && canHold(received.bytes, block.declared ?? 0)) throw tooLarge;
  }
  if (tooLarge !== undefined) checkExpansion(block.declared ?? 0, received.bytes);
  return new SamplesCursor(block.end());
}

/** What can't be read is found out, and said, when it is decoded. */
function nameOf(labels: Uint8Array): string {
  try {
    return metricName(canonicalLabels(labels));
  } catch (error) {
    if (error instanceof WireError) return '';
    throw error;
  }
}

/**
 * Asks until the first bytes of the answer tell whether there is any series. An answer of SAMPLES without a series is a few bytes long.
 * @throws RemoteError, WireError when a short answer is none, or the signal's reason
 */
export async function hasNoSeries(
  client: ReadClient,
  query: ReadQuery,
  options: { attempt: number; signal: AbortSignal },
): Promise<boolean> {
  const answer = await client.read(requestOf(query, client.searchesRegexes), options);
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of answer.body) {
    bytes += piece.length;
    const isMore = bytes > (answer.kind === 'stream' ? 0 : LONGEST_EMPTY_BYTES);
    if (!isMore) pieces.push(Uint8Array.from(piece));
    client.buffers.give(piece);
    if (isMore) return false;
  }
  if (answer.kind === 'stream') return true;
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
