// One write request on its way to the destination, and the window that its samples belong to.

import type { RejectReason, RemoteError } from '../../remote/meaning/remote-error.ts';
import type { LabelBytes } from '../../wire/labels.ts';
import { compress } from '../../wire/snappy/snappy.ts';
import { summarizeWriteRequest } from '../../wire/requests/write-request.ts';
import type { WindowAccount } from './accounting.ts';

/** A write request, a `WriteBatch` or part of one. The message itself is asked for only when something goes wrong with it. */
export interface OutgoingRequest {
  /** Float samples and histograms. */
  readonly samples: number;
  readonly histograms: number;
  /** The snappy block that is sent. */
  body(): Uint8Array;
  /** The WriteRequest that it holds. */
  request(): Uint8Array;
}

export interface Attempt {
  readonly outgoing: OutgoingRequest;
  readonly window: DeliveryWindow;
  readonly signal: AbortSignal;
  /** The response to an earlier attempt was lost: what the destination refuses as a repeat may be there since then. */
  readonly repeated: boolean;
  /** Part of a request that the destination refused: what of that one is there has been taken out. */
  readonly isPart: boolean;
}

/** What is known of one kind of rejection in a window. */
export interface Refusal {
  /** Single samples that were refused so. */
  samples: number;
  probed: boolean;
  /** A probe has shown that every sample of the window is. */
  ofAll: boolean;
}

/** Samples of which no response proves whether the destination has them (unproven-samples.ts). */
export interface Unproven {
  /** A WriteRequest in memory of its own. */
  readonly request: Uint8Array;
  readonly samples: number;
  readonly reason: RejectReason;
  /** What the destination responded. */
  readonly error: RemoteError;
  readonly repeated: boolean;
}

export interface SampleAt {
  readonly labels: LabelBytes;
  readonly timeMs: number;
}

/** An acknowledged histogram, and a float of the same request if it holds one. */
export interface HistogramExample {
  readonly histogram: SampleAt;
  readonly float: SampleAt | undefined;
}

/** What a batch needs to know of the window that it belongs to. */
export interface DeliveryWindow {
  readonly fromMs: number;
  readonly toMs: number;
  readonly account: WindowAccount;
  /** The series, by `labelKey`, of which the destination showed something when the window was compared with it; undefined when it was not. */
  shown: Set<string> | undefined;
  /** The first rejection, with the hint that names the destination's setting. */
  firstRejection: RemoteError | undefined;
  /** By the code of the rejection. */
  readonly refusals: Map<string, Refusal>;
  unproven: Unproven[];
  unprovenBytes: number;
  /** Native histograms that the destination has acknowledged. */
  histograms: number;
  histogramExample: HistogramExample | undefined;
}

/** A WriteRequest of which something is sent again, on snappy's plain path. */
export function outgoingRequest(request: Uint8Array): OutgoingRequest {
  const { samples, histograms } = summarizeWriteRequest(request);
  return { samples, histograms, body: () => compress(request), request: () => request };
}
