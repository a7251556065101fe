// A client for Thanos' StoreAPI. A stream of messages is handed on as the server sends it: wire/store-api/ makes of it what is decoded.

import { encodeSeriesRequest, type SeriesRequest } from '../wire/messages.ts';
import type { GrpcChannel } from './grpc/grpc-channel.ts';
import type { Buffers } from './http/buffers.ts';
import type { AuthHeaders, Credentials } from './http/credentials.ts';
import type { Endpoint } from './http/endpoint.ts';
import { abortedRequest, type ClientContext } from './http/exchange.ts';
import { endpointHeaders, unauthenticated } from './http/http.ts';
import { createRedactor } from './http/redact-response.ts';
import { excerpt, RemoteError } from './meaning/remote-error.ts';
import { hintOf } from './meaning/response-codes.ts';
import { SeriesCall } from './series-call.ts';

/** A response while it arrives. */
export interface SeriesMessages {
  /** As of SeriesCall. */
  next(): Promise<Uint8Array | undefined>;
  /** The error for a warning that data is missing. */
  partialResponse(warning: string): RemoteError;
  close(): void;
}

export class StoreClient {
  /** The pool for the memory of responses. */
  readonly buffers: Buffers;
  readonly #endpoint: Endpoint;
  readonly #context: ClientContext;
  readonly #maxMessageBytes: number;
  readonly #redact: (text: string) => string;
  #opened: Promise<GrpcChannel> | undefined;
  #credentials: Credentials | undefined;
  #closed = false;

  /** @param maxMessageBytes the largest message that is accepted */
  constructor(endpoint: Endpoint, context: ClientContext, maxMessageBytes: number) {
    this.buffers = context.buffers;
    this.#endpoint = endpoint;
    this.#context = context;
    this.#maxMessageBytes = maxMessageBytes;
    this.#redact = createRedactor(endpoint, () => this.#credentials?.secrets() ?? []);
  }

  /**
   * Sends a request. If the credentials are refused and there are newer ones, it is sent a second time.
   * @throws RemoteError
   */
  async series(request: SeriesRequest, signal: AbortSignal): Promise<SeriesMessages> {
    const message = encodeSeriesRequest(request);
    let sent = await this.#authenticate(message, signal);
    let call = await this.#call(message, sent, signal);
    let isFirst = true;
    return {
      next: async () => {
        try {
          return await call.next();
        } catch (error) {
          if (!isFirst || !isRefusal(error) || !(await this.#renewed(sent, signal))) throw error;
          sent = await this.#authenticate(message, signal);
          call = await this.#call(message, sent, signal);
          return await call.next();
        } finally {
          isFirst = false;
        }
      },
      partialResponse: (warning) => this.#partialResponse(warning),
      close: () => call.close(),
    };
  }

  async #call(message: Uint8Array, authHeaders: AuthHeaders, signal: AbortSignal): Promise<SeriesCall> {
    const channel = await this.#open();
    if (signal.aborted || this.#closed) throw abortedRequest(this.#endpoint.side);
    return new SeriesCall(channel, {
      ...{ message, authHeaders, signal },
      endpoint: this.#endpoint,
      context: this.#context,
      maxMessageBytes: this.#maxMessageBytes,
      redact: this.#redact,
    });
  }

  async #authenticate(body: Uint8Array, signal: AbortSignal): Promise<AuthHeaders> {
    const { auth, url, side } = this.#endpoint;
    try {
      this.#credentials ??= await this.#context.credentials.of(auth);
      return await this.#credentials.headersFor({ method: 'POST', url: url.reveal(), body }, signal);
    } catch (error) {
      throw unauthenticated(side, error, signal);
    }
  }

  async #renewed(sent: AuthHeaders, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#credentials?.renew({ status: 401, headers: {} }, sent, signal)) ?? false;
    } catch (error) {
      throw unauthenticated(this.#endpoint.side, error, signal);
    }
  }

  #partialResponse(warning: string): RemoteError {
    const { side } = this.#endpoint;
    const code = 'partial-response';
    const what = `returned a partial response: ${excerpt(this.#redact(warning))}`;
    // The status is HTTP's: the server has responded.
    return new RemoteError({ class: 'transient', code, side, what, status: 200, hint: hintOf(code, side) });
  }

  /** The library is loaded with the first request. */
  #open(): Promise<GrpcChannel> {
    this.#opened ??= import('./grpc/grpc-channel.ts').then(({ openGrpcChannel }) => {
      // The library has a user agent of its own, to which it adds this process's.
      const { 'user-agent': _, ...headers } = endpointHeaders(this.#endpoint);
      return openGrpcChannel(this.#endpoint, headers, this.#maxMessageBytes);
    });
    return this.#opened;
  }

  /** Closes the connection. */
  close(): void {
    this.#closed = true;
    this.#opened?.then(({ channel }) => channel.close()).catch(() => undefined);
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof RemoteError && (error.code === 'unauthorized' || error.code === 'forbidden');
}
