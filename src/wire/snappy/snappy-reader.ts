// Expands a snappy block that arrives in pieces. The kernel expands most of it (kernel/expansion.ts); what is incomplete, wrong or unusual is
// expanded here.

import { WireError } from '../errors.ts';
import { KERNEL, type Kernel } from '../kernel/kernel.ts';
import { expandElements } from '../kernel/samples-response.ts';

const MAX_DECLARED_BYTES = 2 ** 32 - 1;
const MAX_LENGTH_BYTES = 5;
/** The length, or an element's tag with four bytes of length or offset. */
const MAX_HEAD_BYTES = 5;
const WORD = 4;
/** Padding, so that whole words can be written at the end. */
const OVERHANG = WORD - 1;
/** From this length on a call of `set` is cheaper than a loop. */
const LONG = 64;

/** The number of bytes that a snappy block declares, and the size of that number. Undefined if the bytes end inside the number. */
export function readLength(bytes: Uint8Array, end: number): { length: number; size: number } | undefined {
  let length = 0;
  let scale = 1;
  for (let index = 0; index < MAX_LENGTH_BYTES; index++) {
    if (index >= end) return undefined;
    const byte = bytes[index] as number;
    length += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte < 0x80) {
      if (length > MAX_DECLARED_BYTES) break;
      return { length, size: index + 1 };
    }
  }
  throw new WireError('corrupt', 'a snappy block declares more than 2^32 - 1 bytes');
}

/**
 * Expands one snappy block that arrives in pieces and keeps none of the pieces. The caller provides the memory for the content, and may
 * have to wait for it: as soon as the length is known, `wantedBytes` is set, and `provide` must be called before the next `push`.
 */
export class SnappyReader {
  /** The number of bytes of memory that are needed now; 0 if none. */
  wantedBytes = 0;
  /** The content's length; undefined until the block has declared it. */
  declared: number | undefined;
  #content: Uint8Array = new Uint8Array(0);
  #output: DataView = new DataView(this.#content.buffer);
  #written = 0;
  /** The number of bytes of the current literal that have not arrived. */
  #literalLeft = 0;
  /** The beginning of the length, or of an element, if the pieces so far end inside it. */
  readonly #head = new Uint8Array(MAX_HEAD_BYTES);
  #headBytes = 0;
  #pending: Uint8Array = this.#content;
  readonly #kernel: Kernel | null;

  constructor(kernel = KERNEL) {
    this.#kernel = kernel;
  }

  /**
   * Takes the next piece of the block. Keeps nothing of it after the call, or after `provide` if memory is wanted. Throws WireError like
   * `decompress`.
   */
  push(piece: Uint8Array): void {
    if (this.declared === undefined) {
      const at = this.#readDeclared(piece);
      if (this.declared !== undefined) this.#pending = piece.subarray(at);
      return;
    }
    this.#expand(piece);
  }

  /** @param memory at least `wantedBytes`; its content does not matter */
  provide(memory: Uint8Array): void {
    this.#content = memory;
    this.#output = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.wantedBytes = 0;
    const pending = this.#pending;
    this.#pending = new Uint8Array(0);
    this.#expand(pending);
  }

  /** Ends the block. @returns its content, in the memory that was provided */
  end(): Uint8Array {
    if (this.declared === undefined) throw new WireError('truncated', 'a snappy block ends inside its length');
    if (this.#headBytes > 0 || this.#literalLeft > 0) {
      throw new WireError('truncated', 'a snappy block ends inside an element');
    }
    if (this.#written < this.declared) {
      throw new WireError(
        'truncated',
        `a snappy block holds ${this.#written} of the ${this.declared} bytes it declares`,
      );
    }
    return this.#content.subarray(0, this.declared);
  }

  #readDeclared(piece: Uint8Array): number {
    const before = this.#headBytes;
    const taken = Math.min(piece.length, MAX_LENGTH_BYTES - before);
    this.#head.set(piece.subarray(0, taken), before);
    const declared = readLength(this.#head, before + taken);
    if (declared === undefined) {
      this.#headBytes = before + taken;
      return piece.length;
    }
    this.#headBytes = 0;
    this.declared = declared.length;
    this.wantedBytes = declared.length + OVERHANG;
    return declared.size - before;
  }

