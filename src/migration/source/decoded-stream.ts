// A response whose series arrive decoded, or as blocks. It is read as a whole, because the protocols that send such responses do not order their series.

import { DoesNotFit, noteArrived } from '../../remote/does-not-fit.ts';
import type { PartLimits, ResponsePart } from '../../remote/series-stream.ts';
import type { HeldSeries } from '../decoded/held-series.ts';
import type { Keeping } from '../decoded/series-taker.ts';
import { StoredSeries } from '../decoded/stored-series.ts';
import type { SourceMemory, SourceStream } from './series-source.ts';

/** What has arrived. */
interface DecodedResponse {
  readonly receivedBytes: number;
  /** If it is not in `keep.store`. */
  readonly held?: HeldSeries;
}

/** Reads all of a response. */
type ReadDecoded = (keep: Keeping & { readonly store: StoredSeries }, signal: AbortSignal) => Promise<DecodedResponse>;

export class DecodedStream implements SourceStream {
  readonly #read: ReadDecoded;

  constructor(read: ReadDecoded) {
    this.#read = read;
  }

  async next(memory: SourceMemory, { signal }: PartLimits): Promise<ResponsePart> {
    let storedBytes = 0;
    const grow = async (bytes: number): Promise<void> => {
      await memory.grow(bytes, signal);
      storedBytes += bytes;
    };
    const shrink = (bytes: number): void => {
      memory.shrink(bytes);
      storedBytes -= bytes;
    };
    const store = new StoredSeries(grow);
    try {
      const { receivedBytes, held } = await this.#read({ arriving: undefined, grow, shrink, store }, signal);
      const response = { receivedBytes, isLast: true, carried: [] } as const;
      return held === undefined
        ? { ...response, cursor: store }
        : { ...response, cursor: held, rangeBytes: held.rangeBytes };
    } catch (error) {
      // The reader knows better if it has kept more than what is in the store.
      if (error instanceof DoesNotFit && error.seenNames.length === 0) {
        noteArrived(error, store, storedBytes);
        // They arrive in no order.
        error.seenNames = [...error.seenNames].sort();
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    // The request ends with the call of `next`.
  }
}
