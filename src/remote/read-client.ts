// Asks a remote_read endpoint. Called by migration/ for every window, and by the progress reader where it speaks remote_read.

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
   * To be iterated once, to its end or out of it by `break`; until then the request holds a connection. Throws RemoteError when the
   * HTTP message did not end as it should (`cut-off`), paused for too long (`silence-timeout`) or was aborted. Nothing is read from the
   * socket while nobody asks for the next piece.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

// Reads run one after the other, or a few at once when a window is split by series.
const DEFAULT_MAX_CONNECTIONS = 8;

const INFLUXDB_PATH = /\/api\/v1\/prom\/read(?:[?#]|$)/;

const REQUEST_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'accept-encoding': 'snappy',
  'x-prometheus-remote-read-version': '0.1.0',
} as const;

export class ReadClient {
  /** Where the memory of bodies comes from, and where it is given back to. */
  readonly buffers: Buffers;
  readonly #http: HttpClient;
  readonly #url: string;
  #searchesRegexes: boolean;

  constructor(endpoint: Endpoint, context: ClientContext, maxConnections: number = DEFAULT_MAX_CONNECTIONS) {
    this.buffers = context.buffers;
    this.#http = new HttpClient(endpoint, context, maxConnections);
    this.#url = endpoint.url;
    this.#searchesRegexes = INFLUXDB_PATH.test(endpoint.url);
  }

  /**
   * InfluxDB looks for a regular expression anywhere in the value, where all others hold it against the whole value. True for InfluxDB's
   * path, and once a response has shown that this is one.
   */
  get searchesRegexes(): boolean {
    return this.#searchesRegexes;
  }

  /**
   * Sends a snappy-compressed ReadRequest; resolves when the headers of a good response have come. Throws RemoteError for everything else:
   * network, bad status, a response of another kind, one that is compressed in spite of the request, one that M3 cut short. A streamed
   * response without length and without chunked encoding is `unsupported`: its frames have no end mark, so a cut would go unseen.
   */
  async read(body: Uint8Array, options: { attempt: number; signal: AbortSignal }): Promise<ReadResponse> {
    const response = await this.#http.request({
      method: 'POST',
      url: this.#url,
      headers: REQUEST_HEADERS,
      body,
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

  /** Ends all connections, those in use too. */
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
