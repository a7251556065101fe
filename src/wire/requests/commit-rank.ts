// The order in which Prometheus commits the samples of one write request. Samples that it would not commit in time order go into different
// requests.

import { ProtoReader, VARINT } from '../proto-reader.ts';
import type { SampleColumns } from '../sample-columns.ts';
import { isStaleMarker } from '../stale-marker.ts';

/**
 * Prometheus (at least up to 3.5) commits a request by type, all floats first, and also writes it to its WAL by type. A sample of an
 * earlier type then makes samples of later types out of order if they are older. Prometheus drops them at commit or when it replays the
 * WAL, although it responded with 204. So the ranks of a series' samples must not decrease within one request.
 */
export interface CommitRank {
  readonly first: number;
  /** Larger than `first` if versions differ. */
  readonly last: number;
}

export const FLOAT_RANK: CommitRank = { first: 0, last: 0 };
const INTEGER_RANK: CommitRank = { first: 1, last: 1 };
const INTEGER_CUSTOM_RANK: CommitRank = { first: 2, last: 2 };
const FLOAT_HISTOGRAM_RANK: CommitRank = { first: 3, last: 3 };
const FLOAT_CUSTOM_RANK: CommitRank = { first: 4, last: 4 };
/** Prometheus 2.40 to 2.43 treat a float histogram with a count of 0 as an integer histogram. Every stale marker has a count of 0. */
const STALE_FLOAT_RANK: CommitRank = { first: 1, last: 3 };

/** −53 as the zigzag varint of `sint32`. */
const CUSTOM_BUCKETS_SCHEMA = 105;

/**
 * @param message a `prometheus.Histogram` of types.proto
 * @throws WireError if the bytes are not such a message
 */
export function histogramCommitRank(message: Uint8Array): CommitRank {
  const reader = new ProtoReader(message);
  let float = false;
  let stale = false;
  let custom = false;
  // All servers write fields in the order of their numbers. Fields after the schema do not matter.
  while (reader.nextField() && reader.field <= 4) {
    if (reader.field === 2) float = true;
    if (reader.field === 3) stale = isStaleMarker(message, reader.fixed64());
    else if (reader.field === 4 && reader.wireType === VARINT) custom = reader.uvarint() === CUSTOM_BUCKETS_SCHEMA;
    else reader.skip();
  }
  if (stale) return float ? STALE_FLOAT_RANK : INTEGER_RANK;
  if (float) return custom ? FLOAT_CUSTOM_RANK : FLOAT_HISTOGRAM_RANK;
  return custom ? INTEGER_CUSTOM_RANK : INTEGER_RANK;
}

/** The kinds of packed histograms that have a rank of their own: bits. The kernel sets them. */
const KINDS: readonly (readonly [bit: number, rank: CommitRank])[] = [
  [1, INTEGER_RANK],
  [2, INTEGER_CUSTOM_RANK],
  [4, FLOAT_HISTOGRAM_RANK],
  [8, FLOAT_CUSTOM_RANK],
  [16, STALE_FLOAT_RANK],
];

/** The rank that all histograms of the columns have; undefined if that is not known. */
export function commonRank({ packedHistograms, packedKinds }: SampleColumns): CommitRank | undefined {
  if (packedHistograms === 0) return undefined;
  for (const [bit, rank] of KINDS) if (packedKinds === bit) return rank;
  return undefined;
}

/** The rank of one histogram of the columns. */
export function rankOfHistogram(columns: SampleColumns, index: number): CommitRank {
  return commonRank(columns) ?? histogramCommitRank(columns.histograms[index] as Uint8Array);
}
