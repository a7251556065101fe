// Labels are bytes on the wire and text in the tests. Bytes that are not UTF-8 become lone surrogates (U+DC80 to U+DCFF, one per byte), so
// that invalid labels can be written, sent, stored and compared like any other.

import { isUtf8 } from 'node:buffer';

const surrogates = 0xdc00;

/** The text of a label's bytes; bytes that are not UTF-8 become lone surrogates. */
export function textOf(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes).toString();
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((size) => at + size <= bytes.length && isUtf8(bytes.subarray(at, at + size)));
    text +=
      length === undefined
        ? String.fromCharCode(surrogates + bytes[at]!)
        : Buffer.from(bytes.subarray(at, at + length)).toString();
    at += length ?? 1;
  }
  return text;
}

/** The inverse of `textOf`. */
export function bytesOf(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const pieces = [...text].map((character) => {
    const code = character.codePointAt(0)!;
    return code >= surrogates + 0x80 && code <= surrogates + 0xff
      ? Buffer.of(code - surrogates)
      : Buffer.from(character);
  });
  return Buffer.concat(pieces);
}
