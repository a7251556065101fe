// One of the three proxies between a migration and its servers. It numbers the requests, looks up the fault for each, injects it and keeps
// a record of everything. After the last planned fault it only forwards.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultKind, flipKindOf, type Way } from '../fault-kinds.ts';
import { faultAt, type PlannedFault } from '../fault-plan.ts';
import type { Received } from './forward.ts';
import { inject, type Outcome, passOn } from './inject.ts';

/** The record of a request. */
export interface SeenRequest {
  readonly way: Way;
  /** Over all runs, from 1. */
  readonly request: number;
  /** The run of the migration that sent it, from 1. */
  readonly run: number;
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** The injected fault, if any. */
  fault: FaultKind | undefined;
  /** Whether this side had sent the same run a good response before. */
  readonly goodBefore: boolean;
  /** The statuses of the server, one for each time that it carried out the request. */
  readonly stored: number[];
  /** The delay between the client's disconnection and the server carrying out the request. */
  lagMs: number | undefined;
  /** The client had disconnected, or its connection was closed with others, before it could get its response. */
  undelivered: boolean;
  /** The upstream server was unreachable. */
  brokenBy: string | undefined;
  /** The body, only for write requests. */
  readonly body: Buffer | undefined;
}

export type Moment = 'arrived' | 'carried-out';

export interface FaultProxyOptions {
  readonly way: Way;
  /** The base URL of the upstream server, such as `http://127.0.0.1:9090`. */
  readonly target: string;
  readonly plan: readonly PlannedFault[];
  /** Longer than the client's timeout. */
  readonly stallMs: number;
  /** For slow responses; a second by default. */
  readonly byteEveryMs?: number;
  /** Called for each moment; `requestOfRun` counts from 1 in each run. */
  readonly onMoment?: (way: Way, requestOfRun: number, moment: Moment) => void;
}

export class FaultProxy implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  readonly #options: FaultProxyOptions;
  readonly #sockets = new Set<Socket>();
  readonly #pending = new Set<Promise<void>>();
  #server: Server | undefined;
  #port = 0;
  #run = 1;
  #requestsOfRun = 0;
  #good = false;

  private constructor(options: FaultProxyOptions) {
    this.#options = options;
  }

  /** Starts it on a free port of the loopback. */
  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    await proxy.#listen();
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Assigns the following requests to this run. */
  beginRun(run: number): void {
    this.#run = run;
    this.#requestsOfRun = 0;
    this.#good = false;
  }

  /** Resolves when no request is pending, including requests whose client has disconnected. */
  async idle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.idle();
    await this.#close();
  }

  async #listen(): Promise<void> {
    const server = createServer({ noDelay: true }, (request, response) => this.#accept(request, response));
    server.keepAliveTimeout = 60_000;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('clientError', (_, socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject).listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  #accept(request: IncomingMessage, response: ServerResponse): void {
    request.on('error', () => {});
    response.on('error', () => {});
    const handled = this.#handle(request, response).finally(() => this.#pending.delete(handled));
    this.#pending.add(handled);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { way, onMoment } = this.#options;
    const requestOfRun = ++this.#requestsOfRun;
    const run = this.#run;
    const number = this.seen.length + 1;
    const planned = faultAt(this.#options.plan, number);
    const body = planned?.kind.action.do === 'reset' ? Buffer.alloc(0) : undefined;
    const seen: SeenRequest = {
      way,
      request: number,
      run,
      path: request.url?.replace(/\?.*/s, '') ?? '',
      atMs: Date.now(),
      fault: planned?.kind,
      goodBefore: this.#good,
      stored: [],
      lagMs: undefined,
      undelivered: false,
      brokenBy: undefined,
      body: undefined,
    };
    this.seen.push(seen);
    try {
      const bytes = body ?? (await readAll(request));
      if (way === 'write') Object.assign(seen, { body: bytes });
      onMoment?.(way, requestOfRun, 'arrived');
      const outcome = await this.#carryOut(seen, planned, receivedFrom(request, bytes), response, () =>
        onMoment?.(way, requestOfRun, 'carried-out'),
      );
      if (!outcome.injected) seen.fault = undefined;
      else if (seen.fault?.action.do === 'flip') seen.fault = flipKindOf(outcome.damaged ?? '');
      seen.undelivered = !outcome.injected && response.socket?.destroyed !== false && !response.writableFinished;
      if (outcome.good && run === this.#run) this.#good = true;
    } catch (error) {
      // The client disconnected while it was sending, or the upstream server is unreachable.
      if (request.complete) seen.brokenBy = String(error);
      seen.fault = undefined;
      response.socket?.destroy();
    }
  }

  async #carryOut(
    seen: SeenRequest,
    planned: PlannedFault | undefined,
    received: Received,
    response: ServerResponse,
    carriedOut: () => void,
  ): Promise<Outcome> {
    const { target, stallMs, byteEveryMs = 1000 } = this.#options;
    const cutFromMs = performance.now();
    const exchange = {
      target,
      received,
      response,
      stallMs,
      byteEveryMs,
      carriedOut: (status: number) => {
        seen.stored.push(status);
        if (response.socket?.destroyed !== false) seen.lagMs = performance.now() - cutFromMs;
        carriedOut();
      },
    };
    if (planned === undefined) return { injected: false, good: await passOn(exchange) };
    const { kind, part } = planned;
    if (kind.action.do === 'stop-listening') {
      await this.#stopListening(300 + part * 900);
      return { injected: true, good: false };
    }
    return inject({ ...exchange, action: kind.action, part });
  }

  async #stopListening(forMs: number): Promise<void> {
    await this.#close();
    await sleep(forMs);
    if (this.#server === undefined) await this.#listen();
  }
}

function receivedFrom(request: IncomingMessage, body: Buffer): Received {
  return { method: request.method ?? 'GET', url: request.url ?? '/', rawHeaders: request.rawHeaders, body };
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
