// In which order a Prometheus commits the samples of one write request. Called by migration/lanes.ts, which puts samples that would be committed
// in another order than that of their times into different requests.

import { ProtoReader, VARINT } from '../proto-reader.ts';
import { isStaleMarker } from '../stale-marker.ts';

/**
 * Prometheus (3.5 and older at least) commits a request by type, all floats first, and writes it to its log by type too: a sample of an
 * earlier type makes those of later types out of order that stand before it in time. They are dropped at commit, or when the log is
 * replayed, and the request was responded with 204. So within one request the ranks of a series' samples must not fall.
 */
export interface CommitRank {
  readonly first: number;
  /** Larger than `first` where versions differ. */
  readonly last: number;
}

export const FLOAT_RANK: CommitRank = { first: 0, last: 0 };
const INTEGER_RANK: CommitRank = { first: 1, last: 1 };
const INTEGER_CUSTOM_RANK: CommitRank = { first: 2, last: 2 };
const FLOAT_HISTOGRAM_RANK: CommitRank = { first: 3, last: 3 };
const FLOAT_CUSTOM_RANK: CommitRank = { first: 4, last: 4 };
/** Prometheus 2.40 to 2.43 take a float histogram with a count of 0, as every stale marker has it, for an integer one. */
const STALE_FLOAT_RANK: CommitRank = { first: 1, last: 3 };

/** −53 as the zigzag varint of `sint32`. */
const CUSTOM_BUCKETS_SCHEMA = 105;

/** @param message a `prometheus.Histogram` of types.proto. Throws WireError on bytes that are none. */
export function histogramCommitRank(message: Uint8Array): CommitRank {
  const reader = new ProtoReader(message);
  let float = false;
  let stale = false;
  let custom = false;
  // Everybody writes fields in the order of their numbers; what follows the schema does not matter.
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
