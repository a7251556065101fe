// Takes the series out of a PromQL range response one by one while it arrives, so that not all of it has to be parsed at once. Pure.

import { JsonCost } from './json-cost.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Each series in `{"status":…,"data":{"resultType":…,"result":[{…},…]}}` is inside three brackets. */
const RESULT_DEPTH = 3;
const MAX_DEPTH = 64;

/** One series, or what is around all of them, takes more memory than allowed. */
export class ElementTooLarge extends Error {
  override readonly name = 'ElementTooLarge';
}

export class ResultElements {
  readonly #maxBytes: number;
  readonly #open: number[] = [];
  #inString = false;
  #escaped = false;
  #element: Uint8Array[] | undefined;
  readonly #cost = new JsonCost();
  /** Of the largest element that has ended in the last part. */
  #endedBytes = 0;
  /** The response without its series. */
  readonly #rest: Uint8Array[] = [];
  #restBytes = 0;

  /** @param maxBytes the memory that one series may take while it is parsed */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Adds the next part of the response. It may be cut anywhere.
   * @returns the texts of the series that end in it
   * @throws ElementTooLarge; SyntaxError when brackets do not match
   */
  push(part: Uint8Array): string[] {
    const found: string[] = [];
    this.#endedBytes = 0;
    let from = 0;
    for (let at = 0; at < part.length; at++) {
      const byte = part[at] as number;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
        if (byte === OPEN_OBJECT && this.#isResult()) {
          this.#keepRest(part.subarray(from, at));
          from = at;
          this.#element = [];
        }
        if (this.#open.push(byte) > MAX_DEPTH) throw new SyntaxError('too many open brackets');
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        if (this.#open.pop() !== byte - 2) throw new SyntaxError('brackets that do not match');
        if (this.#element !== undefined && this.#open.length === RESULT_DEPTH) {
          this.#keep(part.subarray(from, at + 1), this.#element);
          found.push(Buffer.concat(this.#element).toString('utf8'));
          this.#element = undefined;
          this.#endedBytes = Math.max(this.#endedBytes, this.#cost.bytes);
          this.#cost.clear();
          from = at + 1;
        }
      } else if (byte === COMMA && this.#isResult()) {
        this.#keepRest(part.subarray(from, at));
        from = at + 1;
      }
    }
    if (this.#element !== undefined) this.#keep(part.subarray(from), this.#element);
    else this.#keepRest(part.subarray(from));
    return found;
  }

  /** An upper bound of the memory that is needed now: for the elements of the last part one after the other, the one that continues, and the rest. */
  get bytes(): number {
    return this.#endedBytes + this.#cost.bytes + this.#restBytes;
  }

  /** Everything except the series. Call it after the last part. */
  end(): string {
    return Buffer.concat(this.#rest).toString('utf8');
  }

  #isResult(): boolean {
    const [root, data, result] = this.#open;
    return this.#open.length === RESULT_DEPTH && root === OPEN_OBJECT && data === OPEN_OBJECT && result === OPEN_ARRAY;
  }

  #keep(bytes: Uint8Array, to: Uint8Array[]): void {
    this.#cost.add(bytes);
    if (this.#cost.bytes > this.#maxBytes) throw new ElementTooLarge();
    to.push(Uint8Array.from(bytes));
  }

  #keepRest(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#restBytes += bytes.length;
    if (this.#restBytes > this.#maxBytes) throw new ElementTooLarge();
    this.#rest.push(Uint8Array.from(bytes));
  }
}
