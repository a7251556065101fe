// The JSON of a response as text, whole or line by line, within a limit on the memory that it takes when it is parsed.

import type { Buffers } from './http/buffers.ts';
import { JsonCost } from './json-cost.ts';

interface TextOptions {
  /** Where each piece goes back to. */
  readonly buffers: Buffers;
  /** Of the whole text or of one line, as json-cost.ts counts them. */
  readonly maxBytes: number;
  readonly tooLarge: () => Error;
}

export async function wholeText(body: AsyncIterable<Uint8Array>, options: TextOptions): Promise<string> {
  const { buffers, maxBytes, tooLarge } = options;
  const pieces: Uint8Array[] = [];
  const cost = new JsonCost();
  try {
    for await (const piece of body) {
      pieces.push(piece);
      cost.add(piece);
      if (cost.bytes > maxBytes) throw tooLarge();
    }
    return Buffer.concat(pieces).toString('utf8');
  } finally {
    for (const piece of pieces) buffers.give(piece);
  }
}

/** The lines that are not empty. */
export async function* linesOf(
  body: AsyncIterable<Uint8Array>,
  { buffers, maxBytes, tooLarge }: TextOptions,
): AsyncGenerator<string, undefined> {
  const cost = new JsonCost();
  const admit = (part: Uint8Array): undefined => {
    cost.add(part);
    if (cost.bytes > maxBytes) throw tooLarge();
  };
  for await (const line of bytesOfLines(body, buffers, admit)) {
    cost.clear();
    const text = line.toString('utf8');
    if (text.trim() !== '') yield text;
  }
}

/**
 * Each line as bytes, without its end, empty ones included.
 * @param admit gets each part of a line as it arrives, and throws when the line has become too large. What it returns is waited for
 */
export async function* bytesOfLines(
  body: AsyncIterable<Uint8Array>,
  buffers: Buffers,
  admit: (part: Uint8Array) => Promise<void> | undefined,
): AsyncGenerator<Buffer, undefined> {
  const pieces: Uint8Array[] = [];
  for await (const block of body) {
    // Buffers are searched several times faster than arrays.
    const piece = viewOf(block);
    try {
      let from = 0;
      for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, from)) {
        const part = piece.subarray(from, end);
        const admitted = admit(part);
        // A wait for nothing would cost more than most lines.
        if (admitted !== undefined) await admitted;
        from = end + 1;
        // Most lines lie inside one piece and need no copy.
        yield pieces.length === 0 ? part : Buffer.concat([...pieces, part]);
        pieces.length = 0;
      }
      if (from < piece.byteLength) {
        await admit(piece.subarray(from));
        pieces.push(Uint8Array.from(piece.subarray(from)));
      }
    } finally {
      buffers.give(block);
    }
  }
  if (pieces.length > 0) yield Buffer.concat(pieces);
}

function viewOf(part: Uint8Array): Buffer {
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
}
