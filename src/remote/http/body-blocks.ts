// The body of a response as it arrives, gathered into blocks. Called by http.ts for every response.
//
// Prometheus flushes every frame of its stream, which is one series: as a chunk of HTTP it would cost a turn of got's stream and of an async
// iterator, and a small object for as long as the response is held.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { isMarkedAsUntransferable } from 'node:worker_threads';
import type { Buffers } from './buffers.ts';

const BLOCK_BYTES = 256 * 1024;
const FIRST_BLOCK_BYTES = 16 * 1024;

/** So many whole blocks wait for whoever iterates; then the socket is left alone. */
const MAX_WAITING = 2;

export interface BodyOptions {
  readonly buffers: Buffers;
  /** Called with the size of every piece that arrives. */
  readonly onData: (bytes: number) => void;
}

/**
 * Yields the body in blocks, which are the caller's until he gives them back; the first piece by itself, and a shorter block at the end.
 * Throws the exchange's error, or one of its own when the connection closed before the message's end. Nothing is taken from the socket while
 * nobody asks, but for what fills two blocks.
 * @param exchange got's stream around the message: from here on it reports errors and brings no data
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
  // One without a body has.
  let ended = message.readableEnded;
  let failure = exchange.errored ?? undefined;
  let wake: () => void = () => undefined;
  let memory: ArrayBufferLike | undefined;

  const onData = (piece: Buffer) => {
    onPiece(piece.length);
    // One read of the socket has brought this piece and the next ones, in memory of its own.
    if (memory !== piece.buffer) {
      if (memory !== undefined) free(memory);
      memory = piece.buffer;
    }
    const first = received === 0;
    received += piece.length;
    if (first) {
      // Enough for those who only want to know whether there is anything.
      waiting.push(new Uint8Array(piece));
      wake();
      return;
    }
    for (let taken = 0; taken < piece.length; ) {
      if (used === block.length) {
        if (used > 0) waiting.push(block);
        // As large as what came before: a quiet window's small response must not cost a large block.
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
    wake();
  };
  const onFailure = (error: Error) => {
    failure ??= error;
    wake();
  };
  const onClose = () => {
    if (!ended) onFailure(new Error('the connection closed before the end of the message'));
  };
  exchange.once('error', onFailure);
  // A message that has such a listener does not flow.
  message.removeAllListeners('readable');
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
    // A small response, the usual one of a quiet window, must not pin a whole block.
    if (used === 0) return;
    const last = used === block.length ? block : block.slice(0, used);
    const rest = block;
    // Whoever leaves in the middle leaves the blocks that nobody has seen.
    block = new Uint8Array(0);
    if (last !== rest) buffers.give(rest);
    yield last;
  } finally {
    message.off('data', onData);
    for (const unseen of [...waiting, block]) buffers.give(unseen);
    // Its end is all that is left in it.
    exchange.resume();
  }
}

/**
 * Memory that a socket was read into, and that has been copied from. Node allocates 64 KiB for each read, and V8 looks for those that are no
 * longer used only when tens of megabytes of them have come together.
 */
function free(memory: ArrayBufferLike): void {
  // Of Node's pool a buffer is a small part.
  if (memory instanceof ArrayBuffer && !isMarkedAsUntransferable(memory)) memory.transfer(0);
}
