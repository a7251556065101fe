// Two short forms of a series' identity: a hash of the label bytes, and the label bytes as a Map key.

/** A hash of the bytes, 0 … 2^53 − 1, with all bits well distributed: it assigns a series to a lane. Not secret, and not an identity. */
export function hashLabels(labels: Uint8Array): number {
  const hash = hashAsciiLabels(labels);
  return hash < 0 ? -1 - hash : hash;
}

/** Like `hashLabels`, but returns −1 − hash if a byte is above 0x7f: then a text may not be UTF-8, or a label is long. */
export function hashAsciiLabels(labels: Uint8Array): number {
  const length = labels.length;
  let a = 0x3c6ef372 ^ length;
  let b = 0x1f83d9ab;
  let bits = 0;
  let at = 0;
  for (const last = length - 4; at <= last; at += 4) {
    const word =
      (labels[at] as number) |
      ((labels[at + 1] as number) << 8) |
      ((labels[at + 2] as number) << 16) |
      ((labels[at + 3] as number) << 24);
    bits |= word;
    a = Math.imul(a ^ word, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b ^ word, 0x85ebca77);
    b ^= b >>> 13;
  }
  for (; at < length; at++) {
    bits |= labels[at] as number;
    a = Math.imul(a ^ (labels[at] as number), 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b ^ (labels[at] as number), 0x85ebca77);
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (b >>> 16), 0xc2b2ae3d);
  a ^= a >>> 16;
  b = Math.imul(b ^ a, 0x27d4eb2f);
  b ^= b >>> 15;
  a = Math.imul(a ^ b, 0x165667b1);
  a ^= a >>> 14;
  const hash = (b & 0x1fffff) * 0x100000000 + (a >>> 0);
  return (bits & 0x8080_8080) === 0 ? hash : -1 - hash;
}

/** The bytes as a string, one character per byte: the identity of a series as the key of a Map. It shares no memory with the bytes. */
export function labelKey(labels: Uint8Array): string {
  return Buffer.from(labels.buffer, labels.byteOffset, labels.byteLength).toString('latin1');
}
