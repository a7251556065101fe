// The response to one remote_read request while it arrives. A stream can be taken in parts that end between two series, so that its beginning
// is used before its end has arrived. Every byte is accounted for before it is kept.

import type { LabelBytes } from '../wire/labels.ts';
import { FrameCollector, type FramePlace } from '../wire/responses/frames.ts';
import { ChunkedCursor, SamplesCursor, type SeriesCursor } from '../wire/responses/read-response.ts';
import { firstFrameFrom, firstSeriesLabels, lastSeriesBorder } from '../wire/responses/series-border.ts';
import { canHold, checkExpansion } from '../wire/snappy/snappy.ts';
import { SnappyReader } from '../wire/snappy/snappy-reader.ts';
import { DoesNotFit, noteArrived } from './does-not-fit.ts';
import type { ReadResponse } from './read-client.ts';

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

export interface ResponsePart {
  readonly cursor: SeriesCursor;
  /** The number of bytes on the wire since the part before. */
  readonly receivedBytes: number;
  /** The response ends here. */
  readonly isLast: boolean;
  /** Borrowed memory that holds the beginning of the next part. It must belong to the next part's memory before that is read. */
  readonly carried: readonly Uint8Array[];
  /** The labels of the series with which the next part begins, as the server sorts them; undefined if this part is the last. */
  readonly nextLabels?: LabelBytes | undefined;
  /** How much of the memory a shorter range would not need, where this is known better than by the number of samples. */
  readonly rangeBytes?: number;
}

export interface PartLimits {
  /** As soon as this much is collected, a part of a stream ends at the next border between two series. */
  readonly partBytes: number;
  readonly signal: AbortSignal;
}

export class SeriesStream {
  readonly kind: ReadResponse['kind'];
  readonly #response: ReadResponse;
  readonly #body: AsyncIterator<Uint8Array>;
  readonly #frames: FrameCollector;
  #allocatedBytes = 0;

  constructor(response: ReadResponse, maxFrameBytes: number) {
    this.kind = response.kind;
    this.#response = response;
    this.#body = response.body[Symbol.asyncIterator]();
    this.#frames = new FrameCollector({ maxFrameBytes });
  }

