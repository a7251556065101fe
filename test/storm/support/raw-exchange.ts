// A server that records its requests, and a client that records every byte and how its connection ended.

import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RecordingServer extends AsyncDisposable {
  readonly url: string;
  /** The bodies of complete requests. */
  readonly bodies: string[];
  /** The number of incomplete requests. */
  readonly broken: number;
  /** The delay before a reply; none by default. */
  delayMs: number;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer | string;
}

/** Sends the same reply to each request; the status may depend on the number of earlier ones. */
export async function startRecordingServer(reply: Reply, statuses: readonly number[] = []): Promise<RecordingServer> {
  const bodies: string[] = [];
  let broken = 0;
  let recording: RecordingServer;
  const server = createServer(async (request, response) => {
    const body = await wholeBody(request);
    if (body === undefined) return void broken++;
    if (recording.delayMs > 0) await sleep(recording.delayMs);
    response.writeHead(statuses[bodies.length] ?? reply.status, reply.headers);
    bodies.push(body);
    response.end(reply.body);
  });
  server.on('clientError', (_, socket) => {
    broken++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  recording = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    delayMs: 0,
    get broken() {
      return broken;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return recording;
}

async function wholeBody(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of request) pieces.push(piece as Buffer);
  } catch {
    return undefined;
  }
  return request.complete ? Buffer.concat(pieces).toString() : undefined;
}

export interface RawExchange {
  readonly bytes: Buffer;
  /** `end`: closed normally; `reset`; `refused`; `whole`: a complete response, the connection may still be open; `waiting`: neither. */
  readonly how: 'end' | 'reset' | 'refused' | 'whole' | 'waiting';
  readonly milliseconds: number;
}

/** One POST over a new connection. */
export function exchange(url: string, body: string, waitMs: number): Promise<RawExchange> {
  const { hostname, port } = new URL(url);
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port) });
    const done = (how: RawExchange['how']) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ bytes: Buffer.concat(pieces), how, milliseconds: performance.now() - startedMs });
    };
    const timer = setTimeout(() => done('waiting'), waitMs);
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      if (isWhole(Buffer.concat(pieces).toString('latin1'))) done('whole');
    });
    socket.on('end', () => done('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code === 'ECONNREFUSED' ? 'refused' : 'reset'));
    socket.write(`POST /api/v1/thing HTTP/1.1\r\nhost: test\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  });
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const [head, body] = [text.slice(0, end), text.slice(end + 4)];
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return body.length >= Number(length);
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return body.endsWith('0\r\n\r\n');
  return /^HTTP\/1\.1 (?:204|304)/.test(head);
}

export function statusOf({ bytes }: RawExchange): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(bytes.toString('latin1'))?.[1] ?? 0);
}

export function bodyOf({ bytes }: RawExchange): Buffer {
  const end = bytes.indexOf('\r\n\r\n');
  return end < 0 ? Buffer.alloc(0) : bytes.subarray(end + 4);
}
