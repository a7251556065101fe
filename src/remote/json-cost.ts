// How much memory a JSON text takes when it is parsed, from the text alone: counted as its bytes arrive, so that what would be too much is given up
// before it is parsed. An array of empty objects takes twenty times the bytes of its text.

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;

/** The bytes, the text made of them, and the strings inside it. */
const PER_BYTE = 4;
/** Upper bounds of what V8 allocates, and of what query-response.ts makes of it. A key that no object had before costs a hidden class. */
const PER_STRING = 32;
const PER_KEY = 200;
const PER_ELEMENT = 24;
const PER_ARRAY = 96;
const PER_OBJECT = 128;

export class JsonCost {
  /** Bytes of memory, at most, for what was added. */
  bytes = 0;
  #inString = false;
  #escaped = false;

  /** Begins with another text. */
  clear(): void {
    this.bytes = 0;
    this.#inString = false;
    this.#escaped = false;
  }

  /** Adds the next part of the text, wherever it is cut. */
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
