// Varints of protobuf messages that are written.

/** @returns the address after the varint */
export function writeVarint(start: usize, value: u64): usize {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    store<u8>(at++, <u8>rest | 0x80);
    rest >>= 7;
  }
  store<u8>(at, <u8>rest);
  return at + 1;
}

/** The number of bytes that a value below 2^21 takes. */
function lengthBytes(length: u32): u32 {
  return length < 0x80 ? 1 : length < 0x4000 ? 2 : 3;
}

/**
 * Writes the length of the content [start + guess, end) in front of it, at `start`. Moves the content if the length does not take `guess`
 * bytes.
 * @returns the address after the content
 */
export function writeLength(start: usize, guess: u32, end: usize): usize {
  const length = <u32>(end - start) - guess;
  const bytes = lengthBytes(length);
  if (bytes !== guess) memory.copy(start + bytes, start + guess, length);
  writeVarint(start, length);
  return start + bytes + length;
}
