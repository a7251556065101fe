// Adds up the parts of a response, and estimates which share of it has arrived. Pure.

import type { SliceOutcome } from './open-window.ts';

/** How much of a response its first parts are assumed to be, and the most that a part before the last one can be. */
const LEAST_SHARE = 0.05;
const GREATEST_SHARE = 0.9;

export interface StreamTotal {
  /** A part was read. */
  add(receivedBytes: number, outcome: SliceOutcome): void;
  /** The fraction of the response that has arrived, more than 0 and less than 1. An estimate by the response before. */
  readonly share: number;
  /** What all parts contained together; `bytes` is the largest part's. */
  end(): SliceOutcome;
}

export class StreamTotals {
  /** Of the last response with more than one part. */
  #bytesPerMs = 0;

  begin(lengthMs: number): StreamTotal {
    let receivedBytes = 0;
    let total: SliceOutcome | undefined;
    const expectedBytes = this.#bytesPerMs * lengthMs;
    return {
      add(bytes, outcome) {
        receivedBytes += bytes;
        total = total === undefined ? outcome : sum(total, outcome);
      },
      get share() {
        const share = expectedBytes === 0 ? LEAST_SHARE : receivedBytes / expectedBytes;
        return Math.min(GREATEST_SHARE, share);
      },
      end: () => {
        if (total === undefined) throw new Error('no part was read');
        this.#bytesPerMs = receivedBytes / lengthMs;
        return total;
      },
    };
  }
}

function sum(a: SliceOutcome, b: SliceOutcome): SliceOutcome {
  return {
    series: a.series + b.series,
    samples: a.samples + b.samples,
    bytes: Math.max(a.bytes, b.bytes),
    fixedBytes: Math.max(a.fixedBytes, b.fixedBytes),
    streamed: a.streamed || b.streamed,
  };
}
