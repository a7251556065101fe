// The response of a StoreAPI while it arrives. It becomes the frames of a streamed remote_read response, so that what reads those reads this.

import { DoesNotFit, noteArrived } from '../../remote/does-not-fit.ts';
import { meansPartial } from '../../remote/partial-response.ts';
import { PartMemory } from '../../remote/part-memory.ts';
import type { PartLimits, ResponsePart } from '../../remote/series-stream.ts';
import type { SeriesMessages } from '../../remote/store-client.ts';
import { canonicalLabels } from '../../wire/labels.ts';
import { ChunkedCursor } from '../../wire/responses/read-response.ts';
import { SeriesFrames } from '../../wire/store-api/series-frames.ts';
import { SeriesResponse } from '../../wire/store-api/series-response.ts';
import type { SourceMemory, SourceStream } from './series-source.ts';

const BLOCK_BYTES = 256 * 1024;
const FIRST_BLOCK_BYTES = 4 * 1024;

/** The library puts together the pieces of a message. */
const BYTES_PER_MESSAGE_BYTE = 2;

/** What the response had, when its end has arrived. */
export interface StoreResponse {
  readonly hasSeries: boolean;
  /** A range of which a series had only aggregates. */
  readonly withoutSamples: SeriesFrames['withoutSamples'];
}

export class StoreStream implements SourceStream {
  readonly #messages: SeriesMessages;
  readonly #onEnd: (response: StoreResponse) => Promise<void>;
  readonly #frames: SeriesFrames;
  readonly #response = new SeriesResponse();

  /**
   * @param dropped names of labels to leave out
   * @param onEnd called after the last message, before the last part is handed on
   */
  constructor(messages: SeriesMessages, dropped: readonly string[], onEnd: (response: StoreResponse) => Promise<void>) {
    this.#messages = messages;
    this.#frames = new SeriesFrames(dropped);
    this.#onEnd = onEnd;
  }

  async next(memory: SourceMemory, { partBytes, signal }: PartLimits): Promise<ResponsePart> {
    const frames = this.#frames;
    const response = this.#response;
    const grow = (bytes: number) => memory.grow(bytes, signal);
    const messageMemory = new PartMemory({ grow, shrink: (bytes) => memory.shrink(bytes) });
    let receivedBytes = 0;
    try {
      for (;;) {
        while (response.next()) {
          const wanted = frames.wantedBytes(response.end - response.start);
          if (wanted > 0) frames.provide(await memory.borrow(this.#blockBytes(wanted), signal));
          frames.add(response.bytes, response.start, response.end);
        }
        // Not in the middle of a message, which would be held beside the memory of the next part.
        const { borderBytes } = frames;
        if (borderBytes > 0 && frames.bytes - borderBytes >= partBytes) {
          const rest = await memory.borrow(this.#blockBytes(borderBytes), signal);
          const cursor = new ChunkedCursor(frames.cut(rest));
          const nextLabels = canonicalLabels(frames.lastLabels.slice());
          return { cursor, receivedBytes, isLast: false, carried: [rest], nextLabels };
        }
        const message = await this.#messages.next();
        if (message === undefined) break;
        receivedBytes += message.length;
        const reserved = messageMemory.reserve(BYTES_PER_MESSAGE_BYTE * message.length);
        if (reserved !== undefined) await reserved;
        const read = response.read(message);
        if (read.kind === 'warning' && meansPartial(read.text)) throw this.#messages.partialResponse(read.text);
      }
      await this.#onEnd(frames);
      return { cursor: new ChunkedCursor(frames.segments), receivedBytes, isLast: true, carried: [] };
    } catch (error) {
      if (error instanceof DoesNotFit) noteArrived(error, new ChunkedCursor(frames.segments), frames.bytes);
      await this.close();
      throw error;
    } finally {
      messageMemory.release();
    }
  }

  /** As large as what has arrived so far: the small response of a quiet window must not cost a large block. */
  #blockBytes(wanted: number): number {
    return Math.max(wanted, Math.min(BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, this.#frames.bytes)));
  }

  async close(): Promise<void> {
    this.#messages.close();
  }
}
