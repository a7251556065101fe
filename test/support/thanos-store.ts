// A gRPC server with the StoreAPI of Thanos, whose responses a test writes. It uses none of the project's code: protobufjs and grpc-js.
import { Server, ServerCredentials, type sendUnaryData, type ServerWritableStream, status } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message Label { string name = 1; string value = 2; }
  message LabelMatcher { int32 type = 1; string name = 2; string value = 3; }
  message SeriesRequest {
    int64 min_time = 1; int64 max_time = 2; repeated LabelMatcher matchers = 3; int64 max_resolution_window = 4;
    repeated int32 aggregates = 5; bool partial_response_disabled = 6; int32 partial_response_strategy = 7; bool skip_chunks = 8;
    repeated string without_replica_labels = 14;
  }
  message StoreChunk { int32 type = 1; bytes data = 2; uint64 hash = 3; }
  message AggrChunk { int64 min_time = 1; int64 max_time = 2; StoreChunk raw = 3; StoreChunk count = 4; }
  message Series { repeated Label labels = 1; repeated AggrChunk chunks = 2; }
  message Any { string type_url = 1; bytes value = 2; }
  message SeriesBatch { repeated Series series = 1; }
  message LabelSet { repeated Label labels = 1; }
  message TsdbInfo { LabelSet labels = 1; int64 min_time = 2; int64 max_time = 3; }
  message StoreInfo { int64 min_time = 1; int64 max_time = 2; repeated TsdbInfo tsdb_infos = 6; }
  message InfoResponse { repeated LabelSet label_sets = 1; string component_type = 2; StoreInfo store = 3; }
  message OldInfoResponse { int64 min_time = 2; int64 max_time = 3; int32 store_type = 4; repeated LabelSet label_sets = 5; }
  message SeriesResponse { oneof result { Series series = 1; string warning = 2; Any hints = 3; SeriesBatch batch = 4; } }`,
  { keepCase: true },
);
const SeriesRequest = root.lookupType('SeriesRequest');
const SeriesResponse = root.lookupType('SeriesResponse');
const InfoResponse = root.lookupType('InfoResponse');
const OldInfoResponse = root.lookupType('OldInfoResponse');

/** Go's limits of an int64, which a Query without stores reports. */
export const MIN_INT64 = '-9223372036854775808';
export const MAX_INT64 = '9223372036854775807';

/** Times are inclusive; numbers, or text if they are larger than a number can hold. */
export interface StoreInfo {
  component_type: string;
  label_sets: { labels: StoreLabel[] }[];
  /** Undefined: it is not ready. */
  store?: {
    min_time: number | string;
    max_time: number | string;
    tsdb_infos?: { labels: { labels: StoreLabel[] }; min_time: number | string; max_time: number | string }[];
  };
}

export interface StoreLabel {
  name: string;
  value: string;
}

export interface StoreChunk {
  min_time: number;
  max_time: number;
  raw?: { type: number; data: Uint8Array };
  count?: { type: number; data: Uint8Array };
}

export interface StoreSeries {
  labels: StoreLabel[];
  chunks: StoreChunk[];
}

export interface StoreRequest {
  min_time: number;
  max_time: number;
  matchers: { type: number; name: string; value: string }[];
  max_resolution_window: number;
  aggregates: number[];
  partial_response_disabled: boolean;
  partial_response_strategy: number;
  skip_chunks: boolean;
  without_replica_labels: string[];
}

export type StoreMessage =
  | { series: StoreSeries }
  | { warning: string }
  | { hints: { type_url: string; value: Uint8Array } }
  | { batch: { series: StoreSeries[] } };

/** Writes a response. @throws StoreFailure to end it with this status */
export type StoreHandler = (request: StoreRequest, stream: StoreResponse) => Promise<void> | void;

export interface StoreResponse {
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Waits while the client does not read. */
  send(message: StoreMessage): Promise<void>;
  /** Any bytes in the place of a message. */
  sendBytes(bytes: Uint8Array): Promise<void>;
}

export class StoreFailure extends Error {
  readonly code: status;

  constructor(code: keyof typeof status, details: string) {
    super(details);
    this.code = status[code];
  }
}

export interface ThanosStore extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: StoreRequest[];
  /** Requests whose client went away before their end. */
  cancelled(): number;
  /** Ends all connections at once, as a killed server does. */
  cut(): void;
}

export interface StoreServerOptions {
  /** What the Info API says. Undefined: a Store Gateway with data of all times. */
  readonly info?: () => StoreInfo;
  /** Releases before 0.22 have an Info API as a part of the StoreAPI; some proxies route none. */
  readonly infoApi?: 'current' | 'old' | 'none';
  readonly tls?: { readonly ca?: string; readonly cert: string; readonly key: string };
  readonly port?: number;
}

export function encodeStoreMessage(message: StoreMessage): Uint8Array {
  return new Uint8Array(SeriesResponse.encode(SeriesResponse.create(message)).finish());
}

export async function startStoreServer(handler: StoreHandler, options: StoreServerOptions = {}): Promise<ThanosStore> {
  const { tls, port: wantedPort = 0, info = () => WHOLE_STORE, infoApi = 'current' } = options;
  const server = new Server({ 'grpc.max_send_message_length': -1 });
  const requests: StoreRequest[] = [];
  let cancelled = 0;
  const series = async (call: ServerWritableStream<StoreRequest, Uint8Array>) => {
    requests.push(call.request);
    let isOver = false;
    call.on('cancelled', () => {
      isOver = true;
      cancelled++;
      call.emit('drain');
    });
    const sendBytes = async (bytes: Uint8Array) => {
      if (isOver) throw new StoreFailure('CANCELLED', 'the client has gone');
      if (!call.write(bytes)) await new Promise<void>((resolve) => call.once('drain', resolve));
    };
    try {
      await handler(call.request, {
        metadata: call.metadata.getMap(),
        sendBytes,
        send: (message) => sendBytes(encodeStoreMessage(message)),
      });
      call.end();
    } catch (error) {
      const { code, message } =
        error instanceof StoreFailure ? error : { code: status.UNKNOWN, message: String(error) };
      call.emit('error', { code, details: message });
    }
  };
  server.addService(
    {
      Series: {
        path: '/thanos.Store/Series',
        requestStream: false,
        responseStream: true,
        requestSerialize: (request: StoreRequest) => Buffer.from(SeriesRequest.encode(request).finish()),
        requestDeserialize: decodeRequest,
        responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
        responseDeserialize: (bytes: Buffer) => new Uint8Array(bytes),
      },
    },
    { Series: (call: ServerWritableStream<StoreRequest, Uint8Array>) => void series(call) },
  );
  if (infoApi !== 'none') server.addService(...infoService(info, infoApi));
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(
          tls.ca === undefined ? null : Buffer.from(tls.ca),
          [{ private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) }],
          tls.ca !== undefined,
        );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${wantedPort}`, credentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    url: `${tls === undefined ? 'grpc' : 'grpcs'}://127.0.0.1:${port}`,
    port,
    requests,
    cancelled: () => cancelled,
    cut: () => server.forceShutdown(),
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

