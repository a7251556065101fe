// Reads the signed integers of VictoriaMetrics' encodings: zigzag varints of 64 bits, as two halves, because a JavaScript number holds 53.

import { WireError } from '../errors.ts';

const MAX_BYTES = 10;
const MAX_LAST_BYTE = 1;
const TWO_32 = 2 ** 32;

/** An integer of 64 bits in two halves. */
export interface Int64 {
  /** Signed. */
  readonly high: number;
  /** As a signed integer of 32 bits. */
  readonly low: number;
}

export class Int64Reader implements Int64 {
  bytes: Uint8Array;
  position: number;
  end: number;
  /** Of the integer that was read last. */
  high = 0;
  low = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Reads an unsigned integer. @throws WireError if the bytes end before it, or if it has more than 64 bits */
  nextUnsigned(): void {
    let low = 0;
    let high = 0;
    for (let count = 0; ; count++) {
      if (this.position >= this.end) throw new WireError('truncated', 'an integer is cut off');
      const byte = this.bytes[this.position++] as number;
      const bits = byte & 0x7f;
      if (count < 4) low |= bits << (7 * count);
      else if (count === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * count - 32);
      if (byte < 0x80) {
        if (count === MAX_BYTES - 1 && byte > MAX_LAST_BYTE) throw tooLong();
        break;
      }
      if (count === MAX_BYTES - 1) throw tooLong();
    }
    this.low = low;
    this.high = high;
  }

  /** Reads a signed integer. @throws like `nextUnsigned` */
  next(): void {
    this.nextUnsigned();
    const { low, high } = this;
    const sign = -(low & 1);
    this.low = ((low >>> 1) | (high << 31)) ^ sign;
    this.high = (high >>> 1) ^ sign;
  }
}

/** The nearest number; exact within ±2^53. */
export function numberOf({ high, low }: Int64): number {
  return high * TWO_32 + (low >>> 0);
}

export function tooLong(): WireError {
  return new WireError('corrupt', 'an integer has more than 64 bits');
}
