// A reader of protobuf fields over bytes, without an object per field. Small messages go through messages.ts instead.

import { WireError } from './errors.ts';

export const VARINT = 0;
const FIXED64 = 1;
export const DELIMITED = 2;
const FIXED32 = 5;

/**
 * Walks the fields of one message. After `nextField()` the caller reads the value with the method that fits `wireType`, or calls `skip()`.
 * Every method throws WireError: 'truncated' if a value passes the end of the message, 'corrupt' if the bytes cannot be protobuf. Groups
 * (wire types 3 and 4) count as corrupt: Prometheus' schemas have none.
 */
export class ProtoReader {
  bytes: Uint8Array;
  position: number;
  end: number;
  /** Number and wire type of the field that `nextField()` found, and the position of its tag. */
  field = 0;
  wireType = 0;
  tagStart = 0;
  /** The position of the last `delimited()` value in `bytes`. */
  valueStart = 0;
  valueEnd = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Sets the message to read. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  /** Reads the next field's tag; false at the end of the message. */
  nextField(): boolean {
    if (this.position >= this.end) return false;
    this.tagStart = this.position;
    const tag = this.uvarint();
    if (tag > 0xffffffff || tag < 8) throw new WireError('corrupt', `invalid protobuf tag ${tag}`);
    this.field = tag >>> 3;
    this.wireType = tag & 7;
    return true;
  }

  /** Reads an unsigned varint. Exact up to 2^53, rounded above. */
  uvarint(): number {
    const position = this.position;
    if (position < this.end) {
      const first = this.bytes[position] as number;
      if (first < 0x80) {
        this.position = position + 1;
        return first;
      }
      const second = position + 1 < this.end ? (this.bytes[position + 1] as number) : 0x80;
      if (second < 0x80) {
        this.position = position + 2;
        return (first & 0x7f) | (second << 7);
      }
    }
    return this.#longVarint(false);
  }

  /** Reads an int64. Exact within ±2^53, rounded outside. */
  int64(): number {
    this.expect(VARINT);
    return this.#longVarint(true);
  }

  /** Enters a length-delimited value: sets `valueStart` and `valueEnd` and moves past it. */
  delimited(): void {
    this.expect(DELIMITED);
    const length = this.uvarint();
    const start = this.position;
    if (length > this.end - start) {
      throw new WireError('truncated', `a value of ${length} bytes in a message with ${this.end - start} bytes left`);
    }
    this.valueStart = start;
    this.valueEnd = start + length;
    this.position = this.valueEnd;
  }

  /** Moves past a fixed64 and returns the position of its eight bytes. */
  fixed64(): number {
    this.expect(FIXED64);
    return this.#skipBytes(8);
  }

  /** Moves past the value of an unknown field. */
  skip(): void {
    switch (this.wireType) {
      case VARINT:
        this.#longVarint(true);
        return;
      case FIXED64:
        this.#skipBytes(8);
        return;
      case DELIMITED:
        this.delimited();
        return;
      case FIXED32:
        this.#skipBytes(4);
        return;
      default:
        throw new WireError('corrupt', `invalid protobuf wire type ${this.wireType}`);
    }
  }

  /** Throws 'corrupt' unless the current field has this wire type. */
  expect(wireType: number): void {
    if (this.wireType === wireType) return;
    throw new WireError(
      'corrupt',
      `protobuf field ${this.field} has wire type ${this.wireType} instead of ${wireType}`,
    );
  }

  #skipBytes(count: number): number {
    const start = this.position;
    if (this.end - start < count) {
      throw new WireError('truncated', `a value of ${count} bytes in a message with ${this.end - start} bytes left`);
    }
    this.position = start + count;
    return start;
  }

  #longVarint(signed: boolean): number {
    const { bytes, end } = this;
    let at = this.position;
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let index = 0; ; index++) {
      if (at >= end) throw new WireError('truncated', 'the message ends inside a varint');
      if (index === 10) throw new WireError('corrupt', 'a varint of more than 10 bytes');
      const byte = bytes[at++] as number;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index < 8) middle |= bits << (7 * (index - 4));
      else high |= bits << (7 * (index - 8));
      if (byte < 0x80) break;
    }
    this.position = at;
    if (high === 0) return middle * 0x10000000 + low;
    const lowHalf = (low | (middle << 28)) >>> 0;
    const highHalf = (middle >>> 4) | (high << 24);
    return (signed ? highHalf : highHalf >>> 0) * 0x100000000 + lowHalf;
  }
}

/**
 * A varint of six bytes, as every time from 1971 to 2109 takes in milliseconds.
 * @returns −1 if there is another one at `at`. The caller has checked that there are six bytes
 */
export function timestampAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  const second = bytes[at + 1] as number;
  const third = bytes[at + 2] as number;
  const fourth = bytes[at + 3] as number;
  const fifth = bytes[at + 4] as number;
  const sixth = bytes[at + 5] as number;
  if ((first & second & third & fourth & fifth) < 0x80 || sixth >= 0x80) return -1;
  const low = (first & 0x7f) | ((second & 0x7f) << 7) | ((third & 0x7f) << 14) | ((fourth & 0x7f) << 21);
  return ((fifth & 0x7f) | (sixth << 7)) * 0x10000000 + low;
}

/** The number of bytes that `value` (0 … 2^53) takes as an unsigned varint. */
export function uvarintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Writes `value` (0 … 2^53) as an unsigned varint at `at` and returns the position after it. The caller has reserved the space. */
export function writeUvarint(out: Uint8Array, at: number, value: number): number {
  let rest = value;
  let position = at;
  while (rest >= 0x80) {
    out[position++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[position++] = rest;
  return position;
}
