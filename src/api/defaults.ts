// Fills in the defaults of a structural schema, as the API server does.

import type { Schema } from './crd.ts';

export type JsonObject = { [name: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A copy of the value with every default of the schema filled in. A field that is null counts as unset (`end:` with nothing after it), as
 * for the API server. Values of the wrong type stay as they are, and validation reports them.
 */
export function withDefaults(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((item) => withDefaults(item, items));
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, field] of Object.entries(value)) {
    const fieldSchema = fieldOf(schema, name);
    if (field === null && fieldSchema !== undefined) continue;
    setField(result, name, fieldSchema === undefined ? field : withDefaults(field, fieldSchema));
  }
  for (const [name, fieldSchema] of Object.entries(schema.properties ?? {})) {
    if (!Object.hasOwn(result, name) && fieldSchema.default !== undefined) {
      setField(result, name, withDefaults(structuredClone(fieldSchema.default), fieldSchema));
    }
  }
  return result;
}

/** Sets a field. A field named `__proto__` is an ordinary field here. */
function setField(object: JsonObject, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}

/** The schema of an object's field, for a named field and for a map's value. */
export function fieldOf(schema: Schema, name: string): Schema | undefined {
  const { properties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return schema.additionalProperties;
}
