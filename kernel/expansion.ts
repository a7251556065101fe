// The elements of a snappy block, expanded: the compressed bytes are in OUTPUT, their content is written to INPUT, because it is larger.
// src/wire/snappy/snappy.ts takes every element that is left here.

import { INPUT, OUTPUT, RESULT } from './layout';

const WORD_BYTES: u32 = 16;
/** Up to this length, literals are copied in words, and everything is. Up to 15 more bytes are written. */
const LONG: u32 = 64;
const LONGEST_SHORT_LITERAL: u32 = 60;

function copyWords(to: usize, from: usize, length: u32): void {
  for (let i: u32 = 0; i < length; i += WORD_BYTES) v128.store(to + i, v128.load(from + i));
}

/** An overlapping copy repeats the bytes that it has just written. */
function copyBytes(to: usize, from: usize, length: u32): void {
  for (let i: u32 = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
}

/**
 * Expands the whole elements in the first `bytes` of OUTPUT. `before` bytes of content are in INPUT, which copies may repeat; up to `most` bytes
 * follow them. RESULT[0]: how many bytes of OUTPUT these elements take. An element follows that is incomplete, wrong, repeats what is not in
 * INPUT, or is longer than the room for it.
 * @returns how many bytes of content were added
 */
export function expandElements(bytes: u32, before: u32, most: u32): u32 {
  const to = OUTPUT + bytes;
  const start = INPUT + before;
  const end = start + most;
  let at = OUTPUT;
  let written = start;
  while (at < to) {
    const tag = <u32>load<u8>(at);
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      let from = at + 1;
      if (length > LONGEST_SHORT_LITERAL) {
        const lengthBytes = length - LONGEST_SHORT_LITERAL;
        from += lengthBytes;
        if (from > to) break;
        const value = load<u32>(at, 1) & (0xffff_ffff >>> (32 - 8 * lengthBytes));
        if (value >= bytes) break;
        length = value + 1;
      }
      if (from + length > to || written + length > end) break;
      if (length > LONG) memory.copy(written, from, length);
      else copyWords(written, from, length);
      at = from + length;
      written += length;
      continue;
    }
    let distance: u32;
    let next: usize;
    if (kind === 2) {
      distance = <u32>load<u16>(at, 1);
      next = at + 3;
    } else if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | <u32>load<u8>(at, 1);
      next = at + 2;
    } else {
      distance = load<u32>(at, 1);
      next = at + 5;
    }
    if (next > to || distance === 0 || distance > <u32>(written - INPUT) || written + length > end) break;
    if (distance >= WORD_BYTES) copyWords(written, written - distance, length);
    else copyBytes(written, written - distance, length);
    at = next;
    written += length;
  }
  store<u32>(RESULT, <u32>(at - OUTPUT));
  return <u32>(written - start);
}
