// Asks a remote_read endpoint. Called by migration/ for every window, and by the progress reader where it speaks remote_read.

import { hintOf, type RemoteCode } from './meaning/response-codes.ts';
import type { Endpoint } from './http/endpoint.ts';
import type { Buffers } from './http/buffers.ts';
import type { ClientContext, HttpAnswer } from './http/exchange.ts';
import { HttpClient } from './http/http.ts';
import { type AnswerClass, RemoteError } from './meaning/remote-error.ts';

export interface ReadAnswer {
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
   * path, and once an answer has shown that this is one.
   */
  get searchesRegexes(): boolean {
    return this.#searchesRegexes;
  }

  /**
   * Sends a snappy-compressed ReadRequest; resolves when the headers of a good answer have come. Throws RemoteError for everything else:
   * network, bad status, an answer of another kind, one that is compressed in spite of the request, one that M3 cut short. A streamed
   * answer without length and without chunked encoding is `unsupported`: its frames have no end mark, so a cut would go unseen.
   */
  async read(body: Uint8Array, options: { attempt: number; signal: AbortSignal }): Promise<ReadAnswer> {
    const answer = await this.#http.request({
      method: 'POST',
      url: this.#url,
      headers: REQUEST_HEADERS,
      body,
      ...options,
    });
    if (answer.headers['x-influxdb-version'] !== undefined) this.#searchesRegexes = true;
    const refusal = await this.#http.refusal(answer);
    if (refusal !== undefined) throw refusal;
    const contentType = answer.headers['content-type'] ?? '';
    const { status, contentLength } = answer;
    if (/^application\/x-protobuf\b/i.test(contentType)) {
      return { kind: 'samples', status, contentLength, body: answer.body };
    }
    if (!/^application\/x-streamed-protobuf\b/i.test(contentType)) {
      throw this.#unusable(
        answer,
        'refused',
        'wrong-content-type',
        `returned ${status} with Content-Type ${contentType.slice(0, 100)}`,
      );
    }
    if (!answer.framed) {
      throw this.#unusable(
        answer,
        'unsupported',
        'unframed-stream',
        'streams its response without a length and without chunked encoding',
      );
    }
    return { kind: 'stream', status, contentLength, body: answer.body };
  }

  /** Ends all connections, those in use too. */
  close(): void {
    this.#http.close();
  }

  #unusable(answer: HttpAnswer, answerClass: AnswerClass, code: RemoteCode, what: string): RemoteError {
    answer.discard();
    const { side } = this.#http;
    return new RemoteError({ class: answerClass, code, side, what, status: answer.status, hint: hintOf(code, side) });
  }
}
