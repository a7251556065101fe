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
  const pieces: Uint8Array[] = [];
  const cost = new JsonCost();
  const add = (part: Uint8Array): void => {
    cost.add(part);
    if (cost.bytes > maxBytes) throw tooLarge();
    pieces.push(part);
  };
  const take = (): string => {
    const line = Buffer.concat(pieces).toString('utf8');
    pieces.length = 0;
    cost.clear();
    return line;
  };
  for await (const piece of body) {
    try {
      let from = 0;
      for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, from)) {
        add(piece.subarray(from, end));
        const line = take();
        from = end + 1;
        if (line.trim() !== '') yield line;
      }
      if (from < piece.byteLength) add(piece.slice(from));
    } finally {
      buffers.give(piece);
    }
  }
  const rest = take();
  if (rest.trim() !== '') yield rest;
}
