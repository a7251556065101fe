// The module that the build has in place of src/wire/message-types.ts: the encoders that protobufjs would make at run time, as code.

import { resolve } from 'node:path';
import protobuf from 'protobufjs';

/** Exports of the module, and the types that they encode. */
const EXPORTS: Readonly<Record<string, string>> = {
  READ_REQUEST: 'prometheus.ReadRequest',
  SERIES_REQUEST: 'thanos.SeriesRequest',
};
const FILES = ['remote.proto', 'store.proto'];

/** The text of the module. It imports the part of protobufjs that reads and writes bytes. */
export function compiledTypesModule(): string {
  const schema = protobuf.loadSync(FILES.map((file) => resolve(import.meta.dirname, '../proto', file))).resolveAll();
  const compiled = new Map<protobuf.Type, string>();
  const exported = Object.entries(EXPORTS).map(([name, typeName]) => {
    const type = schema.lookupType(typeName);
    compile(type, compiled, []);
    return `export const ${name} = ${variableOf(type)};`;
  });
  return `// Made by scripts/compile-proto.ts.
import protobuf from 'protobufjs/minimal.js';
const { Writer, util } = protobuf;
${[...compiled.values(), ...exported].join('\n')}
`;
}

/** Adds the type behind those that its encoder uses. */
function compile(type: protobuf.Type, compiled: Map<protobuf.Type, string>, users: readonly protobuf.Type[]): void {
  if (compiled.has(type)) return;
  if (users.includes(type)) throw new Error(`${type.fullName} contains itself, which this compiler does not support`);
  const fieldTypes = type.fieldsArray.map(({ resolvedType }) => {
    if (!(resolvedType instanceof protobuf.Type)) return 'undefined';
    compile(resolvedType, compiled, [...users, type]);
    return variableOf(resolvedType);
  });
  // protobufjs gives the encoder these names too: the types of the fields by their index, Writer and util.
  const encode = protobuf.encoder(type).toString();
  compiled.set(type, `const ${variableOf(type)} = { encode: ((types) => ${encode})([${fieldTypes.join(', ')}]) };`);
}

/** Two packages may have a type of the same name. */
function variableOf({ fullName }: protobuf.Type): string {
  return fullName.slice(1).replaceAll('.', '_');
}
