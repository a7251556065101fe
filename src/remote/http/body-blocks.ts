// Gathers the body of a response into blocks as it arrives.
//
// Prometheus flushes after every frame of its stream, which is one series. Passed on as it is, each HTTP chunk would cost a turn of got's
// stream and of an async iterator, and a small object for as long as the response is held.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Buffers } from './buffers.ts';
import { CopiedMemory } from './copied-memory.ts';

const BLOCK_BYTES = 256 * 1024;
const FIRST_BLOCK_BYTES = 16 * 1024;

/** The number of whole blocks that wait for the consumer. Beyond it nothing is read from the socket. */
const MAX_WAITING = 2;

export interface BodyOptions {
  readonly buffers: Buffers;
  /** Called with the size of each piece that arrives. */
  readonly onData: (bytes: number) => void;
}

/**
 * Yields the body in blocks. The first piece is yielded alone, and the last block may be shorter. The consumer owns a block until it gives
 * it back. Throws the exchange's error, or its own error if the connection closed before the end of the message. While the consumer does
 * not read, at most two blocks are read from the socket.
 * @param exchange got's stream around the message: from here on it only reports errors and carries no data
 */
export async function* bodyBlocks(
  message: IncomingMessage,
  exchange: Readable,
  { buffers, onData: onPiece }: BodyOptions,
): AsyncGenerator<Uint8Array, undefined> {
  const waiting: Uint8Array[] = [];
  let block: Uint8Array = new Uint8Array(0);
  let used = 0;
  let received = 0;
  // A message without a body has already ended.
  let ended = message.readableEnded;
  let failure = exchange.errored ?? undefined;
  let wake: () => void = () => undefined;
  const copied = new CopiedMemory();

  const onData = (piece: Buffer) => {
    onPiece(piece.length);
    copied.add(piece);
    const first = received === 0;
    received += piece.length;
    if (first) {
      // Enough for a consumer that only checks whether there is any data.
      waiting.push(new Uint8Array(piece));
      wake();
      return;
    }
    for (let taken = 0; taken < piece.length; ) {
      if (used === block.length) {
        if (used > 0) waiting.push(block);
        // As large as the bytes received so far: the small response of a quiet window must not cost a large block.
        block =
          received < BLOCK_BYTES ? new Uint8Array(Math.max(FIRST_BLOCK_BYTES, received)) : buffers.take(BLOCK_BYTES);
        used = 0;
      }
      const part =
        taken === 0 && piece.length <= block.length - used ? piece : piece.subarray(taken, taken + block.length - used);
      block.set(part, used);
      used += part.length;
      taken += part.length;
    }
    if (waiting.length === 0) return;
    if (waiting.length >= MAX_WAITING) message.pause();
    wake();
  };
  const onEnd = () => {
    ended = true;
    // From now on the connection may serve another request.
    socket?.off('data', onRead);
    wake();
  };
  const onFailure = (error: Error) => {
    failure ??= error;
    wake();
  };
  const onClose = () => {
    if (!ended) onFailure(new Error('the connection closed before the end of the message'));
  };
  // Called behind the listener that parses what was read.
  const onRead = (bytes: Buffer) => {
    copied.add(bytes);
    // Pieces that wait in a message that was paused are parts of it.
    if (message.readableLength === 0) copied.free();
  };
  const socket: Socket | null = ended ? null : message.socket;
  exchange.once('error', onFailure);
  // A message with a 'readable' listener does not flow.
  message.removeAllListeners('readable');
  socket?.on('data', onRead);
  message.on('data', onData);
  message.once('end', onEnd);
  message.once('close', onClose);
  if (message.closed) onClose();
  try {
    for (;;) {
      const next = waiting.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (failure !== undefined) throw failure;
      if (ended) break;
      message.resume();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    // The small response of a quiet window, the usual case, must not pin a whole block.
    if (used === 0) return;
    const last = used === block.length ? block : block.slice(0, used);
    const rest = block;
    // If the consumer stops at this yield, `finally` gives back only the blocks that it has not received.
    block = new Uint8Array(0);
    if (last !== rest) buffers.give(rest);
    yield last;
  } finally {
    message.off('data', onData);
    socket?.off('data', onRead);
    for (const unseen of [...waiting, block]) buffers.give(unseen);
    // Only the end of the message is left in it.
    exchange.resume();
  }
}
