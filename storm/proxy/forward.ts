// Forwards a request to the server behind a proxy: the whole request, or only its first half.

import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { forwardedHeaders, type Message } from './http-message.ts';

/** A complete request. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** The server's complete response. Uses a new connection each time, because a kept-alive one may be closed at the wrong moment. */
export async function forward(target: string, { method, url, rawHeaders, body }: Received): Promise<Message> {
  const headers = Object.fromEntries(forwardedHeaders(rawHeaders));
  const { hostname, port } = new URL(target);
  const outgoing = httpRequest({ agent: false, hostname, port, method, path: url, headers });
  if (body.length > 0 || method === 'POST') outgoing.setHeader('content-length', body.length);
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode ?? 0, rawHeaders: response.rawHeaders, body: Buffer.concat(pieces) };
}

/** How long the server can process the half request before the connection is closed. */
const HALF_MS = 30;

/** The head and half of the body, or half of the head without a body; then the connection is closed. */
export async function forwardHalf(target: string, { method, url, rawHeaders, body }: Received): Promise<void> {
  const { hostname, port } = new URL(target);
  const lines = [`${method} ${url} HTTP/1.1`];
  for (const [name, value] of forwardedHeaders(rawHeaders)) lines.push(`${name}: ${value}`);
  const head = Buffer.from([...lines, `content-length: ${body.length}`, '', ''].join('\r\n'), 'latin1');
  const half = body.length === 0 ? head.subarray(0, head.length >> 1) : body.subarray(0, body.length >> 1);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  socket.write(body.length === 0 ? half : Buffer.concat([head, half]));
  await sleep(HALF_MS);
  socket.destroy();
}
