// The body of an answer as it arrives, gathered into blocks. Called by http.ts for every answer.
//
// Prometheus flushes every frame of its stream, which is one series: as a chunk of HTTP it would cost a turn of got's stream and of an async
// iterator, and a small object for as long as the answer is held.

import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

const blockBytes = 256 * 1024;
const firstBlockBytes = 16 * 1024;
/** What has been given back waits here: memory that comes and goes with every window would keep the garbage collector busy. */
const free: Uint8Array<ArrayBuffer>[] = [];
const mostFree = 256;

/** Gives a block back, of which nothing is used any more. What is no whole block is left to the garbage collector. */
export function giveBack(block: Uint8Array): void {
  if (block.byteLength !== blockBytes || block.buffer.byteLength !== blockBytes || free.length >= mostFree) return;
  free.push(block as Uint8Array<ArrayBuffer>);
}

/** So many whole blocks wait for whoever iterates; then the socket is left alone. */
const mostWaiting = 2;

/**
 * Yields the body in blocks, which are the caller's until he gives them back; the first piece by itself, and a shorter block at the end.
 * Throws the exchange's error, or one of its own when the connection closed before the message's end. Nothing is taken from the socket while
 * nobody asks, but for what fills two blocks.
 * @param exchange got's stream around the message: from here on it reports errors and brings no data
 * @param onActivity called with every piece that arrives, and when the body is wanted again after a pause
 */
export async function* bodyBlocks(
  message: IncomingMessage,
  exchange: Readable,
  onActivity: () => void,
): AsyncGenerator<Uint8Array, undefined> {
  const waiting: Uint8Array[] = [];
  let block = new Uint8Array(0);
  let used = 0;
  let received = 0;
  // One without a body has.
  let ended = message.readableEnded;
  let failure = exchange.errored ?? undefined;
  let wake: () => void = () => undefined;

  const onData = (piece: Buffer) => {
    onActivity();
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
        // As large as what came before: a quiet window's small answer must not cost a large block.
        block =
          received < blockBytes
            ? new Uint8Array(Math.max(firstBlockBytes, received))
            : (free.pop() ?? new Uint8Array(blockBytes));
        used = 0;
      }
      const part =
        taken === 0 && piece.length <= block.length - used ? piece : piece.subarray(taken, taken + block.length - used);
      block.set(part, used);
      used += part.length;
      taken += part.length;
    }
    if (waiting.length === 0) return;
    if (waiting.length >= mostWaiting) message.pause();
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
      onActivity();
      message.resume();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    // A small answer, the usual one of a quiet window, must not pin a whole block.
    if (used > 0) yield used === block.length ? block : block.slice(0, used);
  } finally {
    message.off('data', onData);
    // Its end is all that is left in it.
    exchange.resume();
  }
}
