// The small messages of the remote protocols, encoded with protobufjs and the schema in proto/. Series and samples do not pass through
// here: they stay bytes (read-response.ts, write-request.ts).

import { READ_REQUEST, SERIES_REQUEST } from './message-types.ts';

/** A label matcher as PromQL writes it. Regexes are anchored by the server. */
export interface Matcher {
  readonly kind: '=' | '!=' | '=~' | '!~';
  readonly name: string;
  readonly value: string;
}

export type ReadResponseType = 'STREAMED_XOR_CHUNKS' | 'SAMPLES';

export interface ReadRequest {
  /** Milliseconds since 1970, both inclusive, integers within ±2^53. */
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
  /** In order of preference: a server uses the first type that it knows. */
  readonly accept: readonly ReadResponseType[];
}

const MATCHER_TYPES = { '=': 0, '!=': 1, '=~': 2, '!~': 3 } as const;
const RESPONSE_TYPES = { SAMPLES: 0, STREAMED_XOR_CHUNKS: 1 } as const;

/**
 * One query as `prometheus.ReadRequest`, not yet compressed. It carries no hints: if hints are present, Prometheus reads their time range
 * instead of the query's, and hints of zero select nothing.
 */
export function encodeReadRequest(request: ReadRequest): Uint8Array {
  const query = {
    startTimestampMs: request.startMs,
    endTimestampMs: request.endMs,
    matchers: request.matchers.map(({ kind, name, value }) => ({ type: MATCHER_TYPES[kind], name, value })),
  };
  const acceptedResponseTypes = request.accept.map((responseType) => RESPONSE_TYPES[responseType]);
  return new Uint8Array(READ_REQUEST.encode({ queries: [query], acceptedResponseTypes }).finish());
}

/** The coarsest resolution of Thanos' downsampled blocks. */
const COARSEST_MS = 3_600_000;
const RAW = 0;
const COUNT = 1;
const ABORT = 1;

export interface SeriesRequest {
  /** Milliseconds since 1970, both inclusive, integers within ±2^53. */
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly Matcher[];
  /** Labels that distinguish replicas, which the server should leave out. */
  readonly replicaLabels: readonly string[];
  /** `samples`: chunks of samples as they were stored; `downsampled`: which series there are if downsampled blocks count as well. */
  readonly wanted: 'samples' | 'downsampled';
}

/** `thanos.SeriesRequest`, which refuses a partial response. */
export function encodeSeriesRequest({ startMs, endMs, matchers, replicaLabels, wanted }: SeriesRequest): Uint8Array {
  const message = {
    minTime: startMs,
    maxTime: endMs,
    matchers: matchers.map(({ kind, name, value }) => ({ type: MATCHER_TYPES[kind], name, value })),
    maxResolutionWindow: wanted === 'samples' ? 0 : COARSEST_MS,
    aggregates: [wanted === 'samples' ? RAW : COUNT],
    partialResponseDisabled: true,
    partialResponseStrategy: ABORT,
    skipChunks: wanted === 'downsampled',
    withoutReplicaLabels: replicaLabels,
  };
  return new Uint8Array(SERIES_REQUEST.encode(message).finish());
}
