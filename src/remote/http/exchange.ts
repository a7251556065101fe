// One HTTP request from its start to the end of its response: its time limits, its end, and its event.

import type { IncomingHttpHeaders } from 'node:http';

import type { Clock } from '../../telemetry/clock.ts';
import type { Secret, SecretUrl } from '../../telemetry/secret.ts';
import type { Endpoint } from './endpoint.ts';
import type { Side } from '../meaning/side.ts';
import { hintOf, type RemoteCode } from '../meaning/response-codes.ts';
import { classifyFailure, SilenceError, SlowError } from '../meaning/classify-failure.ts';
import { RemoteError } from '../meaning/remote-error.ts';
import { BodyPace } from './body-pace.ts';
import type { Buffers } from './buffers.ts';
import type { CredentialSource } from './credentials.ts';
import { OVER } from './over.ts';
import type { Call, ResponseHead, Transport } from './transport.ts';

/** `status` is the response's status, or the code of the RemoteError if there was no response or its body was cut off. */
export interface RequestEvent {
  readonly side: Side;
  readonly status: number | RemoteCode;
  readonly seconds: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** The parts of the run that a client needs. */
export interface ClientContext {
  readonly clock: Clock;
  /** The memory for bodies. */
  readonly buffers: Buffers;
  readonly credentials: CredentialSource;
  /** Called for every request after it has finished, whether it succeeded or not. */
  request(event: RequestEvent): void;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: SecretUrl;
  /** Names in lower case. They override the endpoint's own headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Whether megabytes are sent or received. */
  readonly isBulk?: true;
  /** From 1. */
  readonly attempt: number;
  readonly signal: AbortSignal;
}

/** A response whose headers have arrived. The caller then iterates `body`, or takes `text()`, or calls `discard()`. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly contentLength: number | undefined;
  /** Whether the end of the message can be distinguished from a lost connection: it has a length or is chunked. */
  readonly framed: boolean;
  /**
   * Can be iterated once. Throws RemoteError: cut-off, silence-timeout, too-slow, aborted. Breaking out ends the request and its
   * connection. While the consumer does not read, nothing is taken from the socket.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** The beginning of the body as text. Never throws. A short rest is drained, so that the connection can be reused. */
  text(): Promise<string>;
  discard(): void;
}

const TEXT_BYTES = 4 * 1024;
const DRAINED_BYTES = 64 * 1024;
const LONGEST_TEXT_MS = 10_000;

/** The first event that ends an exchange reports it, exactly once. */
export class Exchange {
  readonly #side: Side;
  readonly #context: Omit<ClientContext, 'credentials'>;
  readonly #silenceMs: number;
  readonly #request: HttpRequest;
  readonly #startedMs: number;
  #receivedBytes = 0;
  #status: number | undefined;
  #call: Call | undefined;
  #finished = false;

  constructor(side: Side, context: Omit<ClientContext, 'credentials'>, silenceMs: number, request: HttpRequest) {
    this.#side = side;
    this.#context = context;
    this.#silenceMs = silenceMs;
    this.#request = request;
    this.#startedMs = context.clock.monotonicMs();
  }

