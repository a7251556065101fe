// How requests reach an endpoint. Two transports implement it: got's streams for everything small (got-call.ts), undici with connections
// that read in large pieces for the bulk streams (bulk-transport.ts).

import type { IncomingHttpHeaders } from 'node:http';
import type { Buffers } from './buffers.ts';

export interface CallRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** `connectMs` is for each phase of a connection; `firstByteMs` for sending the request, and again for the response's headers. */
  readonly timeouts: { readonly connectMs: number; readonly firstByteMs: number };
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface BodyOptions {
  readonly buffers: Buffers;
  /** Called with the size of each piece that arrives. */
  readonly onData: (bytes: number) => void;
}

/** One request and its response. */
export interface Call {
  /** Rejects with the error of node, undici or got, or that of `destroy`. */
  readonly head: Promise<ResponseHead>;
  /**
   * The body in blocks, once. The first piece is yielded alone, and the last block may be shorter. The consumer owns a block until it gives
   * it back. Throws the call's error, or its own error if the connection closed before the end of the message. While the consumer does not
   * read, at most two blocks are read from the socket.
   */
  blocks(options: BodyOptions): AsyncGenerator<Uint8Array, undefined>;
  /** Ends the call and its connection, unless the response has arrived completely. */
  destroy(error?: Error): void;
}

export interface Transport {
  send(request: CallRequest): Promise<Call>;
  /** Closes all connections, also those in use. */
  close(): void;
}
