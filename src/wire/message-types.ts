// The message types of proto/ that the program writes with protobufjs. The build replaces this module with one that has the same exports
// and their encoders as code, so that an installed program parses no schema and loads only the small part of the library.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** What is used of a type of protobufjs. */
export interface MessageType {
  /** Properties have the names of the fields in camelCase. */
  encode(message: object): { finish(): Uint8Array };
}

const FILES = ['remote.proto', 'store.proto'];
const SCHEMA = protobuf.loadSync(FILES.map((file) => fileURLToPath(new URL(`../../proto/${file}`, import.meta.url))));

export const READ_REQUEST: MessageType = SCHEMA.lookupType('prometheus.ReadRequest');
export const SERIES_REQUEST: MessageType = SCHEMA.lookupType('thanos.SeriesRequest');