  /**
   * Reads the next part. Only a stream has more than one, and only with a finite `partBytes`. While a part is not asked for, nothing is taken
   * from the socket. After a failure there is no next part.
   * @throws RemoteError, WireError, DoesNotFit, or the signal's reason
   */
  async next(memory: ResponseMemory, limits: PartLimits): Promise<ResponsePart> {
    try {
      return await (this.kind === 'stream' ? this.#nextFrames(memory, limits) : this.#samples(memory, limits.signal));
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Ends the request if its response has not ended. */
  async close(): Promise<void> {
    await this.#body.return?.();
  }

  /**
   * Reads the series that come before `until` in the order of label-order.ts; all that are left if it is undefined. Assumes that the server
   * sorts its series so, and never divides a frame: a comparison of the parts has to check their labels.
   * @throws as `next`; RangeError for a response that is not a stream
   */
  async nextUntil(until: LabelBytes | undefined, memory: ResponseMemory, signal: AbortSignal): Promise<ResponsePart> {
    if (this.kind !== 'stream') throw new RangeError('SAMPLES can only be read as a whole');
    const frames = this.#frames;
    let searched: FramePlace = { segment: 0, at: 0 };
    let receivedBytes = 0;
    try {
      for (;;) {
        const place = until === undefined ? undefined : firstFrameFrom(frames.segments, until, searched);
        if (place !== undefined) return { ...(await this.#cut(place, memory, signal)), receivedBytes };
        searched = { segment: frames.segments.length, at: 0 };
        const bytes = await this.#pull(memory, signal);
        if (bytes === undefined) return { ...this.#rest(), receivedBytes };
        receivedBytes += bytes;
      }
    } catch (error) {
      if (error instanceof DoesNotFit) noteArrived(error, new ChunkedCursor(frames.segments), frames.bytes);
      await this.close();
      throw error;
    }
  }

  async #nextFrames(memory: ResponseMemory, { partBytes, signal }: PartLimits): Promise<ResponsePart> {
    const frames = this.#frames;
    let receivedBytes = 0;
    try {
      for (;;) {
        const { length: segments } = frames.segments;
        const bytes = await this.#pull(memory, signal);
        if (bytes === undefined) return { ...this.#rest(), receivedBytes };
        receivedBytes += bytes;
        const isEnough = frames.bytes >= partBytes && frames.segments.length > segments;
        const place = isEnough ? lastSeriesBorder(frames.segments) : undefined;
        if (place !== undefined) return { ...(await this.#cut(place, memory, signal)), receivedBytes };
      }
    } catch (error) {
      if (error instanceof DoesNotFit) noteArrived(error, new ChunkedCursor(frames.segments), frames.bytes);
      throw error;
    }
  }

  /**
   * Takes the next block of a stream. Frames are kept where they arrived. Only frames that cross two blocks are copied into memory of their own.
   * @returns the number of bytes; undefined if the response has ended
   */
  async #pull(memory: ResponseMemory, signal: AbortSignal): Promise<number | undefined> {
    const frames = this.#frames;
    const next = await this.#body.next();
    if (next.done === true) {
      frames.end();
      return undefined;
    }
    const block = next.value;
    await memory.keep(block, signal);
    const keeps = frames.push(block);
    if (frames.wantedBytes > 0) frames.provide(await memory.borrow(frames.wantedBytes, signal));
    if (!keeps) memory.discard([block]);
    if (frames.allocatedBytes > this.#allocatedBytes) {
      await memory.grow(frames.allocatedBytes - this.#allocatedBytes, signal);
      this.#allocatedBytes = frames.allocatedBytes;
    }
    return block.length;
  }

  async #cut(
    place: FramePlace,
    memory: ResponseMemory,
    signal: AbortSignal,
  ): Promise<Omit<ResponsePart, 'receivedBytes'>> {
    const frames = this.#frames;
    const rest = await memory.borrow(frames.bytesBehind(place), signal);
    const cursor = new ChunkedCursor(frames.cut(place, rest));
    const { straddling } = frames;
    const carried = straddling === undefined ? [rest] : [rest, straddling];
    return { cursor, isLast: false, carried, nextLabels: firstSeriesLabels(frames.segments) };
  }

  /** What is left of a stream that has ended. */
  #rest(): Omit<ResponsePart, 'receivedBytes'> {
    return { cursor: new ChunkedCursor(this.#frames.segments), isLast: true, carried: [] };
  }

  /** The message is decompressed as it arrives. No compressed bytes are kept. */
  async #samples(memory: ResponseMemory, signal: AbortSignal): Promise<ResponsePart> {
    const { contentLength } = this.#response;
    const block = new SnappyReader();
    let receivedBytes = 0;
    let tooLarge: DoesNotFit | undefined;
    for (let next = await this.#body.next(); next.done !== true; next = await this.#body.next()) {
      const piece = next.value;
      receivedBytes += piece.length;
      await memory.keep(piece, signal);
      if (tooLarge === undefined) block.push(piece);
      if (block.wantedBytes > 0 && tooLarge === undefined) {
        if (contentLength !== undefined) checkExpansion(block.declared ?? 0, contentLength);
        try {
          block.provide(await memory.borrow(block.wantedBytes, signal));
        } catch (error) {
          if (!(error instanceof DoesNotFit)) throw error;
          tooLarge = error;
        }
      }
      memory.discard([piece]);
      // A declared length costs a server nothing. It is trusted only when enough bytes have arrived that it may be true.
      if (tooLarge !== undefined && canHold(receivedBytes, block.declared ?? 0)) throw tooLarge;
    }
    if (tooLarge !== undefined) checkExpansion(block.declared ?? 0, receivedBytes);
    return { cursor: new SamplesCursor(block.end()), receivedBytes, isLast: true, carried: [] };
  }
}
