// Requests through undici, over connections that are read in large pieces. For the bulk streams: got and node:http cost three times as much
// CPU per byte (docs/adr/0008-connections-rest-after-a-small-read.md). Loaded when the first bulk stream is opened.

import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import type { Clock } from '../../telemetry/clock.ts';
import { BodyBlocks } from './body-blocks.ts';
import { ClientPool, type Connection } from './client-pool.ts';
import { Connector } from './connector.ts';
import type { Endpoint } from './endpoint.ts';
import { OVER } from './over.ts';
import { PhaseLimit } from './phase-limit.ts';
import { nodeHeaders } from './response-headers.ts';
import type { BodyOptions, Call, CallRequest, ResponseHead, Transport } from './transport.ts';
import { asNodeError, reset } from './undici-errors.ts';

export class BulkTransport implements Transport {
  readonly #clock: Clock;
  readonly #pool: ClientPool;

  /** @param clock for the time limits of the phases and the rests of the connections */
  constructor(endpoint: Endpoint, maxConnections: number, clock: Clock) {
    this.#clock = clock;
    this.#pool = new ClientPool(new URL(endpoint.url.reveal()), new Connector(endpoint, clock), maxConnections);
  }

  async send(request: CallRequest): Promise<Call> {
    const call = new BulkCall(request.timeouts.firstByteMs, this.#clock);
    void call.run(this.#pool, request);
    return call;
  }

  close(): void {
    this.#pool.close(reset('the connection was closed'));
  }
}

type Progress =
  /** Waits for a connection, or for its response. */
  | { readonly kind: 'sending' }
  /** The headers have arrived. */
  | { readonly kind: 'receiving' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly error: Error };

class BulkCall implements Call, Dispatcher.DispatchHandler {
  readonly head: Promise<ResponseHead>;
  readonly #limit: PhaseLimit;
  readonly #firstByteMs: number;
  readonly #over = new AbortController();
  #progress: Progress = { kind: 'sending' };
  #connection: Connection | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #body: BodyBlocks | undefined;
  #resolve: (head: ResponseHead) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(firstByteMs: number, clock: Clock) {
    this.#firstByteMs = firstByteMs;
    this.#limit = new PhaseLimit(clock, (timeout) => this.destroy(timeout));
    this.head = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A call may be destroyed before anyone waits for its response.
    this.head.catch(() => undefined);
  }

  async run(pool: ClientPool, { method, url, headers, body }: CallRequest): Promise<void> {
    let connection: Connection;
    try {
      connection = await pool.take(this.#over.signal);
    } catch (error) {
      return this.#fail(error as Error);
    }
    if (this.#over.signal.aborted) return pool.giveBack(connection, true);
    this.#connection = connection;
    this.#over.signal.addEventListener('abort', () => {
      pool.giveBack(connection, this.#progress.kind === 'ended' && connection.socket?.writableLength === 0);
    });
    const { pathname, search } = new URL(url);
    const bytes = body === undefined ? null : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    connection.client.dispatch({ method, path: `${pathname}${search}`, headers, body: bytes }, this);
  }

  blocks(options: BodyOptions): AsyncGenerator<Uint8Array, undefined> {
    const controller = this.#controller;
    const body = new BodyBlocks({ pause: () => controller?.pause(), resume: () => controller?.resume() }, options);
    this.#body = body;
    if (this.#progress.kind === 'ended') body.end();
    if (this.#progress.kind === 'failed') body.fail(this.#progress.error);
    return body.blocks();
  }

  destroy(error: Error = new Error('the response was not wanted')): void {
    const { kind } = this.#progress;
    if (kind === 'ended' || kind === 'failed') return;
    this.#connection?.stopOpening(error);
    this.#controller?.abort(error);
    this.#fail(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#progress.kind === 'failed') {
      controller.abort(this.#progress.error);
      return;
    }
    this.#limit.enter('send', this.#firstByteMs);
    const socket = this.#connection?.socket;
    if (socket !== undefined) socket.onFlushed = () => this.#sent();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // Others are on their way.
    if (status < 200) return;
    this.#limit.leave();
    this.#progress = { kind: 'receiving' };
    // Until the body is read.
    controller.pause();
    this.#resolve({ status, headers: nodeHeaders(headers) });
  }

  onResponseData(_: Dispatcher.DispatchController, piece: Buffer): void {
    this.#body?.push(piece);
  }

  onResponseEnd(): void {
    this.#progress = { kind: 'ended' };
    this.#body?.end();
    this.#over.abort(OVER);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(asNodeError(error));
  }

  #sent(): void {
    if (this.#progress.kind === 'sending') this.#limit.enter('response', this.#firstByteMs);
  }

  #fail(error: Error): void {
    if (this.#progress.kind === 'failed' || this.#progress.kind === 'ended') return;
    this.#limit.leave();
    this.#progress = { kind: 'failed', error };
    this.#reject(error);
    this.#body?.fail(error);
    this.#over.abort(error);
  }
}
