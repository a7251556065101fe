// Estimates how much memory a JSON text takes when it is parsed. It counts as the bytes arrive, so that a text that is too large is
// abandoned before it is parsed. An array of empty objects takes twenty times the bytes of its text.

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;

/** The bytes, the text made from them, and the strings inside the text. */
const PER_BYTE = 4;
/** Upper bounds for the memory that V8 and query-response.ts allocate. A key that no object had before costs a hidden class. */
const PER_STRING = 32;
const PER_KEY = 200;
const PER_ELEMENT = 24;
const PER_ARRAY = 96;
const PER_OBJECT = 128;

export class JsonCost {
  /** An upper bound of the memory, in bytes, for all parts that were added. */
  bytes = 0;
  #inString = false;
  #escaped = false;

  /** Starts with another text. */
  clear(): void {
    this.bytes = 0;
    this.#inString = false;
    this.#escaped = false;
  }

  /** Adds the next part of the text. It may be cut anywhere. */
  add(part: Uint8Array): void {
    let cost = PER_BYTE * part.length;
    for (let at = 0; at < part.length; at++) {
      const byte = part[at] as number;
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
      } else if (byte === QUOTE) {
        this.#inString = true;
        cost += PER_STRING;
      } else if (byte === COMMA) cost += PER_ELEMENT;
      else if (byte === COLON) cost += PER_KEY;
      else if (byte === OPEN_ARRAY) cost += PER_ARRAY;
      else if (byte === OPEN_OBJECT) cost += PER_OBJECT;
    }
    this.bytes += cost;
  }
}
