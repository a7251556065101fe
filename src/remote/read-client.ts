// A client for a remote_read endpoint.

import type { SecretUrl } from '../telemetry/secret.ts';
import { hintOf, type RemoteCode } from './meaning/response-codes.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { Buffers } from './http/buffers.ts';
import type { ClientContext, HttpResponse } from './http/exchange.ts';
import { HttpClient } from './http/http.ts';
import { type ResponseClass, RemoteError } from './meaning/remote-error.ts';

export interface ReadResponse {
  /** `stream`: frames of ChunkedReadResponse; `samples`: one snappy block of ReadResponse. */
  readonly kind: 'stream' | 'samples';
  readonly status: number;
  readonly contentLength: number | undefined;
  /**
   * Iterate once, to its end or until a `break`: until then the request holds a connection. Throws RemoteError if the HTTP message was cut
   * off (`cut-off`), paused for too long (`silence-timeout`) or was aborted. While the consumer does not read, nothing is taken from the
   * socket.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

// Reads run one after the other, or a few at once if a window is split by series.
const DEFAULT_MAX_CONNECTIONS = 8;

const INFLUXDB_PATH = /\/api\/v1\/prom\/read(?:[?#]|$)/;

const REQUEST_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'accept-encoding': 'snappy',
  'x-prometheus-remote-read-version': '0.1.0',
} as const;

export class ReadClient {
  /** The pool for the memory of bodies. */
  readonly buffers: Buffers;
  readonly #http: HttpClient;
  readonly #url: SecretUrl;
  #searchesRegexes: boolean;

  constructor(endpoint: Endpoint, context: ClientContext, maxConnections: number = DEFAULT_MAX_CONNECTIONS) {
    this.buffers = context.buffers;
    this.#http = new HttpClient(endpoint, context, maxConnections);
    this.#url = endpoint.url;
    this.#searchesRegexes = INFLUXDB_PATH.test(endpoint.url.reveal());
  }

  /**
   * Whether the server searches for a regular expression anywhere in a value, as InfluxDB does. All other servers match the whole value.
   * True for InfluxDB's path, and after a response has shown that the server is InfluxDB.
   */
  get searchesRegexes(): boolean {
    return this.#searchesRegexes;
  }

  /**
   * Sends a snappy-compressed ReadRequest. Resolves when the headers of a good response have arrived. Throws RemoteError for everything
   * else: a network failure, a bad status, a response of another kind, a response that is compressed although compression was not
   * requested, a response that M3 truncated. A streamed response without length and without chunked encoding is `unsupported`: its frames
   * have no end mark, so a cut would not be detected.
   */
  async read(body: Uint8Array, options: { attempt: number; signal: AbortSignal }): Promise<ReadResponse> {
    const response = await this.#http.request({
      method: 'POST',
      url: this.#url,
      headers: REQUEST_HEADERS,
      body,
      isBulk: true,
      ...options,
    });
    if (response.headers['x-influxdb-version'] !== undefined) this.#searchesRegexes = true;
    const refusal = await this.#http.refusal(response);
    if (refusal !== undefined) throw refusal;
    const contentType = response.headers['content-type'] ?? '';
    const { status, contentLength } = response;
    if (/^application\/x-protobuf\b/i.test(contentType)) {
      return { kind: 'samples', status, contentLength, body: response.body };
    }
    if (!/^application\/x-streamed-protobuf\b/i.test(contentType)) {
      throw this.#unusable(
        response,
        'refused',
        'wrong-content-type',
        `returned ${status} with Content-Type ${contentType.slice(0, 100)}`,
      );
    }
    if (!response.framed) {
      throw this.#unusable(
        response,
        'unsupported',
        'unframed-stream',
        'streams its response without a length and without chunked encoding',
      );
    }
    return { kind: 'stream', status, contentLength, body: response.body };
  }

  /** Closes all connections, also those in use. */
  close(): void {
    this.#http.close();
  }

  #unusable(response: HttpResponse, responseClass: ResponseClass, code: RemoteCode, what: string): RemoteError {
    response.discard();
    const { side } = this.#http;
    return new RemoteError({
      class: responseClass,
      code,
      side,
      what,
      status: response.status,
      hint: hintOf(code, side),
    });
  }
}
