// What the engine reads samples from, whatever its protocol: a query in, a cursor over series out.

import type { Buffers } from '../../remote/http/buffers.ts';
import type { ReadQuery } from '../../remote/read-series.ts';
import type { PartLimits, ResponseMemory, ResponsePart } from '../../remote/series-stream.ts';

/** Where a response is held while it arrives and is used. */
export interface SourceMemory extends ResponseMemory {
  /** Gives back bytes that `grow` reserved. */
  shrink(bytes: number): void;
}

/** A response while it arrives. */
export interface SourceStream {
  /**
   * Reads the next part; all of it if the protocol has no parts. After a failure there is no next part.
   * @throws RemoteError, WireError, DoesNotFit, or the signal's reason
   */
  next(memory: SourceMemory, limits: PartLimits): Promise<ResponsePart>;
  /** Ends the request if its response has not ended. */
  close(): Promise<void>;
}

export interface SourceOptions {
  /** From 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export interface SeriesSource {
  /** The pool for the memory of responses. */
  readonly buffers: Buffers;
  /** Whether the end of a requested range belongs to it. `unknown`: a request finds out (range-end.ts). */
  readonly rangeEnd: 'included' | 'unknown';
  /** The samples are results of queries, which show no stale markers, and not everything of NaN and native histograms. */
  readonly isQueried?: boolean;
  /**
   * Sends a request, once. Resolves when a response has begun, or is about to be read.
   * @throws RemoteError, or the signal's reason
   */
  open(query: ReadQuery, options: SourceOptions): Promise<SourceStream>;
  /** Closes all connections, also those in use. */
  close(): void;
}

/**
 * Reads one response completely. Nothing is used before its end has arrived.
 * @throws RemoteError, WireError, DoesNotFit, or the signal's reason
 */
export async function readWhole(
  source: SeriesSource,
  query: ReadQuery,
  { memory, ...options }: SourceOptions & { readonly memory: SourceMemory },
): Promise<ResponsePart> {
  const stream = await source.open(query, options);
  return stream.next(memory, { partBytes: Number.POSITIVE_INFINITY, signal: options.signal });
}
