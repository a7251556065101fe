// A client for Thanos' StoreAPI and its Info API. A stream of messages is handed on as the server sends it: wire/store-api/ makes of it what is
// decoded.

import { encodeSeriesRequest, type SeriesRequest } from '../wire/messages.ts';
import { readOldStoreInfo, readStoreInfo, type StoreInfo } from '../wire/store-api/info-response.ts';
import type { GrpcChannel } from './grpc/grpc-channel.ts';
import type { Buffers } from './http/buffers.ts';
import type { AuthHeaders, Credentials } from './http/credentials.ts';
import { WireError } from '../wire/errors.ts';
import type { Endpoint } from './http/endpoint.ts';
import { abortedRequest, type ClientContext } from './http/exchange.ts';
import { endpointHeaders, unauthenticated } from './http/http.ts';
import { createRedactor } from './http/redact-response.ts';
import { excerpt, RemoteError } from './meaning/remote-error.ts';
import { hintOf, type RemoteCode } from './meaning/response-codes.ts';
import { StoreCall, type StoreCallOptions } from './store-call.ts';

const SERIES = '/thanos.Store/Series';
const INFO = '/thanos.info.Info/Info';
/** Before release 0.22. */
const OLD_INFO = '/thanos.Store/Info';
/** Of HTTP: the server has responded. */
const GOOD_STATUS = 200;
/** Of the Info API: thousands of stores. It is parsed outside of the budget. */
const MAX_SINGLE_BYTES = 4 * 1024 * 1024;
const NOT_OFFERED: ReadonlySet<string> = new Set(['store-api-not-served', 'forbidden'] satisfies RemoteCode[]);

/** A response while it arrives. */
export interface SeriesMessages {
  /** As of StoreCall. */
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
    const sent = await this.#send(SERIES, encodeSeriesRequest(request), signal);
    return { ...sent, partialResponse: (warning) => this.#partialResponse(warning) };
  }

  /**
   * What the server says that it has.
   * @returns undefined if it has no Info API, or does not allow it
   * @throws RemoteError, WireError
   */
  async info(signal: AbortSignal): Promise<StoreInfo | undefined> {
    const response = await this.#single(INFO, signal);
    if (response !== undefined) return readStoreInfo(response);
    const old = await this.#single(OLD_INFO, signal);
    return old === undefined ? undefined : readOldStoreInfo(old);
  }

  /** The error for a response that cannot be complete. @param what what the server says about itself */
  storesMissing(what: string): RemoteError {
    const { side } = this.#endpoint;
    const code = 'stores-missing';
    const shown = excerpt(this.#redact(what));
    return new RemoteError({
      ...{ class: 'transient', code, side, status: GOOD_STATUS, hint: hintOf(code, side) },
      what: `may lack samples: its Info API says that ${shown}`,
    });
  }

  /** The message of a response that has one; undefined if the server does not know the method. */
  async #single(method: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const messages = await this.#send(method, new Uint8Array(0), signal);
    try {
      const message = await messages.next();
      if (message !== undefined && message.length > MAX_SINGLE_BYTES)
        throw new WireError('too-large', `a response of ${message.length} bytes to ${method}`);
      // The status comes after it.
      if (message !== undefined) await messages.next();
      return message ?? new Uint8Array(0);
    } catch (error) {
      if (error instanceof RemoteError && NOT_OFFERED.has(error.code)) return undefined;
      throw error;
    } finally {
      messages.close();
    }
  }

  async #send(
    method: string,
    message: Uint8Array,
    signal: AbortSignal,
  ): Promise<Pick<SeriesMessages, 'next' | 'close'>> {
    let sent = await this.#authenticate(message, signal);
    let call = await this.#call(method, { message, authHeaders: sent, signal });
    let isFirst = true;
    return {
      next: async () => {
        try {
          return await call.next();
        } catch (error) {
          const status = isFirst ? statusOfRefusal(error) : undefined;
          if (status === undefined || !(await this.#renewed(status, sent, signal))) throw error;
          sent = await this.#authenticate(message, signal);
          call = await this.#call(method, { message, authHeaders: sent, signal });
          return await call.next();
        } finally {
          isFirst = false;
        }
      },
      close: () => call.close(),
    };
  }

  async #call(
    method: string,
    { message, authHeaders, signal }: Pick<StoreCallOptions, 'message' | 'authHeaders' | 'signal'>,
  ): Promise<StoreCall> {
    const channel = await this.#open();
    if (signal.aborted || this.#closed) throw abortedRequest(this.#endpoint.side);
    return new StoreCall(channel, {
      ...{ method, message, authHeaders, signal },
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

  async #renewed(status: number, sent: AuthHeaders, signal: AbortSignal): Promise<boolean> {
    try {
      return (await this.#credentials?.renew({ status, headers: {} }, sent, signal)) ?? false;
    } catch (error) {
      throw unauthenticated(this.#endpoint.side, error, signal);
    }
  }

  #partialResponse(warning: string): RemoteError {
    const { side } = this.#endpoint;
    const code = 'partial-response';
    const what = `returned a partial response: ${excerpt(this.#redact(warning))}`;
    return new RemoteError({ class: 'transient', code, side, what, status: GOOD_STATUS, hint: hintOf(code, side) });
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

/** The status of HTTP that a refusal of the credentials corresponds to. Only the first of the two may be due to a token that has expired. */
function statusOfRefusal(error: unknown): number | undefined {
  if (!(error instanceof RemoteError)) return undefined;
  if (error.code === 'unauthorized') return 401;
  return error.code === 'forbidden' ? 403 : undefined;
}
