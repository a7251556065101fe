// The small messages of the remote protocols, through protobufjs and the schema in proto/. remote/ sends what is encoded here;
// series and samples never come this way, they stay bytes (read-response.ts, write-request.ts).

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

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
  /** By preference: a server takes the first that it knows. */
  readonly accept: readonly ReadResponseType[];
}

const MATCHER_TYPES = { '=': 0, '!=': 1, '=~': 2, '!~': 3 } as const;
const RESPONSE_TYPES = { SAMPLES: 0, STREAMED_XOR_CHUNKS: 1 } as const;

let schema: protobuf.Root | undefined;

/**
 * One query as `prometheus.ReadRequest`, not compressed yet. It carries no hints: with hints present Prometheus reads their time
 * range instead of the query's, and zero hints find nothing.
 */
export function encodeReadRequest(request: ReadRequest): Uint8Array {
  schema ??= loadSchema();
  const type = schema.lookupType('prometheus.ReadRequest');
  const query = {
    startTimestampMs: request.startMs,
    endTimestampMs: request.endMs,
    matchers: request.matchers.map(({ kind, name, value }) => ({ type: MATCHER_TYPES[kind], name, value })),
  };
  const acceptedResponseTypes = request.accept.map((responseType) => RESPONSE_TYPES[responseType]);
  const encoded = type.encode(type.create({ queries: [query], acceptedResponseTypes })).finish();
  return new Uint8Array(encoded);
}

// From src/wire and from dist/wire alike the schema is two folders up.
function loadSchema(): protobuf.Root {
  return protobuf.loadSync(fileURLToPath(new URL('../../proto/remote.proto', import.meta.url)));
}
