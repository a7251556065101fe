// A server's plain text where a frame should begin. When a read fails half way, Prometheus has already sent its 200, so it appends the
// error text.

import { WireError } from '../errors.ts';

/** How much of an error text goes into the message. */
const MAX_TEXT_BYTES = 1024;
/** Fewer printable bytes than this may be the head of a frame. */
const MIN_TEXT_BYTES = 8;

/** The bytes after the last readable frame, while they may still be text. */
export class ErrorText {
  /** The error to throw if the bytes are not text. */
  readonly #error: WireError;
  readonly #text = new Uint8Array(MAX_TEXT_BYTES);
  #length = 0;

  constructor(error: WireError) {
    this.#error = error;
  }

  /** Throws the error as soon as the bytes are not text, or are enough text. */
  add(bytes: Uint8Array): void {
    const part = bytes.subarray(0, MAX_TEXT_BYTES - this.#length);
    this.#text.set(part, this.#length);
    this.#length += part.length;
    if (this.#length === MAX_TEXT_BYTES || !isText(this.#text.subarray(0, this.#length))) throw this.verdict();
  }

  verdict(): WireError {
    const bytes = this.#text.subarray(0, this.#length);
    if (this.#length < MIN_TEXT_BYTES || !isText(bytes)) return this.#error;
    const text = new TextDecoder().decode(bytes, { stream: true }).replace(/[\s\p{C}]+/gu, ' ');
    return new WireError('server-error-text', text.trim(), { cause: this.#error });
  }
}

/** Whether these bytes are UTF-8 without control characters other than white space. The last character may be incomplete. */
function isText(bytes: Uint8Array): boolean {
  for (const byte of bytes) {
    if (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return false;
    if (byte === 0x7f) return false;
  }
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
