// An HTTP server on the loopback that sends every response a fixed time after its request, as a distant server does, in a process of its own
// or in a test.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Reply {
  readonly status: number;
  readonly contentType?: string;
  readonly contentEncoding?: 'snappy';
  readonly body?: Uint8Array | string;
}

export interface DelayedServer extends AsyncDisposable {
  readonly url: string;
}

/** Longer than any pause between two requests of a run. */
const KEEP_ALIVE_MS = 600_000;

export interface DelayOptions {
  readonly delayMs: number;
  /** Any free port if undefined. */
  readonly port?: number;
}

/** @param handle returns the reply at once; what it throws becomes a 400, which no client repeats */
export async function startDelayedServer(
  { delayMs, port = 0 }: DelayOptions,
  handle: (path: string, body: Buffer) => Reply,
): Promise<DelayedServer> {
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const reply = replyTo(() => handle(request.url ?? '', Buffer.concat(pieces)));
      setTimeout(() => send(response, reply), delayMs);
    });
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true }, serve);
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function replyTo(handle: () => Reply): Reply {
  try {
    return handle();
  } catch (error) {
    return { status: 400, body: error instanceof Error ? error.message : String(error) };
  }
}

function send(response: ServerResponse, { status, contentType, contentEncoding, body }: Reply): void {
  response.writeHead(status, {
    ...(contentType !== undefined && { 'content-type': contentType }),
    ...(contentEncoding !== undefined && { 'content-encoding': contentEncoding }),
    ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
  });
  response.end(body);
}