const WHOLE_STORE: StoreInfo = {
  component_type: 'store',
  label_sets: [],
  store: { min_time: 0, max_time: Date.UTC(2100, 0, 1) },
};

const OLD_TYPES = ['unknown', 'query', 'rule', 'sidecar', 'store', 'receive'];

function infoService(info: () => StoreInfo, api: 'current' | 'old'): Parameters<Server['addService']> {
  const encode = (): Buffer => {
    const said = info();
    if (api === 'current') return Buffer.from(InfoResponse.encode(InfoResponse.fromObject(said)).finish());
    const { component_type, label_sets, store } = said;
    const old = { store_type: OLD_TYPES.indexOf(component_type), label_sets, ...store };
    return Buffer.from(OldInfoResponse.encode(OldInfoResponse.fromObject(old)).finish());
  };
  const method = {
    path: api === 'current' ? '/thanos.info.Info/Info' : '/thanos.Store/Info',
    requestStream: false,
    responseStream: false,
    requestSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
    requestDeserialize: (bytes: Buffer) => new Uint8Array(bytes),
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  };
  return [
    { Info: method },
    {
      Info: (_: unknown, callback: sendUnaryData<Buffer>) => {
        try {
          callback(null, encode());
        } catch (error) {
          const { code, message } =
            error instanceof StoreFailure ? error : { code: status.UNKNOWN, message: String(error) };
          callback({ code, details: message });
        }
      },
    },
  ];
}

function decodeRequest(bytes: Buffer): StoreRequest {
  const options = { longs: Number, defaults: true, arrays: true };
  return SeriesRequest.toObject(SeriesRequest.decode(bytes), options) as StoreRequest;
}
