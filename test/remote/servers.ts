// Tiny servers and endpoints for the tests of remote/, for behavior that real servers do not produce on demand.

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';

import { CredentialPool } from '../../src/remote/credentials/credential-pool.ts';
import type { Endpoint } from '../../src/remote/http/endpoint.ts';
import type { Buffers } from '../../src/remote/http/buffers.ts';
import type { ClientContext, RequestEvent } from '../../src/remote/http/exchange.ts';
import { SYSTEM_CLOCK } from '../../src/telemetry/clock.ts';
import { RemoteError } from '../../src/remote/meaning/remote-error.ts';
import { SecretUrl } from '../../src/telemetry/secret.ts';

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly sockets: Set<Socket>;
  /** The number of accepted connections. */
  connections(): number;
}

/** Any Node server, on a free port of the loopback; its connections are destroyed with it. */
export async function listening(server: Server | TcpServer, scheme = 'http'): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    sockets,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function httpServer(
  listener: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void,
): Promise<TestServer> {
  return listening(createServer(withBody(listener)));
}

export function withBody(
  listener: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void,
): RequestListener {
  return (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => listener(request, response, Buffer.concat(pieces)));
  };
}

/** Responds to every request with these raw bytes, then closes the connection or leaves it open. */
export function rawServer(response: string, end: 'close' | 'reset' | 'stay'): Promise<TestServer> {
  return listening(
    createTcpServer((socket) => {
      socket.once('data', () => {
        socket.write(response, () => {
          if (end === 'close') socket.end();
          if (end === 'reset') socket.resetAndDestroy();
        });
      });
    }),
  );
}

export function endpointAt(url: string, changes: Partial<Endpoint> = {}): Endpoint {
  return {
    side: 'source',
    url: new SecretUrl(url),
    headers: {},
    auth: { kind: 'none' },
    tls: { insecureSkipVerify: false, minVersion: 'TLSv1.2' },
    timeouts: { connectMs: 2000, firstByteMs: 2000, silenceMs: 2000 },
    ...changes,
  };
}

/** Keeps nothing, and overwrites returned buffers, so that a use after return is detected. */
const poisoningBuffers: Buffers = {
  take: (bytes) => new Uint8Array(bytes),
  give: (memory) => memory.fill(0xdd),
};

export function recordingHooks(): ClientContext & { readonly events: RequestEvent[] } {
  const events: RequestEvent[] = [];
  const credentials = new CredentialPool(SYSTEM_CLOCK, {});
  return {
    events,
    clock: SYSTEM_CLOCK,
    buffers: poisoningBuffers,
    credentials,
    request: (event) => events.push(event),
  };
}

export function once(): { attempt: number; signal: AbortSignal } {
  return { attempt: 1, signal: new AbortController().signal };
}

/** The RemoteError that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<RemoteError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RemoteError) return error;
    throw new Error(`not a RemoteError: ${String(error)}`, { cause: error });
  }
  throw new Error('succeeded, but should have failed');
}

export async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}