  #expand(piece: Uint8Array): void {
    let at = 0;
    if (this.#headBytes > 0) {
      while (at < piece.length && this.#headBytes < headSize(this.#head[0] as number))
        this.#head[this.#headBytes++] = piece[at++] as number;
      if (this.#headBytes < headSize(this.#head[0] as number)) return;
      const head = this.#head.subarray(0, this.#headBytes);
      this.#headBytes = 0;
      this.#elements(head);
    }
    if (this.#literalLeft > 0) {
      const part = piece.subarray(at, at + this.#literalLeft);
      this.#content.set(part, this.#written);
      this.#written += part.length;
      this.#literalLeft -= part.length;
      at += part.length;
    }
    at = this.#expandInKernel(piece, at);
    if (at < piece.length) this.#elements(at === 0 ? piece : piece.subarray(at));
  }

  /** @returns where the first element begins that is left to JavaScript */
  #expandInKernel(piece: Uint8Array, start: number): number {
    const kernel = this.#kernel;
    if (kernel === null) return start;
    let at = start;
    for (let isTaken = true; isTaken && at < piece.length; ) {
      const { taken, added } = expandElements(kernel, piece, at, this.#content, this.#written, this.declared as number);
      at += taken;
      this.#written += added;
      isTaken = taken > 0;
    }
    return at;
  }

  /**
   * Writes out the elements. They must copy from content that is already there and must not produce more than declared. Records the missing
   * part of the last element.
   */
  #elements(bytes: Uint8Array): void {
    const input = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const output = this.#output;
    const content = this.#content;
    const declared = this.declared as number;
    const end = bytes.length;
    let written = this.#written;
    let at = 0;
    while (at < end) {
      const start = at;
      const tag = bytes[at++] as number;
      const kind = tag & 3;
      let length = (tag >>> 2) + 1;
      if (kind === 0) {
        if (length > 60) {
          const lengthBytes = length - 60;
          if (at + lengthBytes > end) {
            this.#keepHead(bytes, start);
            break;
          }
          length = littleEndian(bytes, at, lengthBytes) + 1;
          at += lengthBytes;
        }
        if (length > declared - written) throw moreThan(declared);
        const literalEnd = at + length;
        if (literalEnd > end) {
          content.set(bytes.subarray(at), written);
          written += end - at;
          this.#literalLeft = literalEnd - end;
          break;
        }
        if (length > LONG) {
          content.set(bytes.subarray(at, literalEnd), written);
          written += length;
          at = literalEnd;
        } else {
          const contentEnd = written + length;
          // Copy in words: bytes that are written past the end are overwritten by the next element.
          if (literalEnd + WORD <= end) {
            for (; at < literalEnd; at += WORD, written += WORD) output.setInt32(written, input.getInt32(at));
          } else {
            while (at < literalEnd) content[written++] = bytes[at++] as number;
          }
          at = literalEnd;
          written = contentEnd;
        }
        continue;
      }
      let offset: number;
      if (kind === 1) {
        if (at >= end) {
          this.#keepHead(bytes, start);
          break;
        }
        length = ((tag >>> 2) & 7) + 4;
        offset = ((tag >>> 5) << 8) | (bytes[at++] as number);
      } else {
        const offsetBytes = kind === 2 ? 2 : 4;
        if (at + offsetBytes > end) {
          this.#keepHead(bytes, start);
          break;
        }
        offset = littleEndian(bytes, at, offsetBytes);
        at += offsetBytes;
      }
      if (offset === 0 || offset > written) {
        throw new WireError('corrupt', `a snappy block copies from ${offset} bytes back after ${written} bytes`);
      }
      if (length > declared - written) throw moreThan(declared);
      let from = written - offset;
      const copyEnd = written + length;
      if (offset >= WORD) {
        for (; written < copyEnd; written += WORD, from += WORD) output.setInt32(written, output.getInt32(from));
        written = copyEnd;
      } else {
        // An overlapping copy repeats the bytes that it has just written.
        while (written < copyEnd) content[written++] = content[from++] as number;
      }
    }
    this.#written = written;
  }

  #keepHead(bytes: Uint8Array, start: number): void {
    this.#head.set(bytes.subarray(start));
    this.#headBytes = bytes.length - start;
  }
}

/** The size of an element's tag and of the length or offset bytes after it. */
function headSize(tag: number): number {
  const kind = tag & 3;
  if (kind === 0) return 1 + Math.max(0, (tag >>> 2) + 1 - 60);
  return kind === 1 ? 2 : kind === 2 ? 3 : 5;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 0x100 + (bytes[at + index] as number);
  return value;
}

function moreThan(declared: number): WireError {
  return new WireError('corrupt', `a snappy block holds more than the ${declared} bytes it declares`);
}
