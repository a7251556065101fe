// One call of a Thanos API from its start to the end of its response: its failures, its end, and its event.

import { SYSTEM_CLOCK } from '../telemetry/clock.ts';
import { WireError } from '../wire/errors.ts';
import { GrpcCall } from './grpc/grpc-call.ts';
import type { GrpcChannel } from './grpc/grpc-channel.ts';
import type { AuthHeaders } from './http/credentials.ts';
import type { Endpoint } from './http/endpoint.ts';
import { abortedRequest, type ClientContext } from './http/exchange.ts';
import { classifyGrpc } from './meaning/classify-grpc.ts';
import { GRPC_CODES, GrpcStatus } from './meaning/grpc-status.ts';
import { RemoteError } from './meaning/remote-error.ts';

/** Of HTTP. How a call ended is in its trailers. */
const GOOD_STATUS = 200;

/** Of the library, when a message is larger than the limit of this process. */
const OVER_THE_LIMIT = /^Received message (?:larger than max \((\d+) vs|that decompresses to a size larger than)/;

export interface StoreCallOptions {
  readonly endpoint: Endpoint;
  readonly context: ClientContext;
  readonly maxMessageBytes: number;
  readonly redact: (text: string) => string;
  readonly method: string;
  readonly message: Uint8Array;
  readonly authHeaders: AuthHeaders;
  readonly signal: AbortSignal;
}

export class StoreCall {
  readonly #options: StoreCallOptions;
  readonly #call: GrpcCall;
  readonly #startedMs: number;
  #isFinished = false;

  /** Sends the request. */
  constructor({ channel, metadata }: GrpcChannel, options: StoreCallOptions) {
    const { endpoint, context, method, message, authHeaders, signal } = options;
    const { clock } = context;
    this.#options = options;
    this.#startedMs = clock.monotonicMs();
    const authenticated = metadata.clone();
    for (const [name, value] of Object.entries(authHeaders)) authenticated.set(name, value.reveal());
    this.#call = new GrpcCall(channel, {
      ...{ method, metadata: authenticated, message, timeouts: endpoint.timeouts, clock },
      // The limits of the phases are in real time, as they are for HTTP.
      phaseClock: SYSTEM_CLOCK,
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * The next message; undefined after the last. Until it is called, the server waits.
   * @throws RemoteError; WireError 'too-large' for a message over the limit
   */
  async next(): Promise<Uint8Array | undefined> {
    try {
      const next = await this.#call.next();
      if (next === undefined) this.#finish(GOOD_STATUS);
      return next;
    } catch (error) {
      const failure = this.#failureOf(error);
      this.#finish(failure instanceof RemoteError ? failure.code : 'response-too-large');
      throw failure;
    }
  }

  /** Ends the request if its response has not ended. */
  close(): void {
    this.#onAbort();
    this.#finish(GOOD_STATUS);
  }

  readonly #onAbort = () => this.#call.cancel(abortedRequest(this.#options.endpoint.side));

  #failureOf(error: unknown): RemoteError | WireError {
    const { endpoint, maxMessageBytes, redact } = this.#options;
    if (error instanceof GrpcStatus && error.code === GRPC_CODES.resourceExhausted) {
      const own = OVER_THE_LIMIT.exec(error.details);
      const size = own?.[1] === undefined ? '' : ` of ${own[1]} bytes`;
      if (own !== null) {
        const limits = 'spec.source.maxFrameBytes, and a quarter of the part of spec.limits.memory that is for reading';
        return new WireError('too-large', `a message${size} is over the limit of ${maxMessageBytes} (${limits})`);
      }
    }
    return classifyGrpc(endpoint.side, error, { responded: this.#call.hasResponded, redact });
  }

  #finish(status: number | RemoteError['code']): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    const { endpoint, context, message, signal } = this.#options;
    signal.removeEventListener('abort', this.#onAbort);
    context.request({
      side: endpoint.side,
      status,
      seconds: (context.clock.monotonicMs() - this.#startedMs) / 1000,
      sentBytes: message.length,
      receivedBytes: this.#call.receivedBytes,
    });
  }
}
