// Damages bodies in ways that a reader can detect. Undetectable damage is excluded on purpose: a bit of a value inside a snappy block or a
// digit in JSON has no checksum, and a stream that ends between two frames looks complete. Pure.

import snappy from 'snappyjs';
import { decodeMessage } from '../../test/wire/support/oracle.ts';
import { drawFor } from '../random.ts';
import { type BodyFormat, splitFrames } from './http-message.ts';

const ATTEMPTS = 64;

/** The body with one flipped bit, or undefined when the format has no bit whose change is detectable. `part` selects the bit. */
export function flipBit(body: Buffer, format: Exclude<BodyFormat, 'other'>, part: number): Buffer | undefined {
  if (body.length === 0) return undefined;
  const draw = drawFor('bit', part);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const damaged = Buffer.from(body);
    const at = draw.integer(0, body.length - 1);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << draw.integer(0, 7));
    // A frame's checksum detects every bit flip. The length before it has no checksum, but changes the position of the checksum.
    if (format === 'frames' || !canBeRead(damaged, format)) return damaged;
  }
  return undefined;
}

/** The start of the body, cut in a detectable way; undefined when every cut would look complete. */
export function truncate(body: Buffer, format: BodyFormat, part: number): Buffer | undefined {
  const pieces = format === 'frames' ? splitFrames(body) : [body];
  const index = Math.floor(part * pieces.length);
  const piece = pieces[index];
  if (format === 'other' || piece === undefined || piece.length < 2) return undefined;
  const inside = 1 + Math.floor(((part * pieces.length) % 1) * (piece.length - 1));
  const cut = Buffer.concat([...pieces.slice(0, index), piece.subarray(0, Math.min(inside, piece.length - 1))]);
  // VictoriaMetrics exports one JSON text per line: a cut at the end of a line is not detectable.
  return format !== 'frames' && canBeRead(cut, format) ? undefined : cut;
}

/** Whether an independent reader accepts it as complete. */
function canBeRead(body: Buffer, format: 'snappy' | 'json'): boolean {
  try {
    if (format === 'json') {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
      for (const line of text.split('\n')) if (line.trim() !== '') JSON.parse(line);
      return true;
    }
    decodeMessage('ReadResponse', new Uint8Array(snappy.uncompress(body)));
    return true;
  } catch {
    return false;
  }
}
