// The samples of a real Prometheus, served as Thanos' StoreAPI is documented: whole chunks, although they reach beyond the requested range; a
// series in several messages; hints; replicas; downsampled blocks; limits; streams that break. It uses none of the project's code.
import protobuf from 'protobufjs';
import snappy from 'snappyjs';
import { request as httpRequest } from './http.ts';
import {
  StoreFailure,
  type StoreHandler,
  type StoreLabel,
  type StoreMessage,
  type StoreRequest,
  type StoreResponse,
  type StoreSeries,
} from './thanos-store.ts';

const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message Label { string name = 1; string value = 2; }
  message LabelMatcher { int32 type = 1; string name = 2; string value = 3; }
  message ReadRequest { repeated Query queries = 1; repeated int32 accepted_response_types = 2; }
  message Query { int64 start_timestamp_ms = 1; int64 end_timestamp_ms = 2; repeated LabelMatcher matchers = 3; }
  message Chunk { int64 min_time_ms = 1; int64 max_time_ms = 2; int32 type = 3; bytes data = 4; }
  message ChunkedSeries { repeated Label labels = 1; repeated Chunk chunks = 2; }
  message ChunkedReadResponse { repeated ChunkedSeries chunked_series = 1; }`,
  { keepCase: true },
);
const ReadRequest = root.lookupType('ReadRequest');
const ChunkedReadResponse = root.lookupType('ChunkedReadResponse');

export interface BlocksOptions {
  /** The labels of each replica, by which every series comes once for each. */
  readonly replicas?: readonly StoreLabel[];
  /** Whether labels of replicas are left out on request. */
  readonly honoursReplicaLabels?: boolean;
  /** Before this time only downsampled blocks are left. */
  readonly rawFromMs?: number;
  /** A request for more series fails. */
  readonly maxSeries?: number;
  /** A request whose chunks take more bytes fails. */
  readonly maxBytes?: number;
  readonly chunksPerMessage?: number;
  /** Called before each message; may throw a StoreFailure or send a warning. */
  readonly before?: (count: number, request: StoreRequest, stream: StoreResponse) => Promise<void> | void;
}

const BLOCK_MS = 7_200_000;
const COARSEST_MS = 3_600_000;

/** The samples of a Prometheus, as its blocks would be served by a Store Gateway. */
export function blocksOf(prometheusUrl: string, options: BlocksOptions = {}): StoreHandler {
  const { replicas, rawFromMs = Number.NEGATIVE_INFINITY, chunksPerMessage = 2 } = options;
  return async (request, stream) => {
    const { min_time: minMs, max_time: maxMs, max_resolution_window: resolutionMs } = request;
    const fromMs = resolutionMs >= COARSEST_MS ? minMs : Math.max(minMs, rawFromMs);
    let sent = 0;
    let sentBytes = 0;
    let seriesCount = 0;
    const send = async (message: StoreMessage) => {
      await options.before?.(sent++, request, stream);
      await stream.send(message);
    };
    if (fromMs > maxMs) return send({ hints: { type_url: 'hints', value: new Uint8Array() } });
    const dropped = options.honoursReplicaLabels === true ? request.without_replica_labels : [];
    const all = await readChunks(prometheusUrl, request);
    const found = all.flatMap(({ labels, chunks }) => {
      const touched = chunks.filter(({ min_time, max_time }) => min_time <= maxMs && max_time >= fromMs);
      if (touched.length === 0) return [];
      const sets = (replicas ?? [undefined]).map((replica) => {
        const extended = replica === undefined || dropped.includes(replica.name) ? labels : [...labels, replica];
        return { labels: [...extended].sort((a, b) => compareBytes(a.name, b.name)), chunks: touched };
      });
      return sets;
    });
    found.sort((a, b) => compareLabels(a.labels, b.labels));
    for (const { labels, chunks } of found) {
      if (++seriesCount > (options.maxSeries ?? Number.POSITIVE_INFINITY)) {
        throw new StoreFailure(
          'RESOURCE_EXHAUSTED',
          `exceeded series limit: limit ${options.maxSeries} violated (got ${seriesCount})`,
        );
      }
      if (request.skip_chunks) {
        await send({ series: { labels, chunks: [] } });
        continue;
      }
      for (let i = 0; i < chunks.length; i += chunksPerMessage) {
        const part = chunks.slice(i, i + chunksPerMessage);
        sentBytes += part.reduce((sum, { raw }) => sum + (raw?.data.length ?? 0), 0);
        if (sentBytes > (options.maxBytes ?? Number.POSITIVE_INFINITY))
          throw new StoreFailure('RESOURCE_EXHAUSTED', `bytes limit exceeded: limit ${options.maxBytes} violated`);
        await send({ series: { labels, chunks: part } });
      }
    }
    await send({ hints: { type_url: 'type.googleapis.com/hintspb.SeriesResponseHints', value: new Uint8Array([1]) } });
  };
}

/** Reads whole blocks, so that Prometheus does not cut its chunks to the range. */
async function readChunks(url: string, { min_time, max_time, matchers }: StoreRequest): Promise<StoreSeries[]> {
  const message = ReadRequest.encode({
    queries: [
      {
        start_timestamp_ms: Math.floor(min_time / BLOCK_MS) * BLOCK_MS,
        end_timestamp_ms: (Math.floor(max_time / BLOCK_MS) + 1) * BLOCK_MS - 1,
        matchers,
      },
    ],
    accepted_response_types: [1],
  }).finish();
  const { status: httpStatus, body } = await httpRequest(`${url}/api/v1/read`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-read-version': '0.1.0',
    },
    body: Buffer.from(snappy.compress(message)),
  });
  if (httpStatus !== 200) throw new StoreFailure('INTERNAL', `${url} returned ${httpStatus}: ${body.toString('utf8')}`);
  const series = new Map<string, StoreSeries>();
  for (const payload of payloadsOf(body)) {
    const decoded = ChunkedReadResponse.toObject(ChunkedReadResponse.decode(payload), { longs: Number, arrays: true });
    for (const { labels, chunks } of decoded['chunked_series']) {
      const key = JSON.stringify(labels);
      const one: StoreSeries = series.get(key) ?? { labels, chunks: [] };
      series.set(key, one);
      for (const { min_time_ms, max_time_ms, type, data } of chunks)
        one.chunks.push({ min_time: min_time_ms, max_time: max_time_ms, raw: { type: type - 1, data } });
    }
  }
  return [...series.values()];
}

/** Of frames: uvarint length, CRC-32C, payload. */
function* payloadsOf(body: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < body.length; ) {
    let length = 0;
    let scale = 1;
    for (;;) {
      const byte = body[at++] as number;
      length += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte < 0x80) break;
    }
    yield body.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
}

function compareLabels(a: readonly StoreLabel[], b: readonly StoreLabel[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [left, right] = [a[i] as StoreLabel, b[i] as StoreLabel];
    const order = compareBytes(left.name, right.name) || compareBytes(left.value, right.value);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
