// Chunks as fields of a series entry, and wrong ones.

/** A field 2 with a chunk without times: by hand, because this is called a million times. */
export function chunkField(encoding: number, data: Uint8Array): Uint8Array {
  const dataHead = data.length < 0x80 ? [0x22, data.length] : [0x22, (data.length & 0x7f) | 0x80, data.length >> 7];
  const length = 2 + dataHead.length + data.length;
  const head = length < 0x80 ? [0x12, length] : [0x12, (length & 0x7f) | 0x80, length >> 7];
  const entry = new Uint8Array(head.length + length);
  entry.set([...head, 0x18, encoding, ...dataHead]);
  entry.set(data, head.length + 2 + dataHead.length);
  return entry;
}

/** Flips bits, changes, removes or repeats bytes, or cuts off the end. */
export function mutate(chunk: Uint8Array, random: () => number): Uint8Array {
  const bytes = Uint8Array.from(chunk);
  const place = () => Math.floor(random() * bytes.length);
  const kind = random();
  if (kind < 0.3) bytes[place()]! ^= 1 << Math.floor(random() * 8);
  else if (kind < 0.5) for (let n = 0; n < 4; n++) bytes[place()] = Math.floor(random() * 256);
  else if (kind < 0.6) bytes.fill(random() < 0.5 ? 0xff : 0, place());
  else if (kind < 0.7) bytes[1]! += Math.floor(random() * 20) - 10;
  else if (kind < 0.75) bytes[0] = Math.floor(random() * 256);
  else if (kind < 0.9) return bytes.subarray(0, Math.max(2, place()));
  else bytes.copyWithin(place(), place());
  return bytes;
}
