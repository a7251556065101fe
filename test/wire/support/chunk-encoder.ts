// Encoders of XOR and XOR2 chunks for tests, written for clarity with BigInt and without code of the decoders in src/wire.
// chunk-vectors.json compares them with Prometheus' own chunks.

export type ChunkSample = { readonly timeMs: number; readonly bits: bigint };
export type StartedSample = ChunkSample & { readonly startMs?: number };

/** The stale marker's 64 bits. */
export const staleBits = 0x7ff0_0000_0000_0002n;

const mask64 = (1n << 64n) - 1n;

/** Writes bits, most significant first, and the integer forms of the chunk encodings. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #free = 0;

  write(value: bigint, size: number): void {
    for (let i = size - 1; i >= 0; i--) {
      if (this.#free === 0) {
        this.#bytes.push(0);
        this.#free = 8;
      }
      this.#free--;
      this.#bytes[this.#bytes.length - 1]! |= Number((value >> BigInt(i)) & 1n) << this.#free;
    }
  }

  uvarint(value: bigint): void {
    let rest = value & mask64;
    for (; rest >= 0x80n; rest >>= 7n) this.write((rest & 0x7fn) | 0x80n, 8);
    this.write(rest, 8);
  }

  varint(value: bigint): void {
    this.uvarint(value < 0n ? (-value << 1n) - 1n : value << 1n);
  }

  varbit(value: bigint): void {
    const step = [3, 6, 9, 12, 18, 25, 56].findIndex((size) => inXorRange(value, size));
    if (value === 0n) this.write(0n, 1);
    else if (step < 0) this.write((0xffn << 64n) | (value & mask64), 72);
    else {
      this.write((1n << BigInt(step + 2)) - 2n, step + 2);
      this.write(value, [3, 6, 9, 12, 18, 25, 56][step]!);
    }
  }

  varbitUint(value: bigint): void {
    const step = [3, 6, 9, 12, 18, 25, 56].findIndex((size) => value < 1n << BigInt(size));
    if (value === 0n) this.write(0n, 1);
    else if (step < 0) this.write((0xffn << 64n) | value, 72);
    else {
      this.write((1n << BigInt(step + 2)) - 2n, step + 2);
      this.write(value, [3, 6, 9, 12, 18, 25, 56][step]!);
    }
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** XOR and varbit integers: the upper end of a two's complement range is included, its lower end is not. */
function inXorRange(value: bigint, size: number): boolean {
  const half = 1n << BigInt(size - 1);
  return value > -half && value <= half;
}

function inTwosComplement(value: bigint, size: number): boolean {
  const half = 1n << BigInt(size - 1);
  return value >= -half && value < half;
}

type Window = { leading: number; trailing: number };

function windowOf(xor: bigint): Window {
  const text = xor.toString(2).padStart(64, '0');
  return { leading: Math.min(text.indexOf('1'), 31), trailing: 63 - text.lastIndexOf('1') };
}

function fits(inner: Window, outer: Window | undefined): outer is Window {
  return outer !== undefined && inner.leading >= outer.leading && inner.trailing >= outer.trailing;
}

/** Writes a changed value after the two given codes, and returns the window that applies from now on. */
function writeXor(
  writer: BitWriter,
  xor: bigint,
  window: Window | undefined,
  reuse: [bigint, number],
  renew: [bigint, number],
): Window {
  const own = windowOf(xor);
  const kept = fits(own, window) ? window : own;
  if (kept === window) writer.write(...reuse);
  else {
    writer.write(...renew);
    writer.write(BigInt(kept.leading), 5);
    writer.write(BigInt((64 - kept.leading - kept.trailing) % 64), 6);
  }
  writer.write(xor >> BigInt(kept.trailing), 64 - kept.leading - kept.trailing);
  return kept;
}

/** An XOR chunk (encoding 1) like that of Prometheus' `XORChunk`. Times in milliseconds, values as their 64 bits. */
export function encodeXorChunk(samples: readonly ChunkSample[]): Uint8Array {
  const writer = new BitWriter();
  writer.write(BigInt(samples.length), 16);
  let time = 0n;
  let delta = 0n;
  let value = 0n;
  let window: Window | undefined;
  for (const [i, { timeMs, bits }] of samples.entries()) {
    const newDelta = BigInt(timeMs) - time;
    time = BigInt(timeMs);
    if (i === 0) {
      writer.varint(time);
      writer.write(bits, 64);
      value = bits;
      continue;
    }
    const change = newDelta - delta;
    delta = newDelta;
    if (i === 1) writer.uvarint(newDelta);
    else if (change === 0n) writer.write(0n, 1);
    else if (inXorRange(change, 14)) writer.write((0b10n << 14n) | (change & 0x3fffn), 16);
    else if (inXorRange(change, 17)) writer.write((0b110n << 17n) | (change & 0x1ffffn), 20);
    else if (inXorRange(change, 20)) writer.write((0b1110n << 20n) | (change & 0xfffffn), 24);
    else {
      writer.write(0b1111n, 4);
      writer.write(change, 64);
    }
    if (bits === value) writer.write(0n, 1);
    else window = writeXor(writer, bits ^ value, window, [0b10n, 2], [0b11n, 2]);
    value = bits;
  }
  return writer.finish();
}

/** An XOR2 chunk (encoding 4), with start timestamps where `startMs` is given and not 0. At most 127 samples when it changes. */
export function encodeXor2Chunk(samples: readonly StartedSample[]): Uint8Array {
  const writer = new BitWriter();
  const starts = samples.map((sample) => BigInt(sample.startMs ?? 0));
  const changeOn = starts.findIndex((start, i) => i > 0 && start !== starts[i - 1]);
  writer.write(BigInt(samples.length), 16);
  writer.write(starts.length > 0 && starts[0] !== 0n ? 1n : 0n, 1);
  writer.write(BigInt(Math.max(changeOn, 0)), 7);
  let time = 0n;
  let delta = 0n;
  let value = 0n;
  let startDistance = 0n;
  let window: Window | undefined;
  for (const [i, { timeMs, bits }] of samples.entries()) {
    const previous = time;
    const newDelta = BigInt(timeMs) - time;
    time = BigInt(timeMs);
    const change = newDelta - delta;
    if (i > 0) delta = newDelta;
    const stale = bits === staleBits;
    if (i === 0) {
      writer.varint(time);
      writer.write(bits, 64);
      if (starts[0] !== 0n) writer.varint(time - starts[0]!);
    } else if (i > 1 && change === 0n) {
      if (stale) writer.write(0b11111n, 5);
      else if (bits === value) writer.write(0n, 1);
      else window = writeXor(writer, bits ^ value, window, [0b100n, 3], [0b101n, 3]);
    } else {
      if (i === 1) writer.uvarint(newDelta);
      else if (inTwosComplement(change, 13)) writer.write((0b110n << 13n) | (change & 0x1fffn), 16);
      else if (inTwosComplement(change, 20)) writer.write((0b1110n << 20n) | (change & 0xfffffn), 24);
      else {
        writer.write(0b11110n, 5);
        writer.write(change, 64);
      }
      if (stale) writer.write(0b111n, 3);
      else if (bits === value) writer.write(0n, 1);
      else window = writeXor(writer, bits ^ value, window, [0b10n, 2], [0b110n, 3]);
    }
    if (!stale) value = bits;
    if (i > 0 && changeOn > 0 && i >= changeOn) {
      const distance = previous - starts[i]!;
      writer.varbit(i === changeOn ? distance : distance - startDistance);
      startDistance = distance;
    }
  }
  return writer.finish();
}
