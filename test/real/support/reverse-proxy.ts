// An HTTP proxy in the test process between the migration and a real server: it can become unavailable and return at the same address,
// require its own credentials, lose the response to a completed request, and be slow.
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface ReverseProxyOptions {
  /** The base URL of the upstream server, such as `http://127.0.0.1:9090`. */
  target: string;
  /** Responds with 401 to every request with another Authorization header. */
  authorization?: string;
  /** Whether the response to this request, which the upstream server has carried out, is lost. Called once per request. */
  losesResponse?: (request: IncomingMessage) => boolean;
}

export interface ReverseProxy extends AsyncDisposable {
  readonly url: string;
  /** The number of 401 responses, and of lost responses. */
  readonly refused: number;
  readonly lost: number;
  /** The number of requests so far. */
  readonly requests: number;
  /** How long a request waits before it is passed on. */
  delayMs: number;
  /** Stops listening and closes every connection. */
  shut(): Promise<void>;
  /** Listens at the same address again. */
  reopen(target: string): Promise<void>;
}

/** Starts it on a free port of the loopback. */
export async function startReverseProxy(options: ReverseProxyOptions): Promise<ReverseProxy> {
  const proxy = new ForwardingServer(options);
  await proxy.reopen(options.target);
  return proxy;
}

class ForwardingServer implements ReverseProxy {
  refused = 0;
  lost = 0;
  requests = 0;
  delayMs = 0;
  readonly #options: ReverseProxyOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #target = '';
  #port = 0;

  constructor(options: ReverseProxyOptions) {
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async reopen(target: string): Promise<void> {
    this.#target = target;
    const server = createServer((request, response) => this.#forward(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject).listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async shut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shut();
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    this.requests++;
    const { authorization, losesResponse: losesAnswer } = this.#options;
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      this.refused++;
      request.resume();
      response.writeHead(401, { 'content-type': 'text/plain', 'www-authenticate': 'Bearer' });
      response.end(`no such token: ${request.headers.authorization ?? 'none'}\n`);
      return;
    }
    const loses = losesAnswer?.(request) === true;
    const headers = { ...request.headers };
    delete headers.authorization;
    const { pathname, search } = new URL(request.url ?? '/', this.#target);
    const forwarded = httpRequest(`${this.#target}${pathname}${search}`, { method: request.method, headers });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    forwarded.on('response', (answer) => {
      if (loses) {
        answer.resume();
        answer.on('end', () => {
          this.lost++;
          response.destroy();
        });
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    setTimeout(() => request.pipe(forwarded), this.delayMs);
  }
}