  async open(
    transport: Transport | Promise<Transport>,
    endpoint: Pick<Endpoint, 'timeouts'>,
    headers: Readonly<Record<string, Secret>>,
  ): Promise<HttpResponse> {
    const { method, url, body, attempt, signal } = this.#request;
    try {
      signal.throwIfAborted();
      const call = await (await transport).send({
        method,
        url: url.reveal(),
        headers: {
          ...plainHeaders(headers),
          ...this.#request.headers,
          ...(attempt > 1 && { 'retry-attempt': String(attempt - 1) }),
        },
        ...(body !== undefined && { body }),
        timeouts: endpoint.timeouts,
      });
      this.#call = call;
      signal.throwIfAborted();
      signal.addEventListener('abort', this.#onAbort, { once: true });
      const head = await call.head;
      this.#status = head.status;
      return this.#response(call, head);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  readonly #onAbort = () => {
    this.#call?.destroy(new DOMException('the request was aborted', 'AbortError'));
  };

  #response(call: Call, head: ResponseHead): HttpResponse {
    const { status, headers } = head;
    const length = Number(headers['content-length']);
    const contentLength = headers['content-length'] === undefined || Number.isNaN(length) ? undefined : length;
    const bodiless = status === 204 || status === 304;
    return {
      status,
      headers,
      contentLength,
      framed: bodiless || contentLength !== undefined || /\bchunked\s*$/i.test(headers['transfer-encoding'] ?? ''),
      body: { [Symbol.asyncIterator]: () => this.#read(call, status) },
      text: () => this.#text(call, head),
      discard: () => {
        call.destroy();
        this.#finish(status);
      },
    };
  }

  async *#read(call: Call, status: number): AsyncGenerator<Uint8Array, undefined> {
    const { clock, buffers } = this.#context;
    const pace = new BodyPace(this.#silenceMs);
    const over = new AbortController();
    let ended = false;
    const onData = (bytes: number) => pace.arrived(bytes, clock.monotonicMs());
    void this.#watch(pace, call, over.signal);
    try {
      const blocks = call.blocks({ buffers, onData });
      for (;;) {
        pace.wait(clock.monotonicMs());
        const block = await blocks.next();
        pace.pause(clock.monotonicMs());
        if (block.done === true) break;
        this.#receivedBytes += block.value.byteLength;
        yield block.value;
      }
      ended = true;
      this.#finish(status);
    } catch (error) {
      ended = true;
      throw this.#failed(error);
    } finally {
      over.abort(OVER);
      if (!ended) {
        call.destroy();
        this.#finish(status);
      }
    }
  }

  /** One timer for the whole body: a stream may have hundreds of thousands of pieces. */
  async #watch(pace: BodyPace, call: Call, over: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    for (let delayMs = pace.silenceMs; ; ) {
      try {
        await clock.sleep(delayMs, over);
      } catch {
        return;
      }
      const seen = pace.look(clock.monotonicMs());
      if (seen.kind === 'silent') return void call.destroy(new SilenceError(pace.silenceMs));
      if (seen.kind === 'slow') return void call.destroy(new SlowError(seen.bytes, pace.periodMs));
      delayMs = seen.lookAgainInMs;
    }
  }

  async #text(call: Call, { status, headers }: ResponseHead): Promise<string> {
    const { clock, buffers } = this.#context;
    const pieces: Buffer[] = [];
    let keptBytes = 0;
    const over = new AbortController();
    clock.sleep(LONGEST_TEXT_MS, over.signal).then(
      () => call.destroy(new SilenceError(LONGEST_TEXT_MS)),
      () => undefined,
    );
    try {
      for await (const piece of this.#read(call, status)) {
        if (keptBytes < TEXT_BYTES) {
          pieces.push(Buffer.from(piece.subarray(0, TEXT_BYTES - keptBytes)));
          keptBytes += piece.byteLength;
        }
        buffers.give(piece);
        if (this.#receivedBytes > DRAINED_BYTES) break;
      }
    } catch {
      // The status is already known. The part of the text that arrived is enough.
    } finally {
      over.abort(OVER);
    }
    const encoding = headers['content-encoding'] ?? 'identity';
    return /^(?:identity|snappy)$/i.test(encoding) ? new TextDecoder().decode(Buffer.concat(pieces)) : '';
  }

  #failed(error: unknown): RemoteError {
    // got reads the body of a failed response, but no consumer takes it.
    this.#call?.destroy();
    const { signal } = this.#request;
    const failure = signal.aborted
      ? abortedRequest(this.#side)
      : classifyFailure(this.#side, error, this.#status !== undefined);
    this.#finish(failure.code);
    return failure;
  }

  #finish(status: number | RemoteCode): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    this.#context.request({
      side: this.#side,
      status,
      seconds: (this.#context.clock.monotonicMs() - this.#startedMs) / 1000,
      sentBytes: this.#request.body?.byteLength ?? 0,
      receivedBytes: this.#receivedBytes,
    });
  }
}

export function abortedRequest(side: Side): RemoteError {
  const hint = hintOf('aborted', side);
  return new RemoteError({ class: 'aborted', code: 'aborted', side, what: 'request was aborted', hint });
}

function plainHeaders(headers: Readonly<Record<string, Secret>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));
}
