// One write request on its way to the destination, and the window that its samples belong to.

import type { RejectReason, RemoteError } from '../../remote/meaning/remote-error.ts';
import type { RemoteCode } from '../../remote/meaning/response-codes.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import { compress } from '../../wire/snappy/snappy.ts';
import { summarizeWriteRequest } from '../../wire/requests/write-request.ts';
import type { WindowAccount } from './accounting.ts';

/** A write request: a `WriteBatch` or a part of one. The message itself is needed only after a failure. */
export interface OutgoingRequest {
  /** Float samples and histograms. */
  readonly samples: number;
  readonly histograms: number;
  /** The snappy block that is sent. */
  body(): Uint8Array;
  /** The WriteRequest inside the block. */
  request(): Uint8Array;
}

export interface Attempt {
  readonly outgoing: OutgoingRequest;
  readonly window: DeliveryWindow;
  readonly signal: AbortSignal;
  /** The response to an earlier attempt was lost: samples that the destination refuses as repeats may be there since then. */
  readonly repeated: boolean;
  /** Part of a request that the destination refused. The samples of that request that are already there were removed. */
  readonly isPart: boolean;
}

/** What is known about one kind of rejection in a window. */
export interface Refusal {
  /** Single samples that were refused for this reason. */
  samples: number;
  probed: boolean;
  /** A probe has shown that every sample of the window is refused. */
  ofAll: boolean;
}

/** Samples for which no response proves whether the destination has them (unproven-samples.ts). */
export interface Unproven {
  /** A WriteRequest in its own memory. */
  readonly request: Uint8Array;
  readonly samples: number;
  readonly reason: RejectReason;
  /** The destination's response. */
  readonly error: RemoteError;
  readonly repeated: boolean;
}

export interface SampleAt {
  readonly labels: LabelBytes;
  readonly timeMs: number;
}

/** An acknowledged histogram, and a float of the same request if it contains one. */
export interface HistogramExample {
  /** Of different series. */
  readonly histograms: readonly [SampleAt, ...SampleAt[]];
  readonly float: SampleAt | undefined;
}

/** What a batch needs from the window that it belongs to. */
export interface DeliveryWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly account: WindowAccount;
  /** The series, by `labelKey`, for which the destination showed samples in the comparison with the window; undefined if it was not compared. */
  shown: Set<string> | undefined;
  /** The first rejection. Its hint names the destination's setting. */
  firstRejection: RemoteError | undefined;
  /** By the code of the rejection. */
  readonly refusals: Map<RemoteCode, Refusal>;
  unproven: Unproven[];
  unprovenBytes: number;
  /** Native histograms that the destination has acknowledged. */
  histograms: number;
  histogramExample: HistogramExample | undefined;
  /** An acknowledged float of a request without histograms, and whether it was acknowledged after `histogramExample`. */
  floatExample: (SampleAt & { readonly isLater: boolean }) | undefined;
}

/** A WriteRequest that is sent again, in full or in part. Compressed with snappy's plain path. */
export function outgoingRequest(request: Uint8Array): OutgoingRequest {
  const { samples, histograms } = summarizeWriteRequest(request);
  return { samples, histograms, body: () => compress(request), request: () => request };
}
