// protobufjs with the project's own schema: the reference for the byte-level readers and writers, and the encoder of server responses.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { crc32c } from '../../../src/wire/responses/crc32c.ts';

const root = protobuf.loadSync(fileURLToPath(new URL('../../../proto/remote.proto', import.meta.url)));

export type MessageName =
  | 'WriteRequest'
  | 'ReadRequest'
  | 'ReadResponse'
  | 'ChunkedReadResponse'
  | 'TimeSeries'
  | 'ChunkedSeries'
  | 'Chunk'
  | 'Label'
  | 'Histogram';

export interface LabelObject {
  name?: string;
  value?: string;
}

export function encodeMessage(name: MessageName, content: object): Uint8Array {
  const type = root.lookupType(`prometheus.${name}`);
  const problem = type.verify(content);
  if (problem !== null) throw new Error(problem);
  return new Uint8Array(type.encode(type.create(content)).finish());
}

/** Plain objects: enums as names, 64-bit integers as numbers, absent fields with their defaults. */
export function decodeMessage(name: MessageName, bytes: Uint8Array) {
  const type = root.lookupType(`prometheus.${name}`);
  return type.toObject(type.decode(bytes), { longs: Number, enums: String, defaults: true, arrays: true });
}

/** `labels` field by field, as Go writes them: an empty string is omitted. */
export function labelRegion(labels: readonly LabelObject[]): Uint8Array {
  return encodeMessage('TimeSeries', { labels });
}

/** One frame of a streamed response. */
export function frame(payload: Uint8Array): Uint8Array {
  const head: number[] = [];
  let rest = payload.length;
  while (rest >= 0x80) {
    head.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  head.push(rest);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32c(payload, 0, payload.length));
  return new Uint8Array(Buffer.concat([Buffer.from(head), checksum, payload]));
}
