// An HTTP proxy that forwards everything and keeps the bodies of the requests to one path, in the order of arrival, for a replay. The
// recorded run is not measured.

import { createWriteStream } from 'node:fs';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import type { TcpProxy } from './delay-proxy.ts';

export interface Recording {
  readonly file: string;
  requests: number;
  bytes: number;
}

export interface RecordingProxy extends TcpProxy {
  readonly recording: Recording;
  /** Ends the file; no more requests may arrive. */
  close(): Promise<void>;
}

/** Each body in the file follows its length, a little-endian uint32. */
export async function startRecordingProxy(target: string, path: string, file: string): Promise<RecordingProxy> {
  const recording: Recording = { file, requests: 0, bytes: 0 };
  const out = createWriteStream(file);
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(target);
  const forward = async (incoming: IncomingMessage, reply: ServerResponse) => {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    if (new URL(incoming.url ?? '', target).pathname === path) {
      recording.requests++;
      recording.bytes += body.length;
      const length = Buffer.alloc(4);
      length.writeUInt32LE(body.length);
      out.write(length);
      out.write(body);
    }
    const { method, url, headers } = incoming;
    const outgoing = request({ agent, hostname, port, method, path: url, headers }, (response) => {
      reply.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(reply);
      response.on('error', () => reply.destroy());
    });
    outgoing.on('error', () => reply.destroy());
    reply.on('close', () => outgoing.destroy());
    outgoing.end(body);
  };
  const server = createServer((incoming, reply) => {
    forward(incoming, reply).catch(() => reply.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    agent.destroy();
    if (out.writableEnded) return;
    out.end();
    await finished(out);
  };
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    recording,
    close,
    [Symbol.asyncDispose]: close,
  };
}
