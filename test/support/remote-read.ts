// Reads a Prometheus through its own remote_read, as SAMPLES, with protobufjs and snappyjs: a reader that uses none of the project's
// decoders and needs no build. Floats only; readers.ts reads the data directory.
import protobuf from 'protobufjs';
import snappy from 'snappyjs';
import { request } from './http.ts';
import { labelText, SeriesBuilder, type SeriesSet } from './series-set.ts';

// The value is declared as fixed64, its wire type, so that a stale marker keeps its bits.
const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message ReadRequest { repeated Query queries = 1; repeated int32 accepted_response_types = 2; }
  message Query { int64 start_timestamp_ms = 1; int64 end_timestamp_ms = 2; repeated LabelMatcher matchers = 3; }
  message LabelMatcher { int32 type = 1; string name = 2; string value = 3; }
  message ReadResponse { repeated QueryResult results = 1; }
  message QueryResult { repeated TimeSeries timeseries = 1; }
  message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
  message Label { string name = 1; string value = 2; }
  message Sample { fixed64 value = 1; int64 timestamp = 2; }`,
  { keepCase: true },
);
const ReadRequest = root.lookupType('ReadRequest');
const ReadResponse = root.lookupType('ReadResponse');

interface Long {
  low: number;
  high: number;
}

interface DecodedResponse {
  results: {
    timeseries: { labels: { name: string; value: string }[]; samples: { value: Long; timestamp: Long }[] }[];
  }[];
}

const REGEX_MATCH = 2;
const STREAMED_XOR_CHUNKS = 1;
const STEP_MS = 3_600_000;

/** The body of a request for all series, from the first to the last millisecond. Streamed: Prometheus returns its chunks as they are. */
export function encodeReadRequest(range: { startMs: number; lastMs: number; streamed: boolean }): Buffer {
  const query = {
    start_timestamp_ms: range.startMs,
    end_timestamp_ms: range.lastMs,
    matchers: [{ type: REGEX_MATCH, name: '__name__', value: '.+' }],
  };
  const accepted = range.streamed ? [STREAMED_XOR_CHUNKS] : [];
  const message = ReadRequest.encode({ queries: [query], accepted_response_types: accepted });
  return Buffer.from(snappy.compress(message.finish()));
}

/** All float samples in [startMs, endMs), queried hour by hour. */
export async function readFloats(url: string, startMs: number, endMs: number): Promise<SeriesSet> {
  const builders = new Map<string, SeriesBuilder>();
  for (let fromMs = startMs; fromMs < endMs; fromMs += STEP_MS) {
    const lastMs = Math.min(endMs, fromMs + STEP_MS) - 1;
    const response = await request(`${url}/api/v1/read`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'snappy',
        'x-prometheus-remote-read-version': '0.1.0',
      },
      body: encodeReadRequest({ startMs: fromMs, lastMs, streamed: false }),
    });
    if (response.status !== 200)
      throw new Error(`${url} returned ${response.status}: ${response.body.toString('utf8')}`);
    const message = ReadResponse.decode(snappy.uncompress(new Uint8Array(response.body))) as unknown as DecodedResponse;
    for (const { labels, samples } of message.results.flatMap((result) => result.timeseries)) {
      const pairs = labels.map(({ name, value }) => [name, value] as const);
      const key = labelText(pairs);
      const builder = builders.get(key) ?? new SeriesBuilder(pairs);
      builders.set(key, builder);
      for (const { value, timestamp } of samples) builder.add(integerOf(timestamp), bitsOf(value));
    }
  }
  return new Map([...builders].map(([key, builder]) => [key, builder.finish()]));
}

const integerOf = ({ low, high }: Long) => high * 2 ** 32 + (low >>> 0);
const bitsOf = ({ low, high }: Long) => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
