// A server that misbehaves on purpose: label values of megabytes, false lengths, endless bodies. It plays all three sides of a migration,
// each at its usual path, so that a test specifies only what is wrong. It generates its bodies on demand, because most of them would not
// fit into memory.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { decodeReadRequest, type ReadQuery } from '../../migration/support/remote-messages.ts';

/** Writes any response. `body` is the body of the request. */
type Handler = (response: ServerResponse, body: Buffer) => void;
/** Like Handler, for the query APIs; `query` is the selector or the expression. */
type QueryHandler = (response: ServerResponse, query: string) => void;

export interface HostileSides {
  /** remote_read of the source. */
  readonly source?: (response: ServerResponse, query: ReadQuery) => void;
  /** remote_write of the destination: 204 by default. */
  readonly write?: Handler;
  /** remote_read of the destination: empty by default. */
  readonly readBack?: (response: ServerResponse, query: ReadQuery) => void;
  /** PromQL queries of the destination: an empty vector by default. */
  readonly query?: QueryHandler;
  /** Export of the destination: 404 by default. */
  readonly export?: QueryHandler;
}

export interface HostileServer extends AsyncDisposable {
  readonly url: string;
  /** Requests by path. */
  readonly requests: ReadonlyMap<string, number>;
}

export const STREAM = 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse';
export const SAMPLES = 'application/x-protobuf';

const EMPTY_VECTOR = '{"status":"success","data":{"resultType":"vector","result":[]}}';

export async function startHostileServer(sides: HostileSides): Promise<HostileServer> {
  const requests = new Map<string, number>();
  const server = createServer((request, response) => {
    serve(sides, request, response, requests).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A good answer whose pieces are made when the socket takes them. */
export function stream(
  response: ServerResponse,
  contentType: string,
  pieces: Iterable<Uint8Array>,
  headers: Record<string, string> = {},
): void {
  response.writeHead(200, { 'content-type': contentType, ...headers });
  const body = Readable.from(pieces, { objectMode: true, highWaterMark: 4 });
  response.on('close', () => body.destroy());
  body.on('error', () => response.destroy());
  body.pipe(response);
}

export function json(response: ServerResponse, pieces: Iterable<Uint8Array>): void {
  stream(response, 'application/json', pieces);
}

/** A ReadResponse without a series. */
export function empty(response: ServerResponse, query: Pick<ReadQuery, 'streamed'>): void {
  if (query.streamed) response.writeHead(200, { 'content-type': STREAM }).end();
  else response.writeHead(200, { 'content-type': SAMPLES }).end(Buffer.from([0]));
}

async function serve(
  sides: HostileSides,
  request: IncomingMessage,
  response: ServerResponse,
  requests: Map<string, number>,
): Promise<void> {
  response.on('error', () => undefined);
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  requests.set(url.pathname, (requests.get(url.pathname) ?? 0) + 1);
  switch (url.pathname) {
    case '/source/read': {
      const query = decodeReadRequest(body);
      return (sides.source ?? empty)(response, query);
    }
    case '/destination/read':
      return (sides.readBack ?? empty)(response, decodeReadRequest(body));
    case '/destination/write':
      if (sides.write === undefined) response.writeHead(204).end();
      else sides.write(response, body);
      return;
    case '/destination/api/v1/query':
      if (sides.query === undefined) json(response, [Buffer.from(EMPTY_VECTOR)]);
      else sides.query(response, queryOf(url, body));
      return;
    case '/destination/api/v1/export':
      if (sides.export !== undefined) return sides.export(response, queryOf(url, body));
  }
  response.writeHead(404).end();
}

/** In the URL, or in a form when it is long. */
function queryOf(url: URL, body: Buffer): string {
  const parameters = body.length > 0 ? new URLSearchParams(body.toString()) : url.searchParams;
  return parameters.get('query') ?? parameters.get('match[]') ?? '';
}
