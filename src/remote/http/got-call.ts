// A request through got, which is loaded when the first one is sent.

import type { Agent as HttpAgent, IncomingMessage } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Got } from 'got';

import { BodyBlocks } from './body-blocks.ts';
import { CopiedMemory } from './copied-memory.ts';
import type { BodyOptions, Call, CallRequest, ResponseHead } from './transport.ts';

type GotStream = ReturnType<Got['stream']>;

export interface NodeAgents {
  readonly http: HttpAgent;
  readonly https: HttpsAgent;
}

export async function sendWithGot(agents: NodeAgents, request: CallRequest): Promise<Call> {
  const { default: got } = await import('got');
  const { method, url, headers, body, timeouts } = request;
  const { connectMs, firstByteMs } = timeouts;
  const stream = got.stream(url, {
    method,
    headers,
    ...(body !== undefined && { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) }),
    agent: agents,
    timeout: {
      lookup: connectMs,
      connect: connectMs,
      secureConnect: connectMs,
      send: firstByteMs,
      response: firstByteMs,
    },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    http2: false,
    retry: { limit: 0 },
  });
  return new GotCall(stream);
}

class GotCall implements Call {
  readonly head: Promise<ResponseHead>;
  readonly #stream: GotStream;
  #message: IncomingMessage | undefined;

  constructor(stream: GotStream) {
    this.#stream = stream;
    this.head = new Promise((resolve, reject) => {
      // Stays for the whole life of the request: an error between two reads of the body is kept for the next read.
      stream.on('error', reject);
      stream.once('response', (message: IncomingMessage) => {
        this.#message = message;
        resolve({ status: message.statusCode ?? 0, headers: message.headers });
      });
    });
    // A call may be destroyed before anyone waits for its response.
    this.head.catch(() => undefined);
  }

  async *blocks({ buffers, onData }: BodyOptions): AsyncGenerator<Uint8Array, undefined> {
    const message = this.#message;
    // From here on, got's stream around the message only reports errors and carries no data.
    const exchange = this.#stream;
    if (message === undefined) throw new Error('the response has not arrived');
    const copied = new CopiedMemory();
    const body = new BodyBlocks(
      { pause: () => message.pause(), resume: () => message.resume() },
      {
        buffers,
        onData: (bytes) => onData(bytes),
      },
    );
    // A message without a body has already ended.
    let ended = message.readableEnded;
    if (ended) body.end();
    const onPiece = (piece: Buffer) => {
      copied.add(piece);
      body.push(piece);
    };
    const onEnd = () => {
      ended = true;
      // From now on the connection may serve another request.
      socket?.off('data', onRead);
      if (message.complete) body.end();
      else body.fail(cutOff());
    };
    const onClose = () => {
      if (!ended) body.fail(cutOff());
    };
    // Called behind the listener that parses what was read.
    const onRead = (bytes: Buffer) => {
      copied.add(bytes);
      // Pieces that wait in a message that was paused are parts of it.
      if (message.readableLength === 0) copied.free();
    };
    const socket: Socket | null = ended ? null : message.socket;
    if (exchange.errored !== null) body.fail(exchange.errored);
    exchange.once('error', (error: Error) => body.fail(error));
    // A message with a 'readable' listener does not flow.
    message.removeAllListeners('readable');
    socket?.on('data', onRead);
    message.on('data', onPiece);
    message.once('end', onEnd);
    message.once('close', onClose);
    if (message.closed) onClose();
    try {
      yield* body.blocks();
    } finally {
      message.off('data', onPiece);
      socket?.off('data', onRead);
      // Only the end of the message is left in it.
      exchange.resume();
    }
  }

  destroy(error?: Error): void {
    this.#stream.destroy(error);
  }
}

function cutOff(): Error {
  return new Error('the connection closed before the end of the message');
}
