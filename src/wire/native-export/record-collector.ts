// Collects the records of VictoriaMetrics' native export while it arrives: the time range, then for each block of samples the labels of its series
// and the block, each behind its length.

import { WireError } from '../errors.ts';

/** The time range, two integers of 64 bits. A block may have samples outside it. */
const HEADER_BYTES = 16;
const LENGTH_BYTES = 4;
/** VictoriaMetrics' own import accepts this many bytes for either part of a record. */
const MAX_PART_BYTES = 1024 * 1024;
const MIN_TEXT_BYTES = 8;
const MAX_TEXT_BYTES = 500;

/** Bytes of one record in `bytes`: labels, then block. */
export interface RecordPlace {
  readonly labelsStart: number;
  readonly labelsEnd: number;
  readonly blockStart: number;
  readonly blockEnd: number;
}

export class RecordCollector {
  readonly #maxRecordBytes: number;
  #bytes: Uint8Array;
  #used = 0;
  #next = 0;
  #hasHeader = false;

  /** @param firstBytes the size of the memory at the start. @param maxRecordBytes a larger record is a WireError */
  constructor(firstBytes: number, maxRecordBytes: number) {
    this.#bytes = new Uint8Array(firstBytes);
    this.#maxRecordBytes = maxRecordBytes;
  }

  /** The collected bytes. Records are places in it until the next `push`. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The bytes of all records that `take` has not returned, and of the incomplete one. */
  get waitingBytes(): number {
    return this.#used - this.#next;
  }

  push(piece: Uint8Array): void {
    this.#bytes.copyWithin(0, this.#next, this.#used);
    this.#used -= this.#next;
    this.#next = 0;
    const needed = this.#used + piece.length;
    if (needed > this.#bytes.length) {
      const bytes = new Uint8Array(Math.max(needed, Math.ceil(this.#bytes.length * 1.5)));
      bytes.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = bytes;
    }
    this.#bytes.set(piece, this.#used);
    this.#used += piece.length;
  }

  /** @returns the next complete record; undefined until one is complete. @throws WireError if a length is not possible */
  take(): RecordPlace | undefined {
    if (!this.#hasHeader) {
      if (this.waitingBytes < HEADER_BYTES) return undefined;
      this.#hasHeader = true;
      this.#next += HEADER_BYTES;
    }
    const labelsEnd = this.#partEnd(this.#next);
    if (labelsEnd === undefined) return undefined;
    const blockEnd = this.#partEnd(labelsEnd);
    if (blockEnd === undefined) return undefined;
    const labelsStart = this.#next + LENGTH_BYTES;
    this.#next = blockEnd;
    return { labelsStart, labelsEnd, blockStart: labelsEnd + LENGTH_BYTES, blockEnd };
  }

  /** @throws WireError if the bytes end inside a record */
  end(): void {
    if (this.#hasHeader && this.waitingBytes === 0) return;
    throw this.#errorText() ?? new WireError('truncated', 'an export ends in the middle of a record');
  }

  /** @returns where the part that begins at `at` ends; undefined if it has not arrived */
  #partEnd(at: number): number | undefined {
    if (this.#used - at < LENGTH_BYTES) return undefined;
    const bytes = this.#bytes;
    const length =
      (bytes[at] as number) * 2 ** 24 +
      (((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
    if (length > MAX_PART_BYTES)
      throw this.#errorText() ?? new WireError('corrupt', `an export has a record of ${length} bytes`);
    const end = at + LENGTH_BYTES + length;
    if (end - this.#next > this.#maxRecordBytes)
      throw new WireError('too-large', `an export has a record of ${end - this.#next} bytes`);
    return end <= this.#used ? end : undefined;
  }

  /** VictoriaMetrics writes the text of an error behind what it has exported, and closes the connection. */
  #errorText(): WireError | undefined {
    const bytes = this.#bytes.subarray(this.#next, Math.min(this.#used, this.#next + MAX_TEXT_BYTES));
    if (bytes.length < MIN_TEXT_BYTES || bytes.some((byte) => byte < 0x20 && byte !== 0x0a)) return undefined;
    return new WireError('server-error-text', Buffer.from(bytes).toString('utf8').replace(/\s+/g, ' ').trim());
  }
}
