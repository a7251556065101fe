// A response as the bytes on the connection, in pieces, which the proxies cut, delay and change. Pure.

/** A complete response of a server. */
export interface Message {
  readonly status: number;
  /** Names and values in turn, like Node's `rawHeaders`. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** Headers of the connection and of the body length: the proxy sets these itself. */
const OWN_HEADERS = /^(?:connection|keep-alive|transfer-encoding|content-length|proxy-connection|trailer|upgrade)$/i;

export function forwardedHeaders(rawHeaders: readonly string[]): [name: string, value: string][] {
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = [rawHeaders[i], rawHeaders[i + 1]];
    if (!OWN_HEADERS.test(name)) headers.push([name, value]);
  }
  return headers;
}

export function headerOf(rawHeaders: readonly string[], wanted: string): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === wanted) return rawHeaders[i + 1];
  }
  return undefined;
}

export function withoutBody(status: number): boolean {
  return status === 204 || status === 304;
}

export type BodyFormat = 'frames' | 'snappy' | 'json' | 'other';

export function formatOf({ rawHeaders }: Pick<Message, 'rawHeaders'>): BodyFormat {
  const type = headerOf(rawHeaders, 'content-type') ?? '';
  if (/x-streamed-protobuf/i.test(type)) return 'frames';
  if (/json/i.test(type)) return 'json';
  return /protobuf/i.test(type) ? 'snappy' : 'other';
}

/** The frames of a streamed remote_read response, each with its length and its checksum. An incomplete frame is the last piece. */
export function splitFrames(body: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let at = 0;
  while (at < body.length) {
    let payload = 0;
    let next = at;
    for (let shift = 0; next < body.length; shift += 7) {
      const byte = body[next++] ?? 0;
      payload += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    const end = Math.min(next + 4 + payload, body.length);
    frames.push(body.subarray(at, end));
    at = end;
  }
  return frames;
}

/** The head, the pieces of the body and the end of the message. A boundary between two pieces is also one between two HTTP chunks. */
export interface Wire {
  readonly head: Buffer;
  readonly pieces: readonly Buffer[];
  readonly end: Buffer;
}

/** The bytes of a message that ends its connection. Streamed responses are chunked, others have a length. */
export function toWire(message: Message): Wire {
  const { status, rawHeaders, body } = message;
  const lines = [`HTTP/1.1 ${status} ${status < 300 ? 'OK' : 'Proxy'}`];
  for (const [name, value] of forwardedHeaders(rawHeaders)) lines.push(`${name}: ${value}`);
  lines.push('connection: close');
  const head = (...more: string[]) => Buffer.from([...lines, ...more, '', ''].join('\r\n'), 'latin1');
  if (withoutBody(status)) return { head: head(), pieces: [], end: Buffer.alloc(0) };
  const format = formatOf(message);
  if (format === 'snappy' || format === 'other')
    return { head: head(`content-length: ${body.length}`), pieces: [body], end: Buffer.alloc(0) };
  const parts = format === 'frames' ? splitFrames(body) : halves(body);
  return { head: head('transfer-encoding: chunked'), pieces: parts.map(chunk), end: Buffer.from('0\r\n\r\n') };
}

/** Two chunks, if there are enough bytes. */
function halves(body: Buffer): Buffer[] {
  const middle = body.length >> 1;
  return [body.subarray(0, middle), body.subarray(middle)].filter((part) => part.length > 0);
}

function chunk(data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]);
}

/**
 * The bytes up to a cut, `part` of the way: inside the head, inside the body (never at a frame boundary), or at a boundary of two pieces.
 * Undefined when the message has no such place.
 */
export function cutWire(wire: Wire, at: 'head' | 'middle' | 'border', part: number): Buffer | undefined {
  if (at === 'head') return wire.head.subarray(0, 1 + Math.floor(part * (wire.head.length - 2)));
  if (wire.pieces.length === 0 || wire.pieces.every((piece) => piece.length < 2)) return undefined;
  if (at === 'border') {
    // The boundaries before the first and after the last piece count too: the end of the message is still missing.
    const least = wire.end.length === 0 ? wire.pieces.length - 1 : wire.pieces.length;
    return Buffer.concat([wire.head, ...wire.pieces.slice(0, Math.floor(part * (least + 1)))]);
  }
  const index = Math.floor(part * wire.pieces.length);
  const piece = wire.pieces[index];
  if (piece === undefined || piece.length < 2) return undefined;
  const inside = 1 + Math.floor(((part * wire.pieces.length) % 1) * (piece.length - 1));
  return Buffer.concat([
    wire.head,
    ...wire.pieces.slice(0, index),
    piece.subarray(0, Math.min(inside, piece.length - 1)),
  ]);
}
