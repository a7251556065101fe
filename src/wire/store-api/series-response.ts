// A message of the stream that Thanos' StoreAPI responds with: a series, several series, or a warning. Unlike remote_read's, it has no frame
// of its own, and a chunk is one of several aggregates.

import { WireError } from '../errors.ts';
import { ProtoReader } from '../proto-reader.ts';

const SERIES = 1;
const WARNING = 2;
const HINTS = 3;
/** Newer releases send several series at once, if a client requests it. */
const BATCH = 4;
const SERIES_OF_BATCH = 1;

export type StoreMessage =
  | { readonly kind: 'series' }
  | { readonly kind: 'warning'; readonly text: string }
  /** About the query, not about data. */
  | { readonly kind: 'hints' };

const TEXT = new TextDecoder();

/** Walks the series of one message. */
export class SeriesResponse {
  readonly #message = new ProtoReader(new Uint8Array(0));
  /** The batch that is walked. */
  readonly #batch = new ProtoReader(new Uint8Array(0));
  bytes: Uint8Array = new Uint8Array(0);
  /** After `next()`: the series is `bytes[start, end)`. */
  start = 0;
  end = 0;

  /**
   * Begins a message.
   * @throws WireError; 'corrupt' also for a message of which nothing is known, since it may have samples
   */
  read(bytes: Uint8Array): StoreMessage {
    this.bytes = bytes;
    this.#batch.reset(bytes, 0, 0);
    const reader = this.#message;
    reader.reset(bytes, 0, bytes.length);
    let kind: 'series' | 'hints' | undefined;
    while (reader.nextField()) {
      const { field } = reader;
      reader.skip();
      if (field === WARNING)
        return { kind: 'warning', text: TEXT.decode(bytes.subarray(reader.valueStart, reader.valueEnd)) };
      if (field === SERIES || field === BATCH) kind = 'series';
      else if (field === HINTS) kind ??= 'hints';
    }
    // A message without fields is an empty hint.
    if (kind === undefined && bytes.length > 0) {
      throw new WireError('corrupt', 'a message of the StoreAPI is neither a series nor a warning');
    }
    reader.reset(bytes, 0, kind === 'series' ? bytes.length : 0);
    return { kind: kind ?? 'hints' };
  }

  /** Moves to the next series of the message; false after the last. @throws WireError */
  next(): boolean {
    for (;;) {
      while (this.#batch.nextField()) {
        this.#batch.skip();
        if (this.#batch.field === SERIES_OF_BATCH) return this.#found(this.#batch);
      }
      if (!this.#message.nextField()) return false;
      const { field } = this.#message;
      this.#message.skip();
      if (field === SERIES) return this.#found(this.#message);
      if (field === BATCH) this.#batch.reset(this.bytes, this.#message.valueStart, this.#message.valueEnd);
    }
  }

  #found({ valueStart, valueEnd }: ProtoReader): true {
    this.start = valueStart;
    this.end = valueEnd;
    return true;
  }
}
