// The small HTTP server for /metrics and /livez.

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ListenError } from './listen-error.ts';

export interface ListenAddress {
  /** Undefined: all interfaces. */
  readonly host: string | undefined;
  /** 0 means any free port. */
  readonly port: number;
}

export interface Page {
  readonly contentType: string;
  readonly body: string;
}

export interface RunningHttpServer {
  /** The URL that it listens on, without a path. The port is the real one. */
  readonly url: string;
  /** Stops listening and drops open connections. */
  close(): Promise<void>;
}

/** `HOST:PORT`, `[IPv6]:PORT` or `:PORT`; undefined for any other text. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65535) return undefined;
  const host = match[1] ?? match[2];
  return { host: host === undefined || host === '' ? undefined : host, port };
}

const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'no permission to use this port',
  ENOTFOUND: 'the host name does not exist',
  EAI_AGAIN: 'the host name could not be looked up',
};

function listenError(address: ListenAddress, error: NodeJS.ErrnoException): ListenError {
  const code = error.code ?? 'unknown';
  const where = `${address.host ?? ''}:${address.port}`;
  return new ListenError(code, `cannot listen on ${where}: ${LISTEN_HINTS[code] ?? error.message} (${code})`, {
    cause: error,
  });
}

function respond(response: ServerResponse, status: number, page: Page, withBody: boolean): void {
  response.writeHead(status, { 'Content-Type': page.contentType, 'Content-Length': Buffer.byteLength(page.body) });
  response.end(withBody ? page.body : undefined);
}

function plain(body: string): Page {
  return { contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}

async function listen(server: Server, address: ListenAddress): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(address, error)));
    server.listen({ port: address.port, ...(address.host === undefined ? {} : { host: address.host }) }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new ListenError('unknown', 'the server has no address');
  return bound;
}

/**
 * Serves the pages by path. Other paths return 404, methods other than GET and HEAD return 405.
 * @throws ListenError if it cannot listen on the address
 */
export async function startHttpServer(
  address: ListenAddress,
  pages: Readonly<Record<string, () => Page | Promise<Page>>>,
): Promise<RunningHttpServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').replace(/[?#].*$/s, '');
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    const withBody = request.method !== 'HEAD';
    if (page === undefined) {
      respond(response, 404, plain(`not found; available: ${Object.keys(pages).join(', ')}`), withBody);
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      respond(response, 405, plain('only GET and HEAD are allowed'), withBody);
    } else {
      Promise.resolve()
        .then(page)
        .then(
          (content) => respond(response, 200, content, withBody),
          (error: unknown) =>
            respond(response, 500, plain(error instanceof Error ? error.message : 'failed'), withBody),
        );
    }
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  const bound = await listen(server, address);
  // A client that disconnects must not end a migration.
  server.on('error', () => undefined);
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `http://${host}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** `/livez`: shows only that the process responds. */
export function livez(): Page {
  return plain('ok');
}
