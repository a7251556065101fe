// The message types of proto/ that the program writes with protobufjs.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** What is used of a type of protobufjs. */
export interface MessageType {
  /** Properties have the names of the fields in camelCase. */
  encode(message: object): { finish(): Uint8Array };
}

const SCHEMA = protobuf.loadSync(fileURLToPath(new URL('../../proto/remote.proto', import.meta.url)));

export const READ_REQUEST: MessageType = SCHEMA.lookupType('prometheus.ReadRequest');
