// Labels as text for logs and errors. Whatever the bytes are, the text is short and harmless.

import { WireError } from './errors.ts';
import { labelSpan } from './label-spans.ts';
import { ProtoReader } from './proto-reader.ts';

const MAX_FORMATTED_BYTES = 1024;

/**
 * The labels as PromQL writes them, `{__name__="x", a="b"}`, for logs: at most 1 KiB of UTF-8, control characters escaped, invalid UTF-8
 * replaced. Never throws: labels that cannot be read are omitted.
 */
export function formatLabels(labels: Uint8Array): string {
  let text = '{';
  let broken = false;
  let whole = 0;
  const reader = new ProtoReader(labels);
  try {
    while (text.length <= MAX_FORMATTED_BYTES && reader.nextField()) {
      if (reader.field !== 1) {
        reader.skip();
        continue;
      }
      reader.delimited();
      const span = labelSpan(labels, reader.valueStart, reader.valueEnd);
      const name = formatName(readableText(labels, span.nameStart, span.nameEnd));
      text += `${text === '{' ? '' : ', '}${name}=${quote(readableText(labels, span.valueStart, span.valueEnd))}`;
      whole = reader.position;
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    broken = true;
  }
  if (!broken && whole === labels.length && Buffer.byteLength(text) < MAX_FORMATTED_BYTES) return `${text}}`;
  const cut = Buffer.from(text, 'utf8').subarray(0, MAX_FORMATTED_BYTES - 8);
  // Decoding as a stream omits a character that the cut splits.
  return `${new TextDecoder().decode(cut, { stream: true })}…}`;
}

const LENIENT_UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

export function readableText(bytes: Uint8Array, start: number, end: number): string {
  return LENIENT_UTF8.decode(bytes.subarray(start, Math.min(end, start + MAX_FORMATTED_BYTES)));
}

export function formatName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) ? name : quote(name);
}

function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
