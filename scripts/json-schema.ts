// `npm run docs`: makes schema/prommigration-v1alpha1.json from the CRD, for editors: fields with their descriptions, types, enums, patterns
// and bounds. What CEL rules check is not in it; `prom-migrator run` and the API server check that as well.

import { writeFileSync } from 'node:fs';
import { COMPILED_CRD } from '../src/api/compiled-crd.ts';
import type { Resource, Schema } from '../src/api/crd.ts';
import { formattedJson } from './chart.ts';

type Json = Record<string, unknown>;

export const schemaPath = new URL('../schema/prommigration-v1alpha1.json', import.meta.url);

/** Equal parts that are longer as JSON are written once. */
const SHARED_LENGTH = 300;

const COPIED = [
  ...['type', 'format', 'enum', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['maxProperties', 'required', 'default', 'description'],
] as const;

/** A closed JSON schema: Kubernetes drops fields that the schema does not name, and an editor should mark them. */
function converted(schema: Schema): Json {
  const result: Json = {};
  for (const keyword of COPIED) {
    // Formats of Kubernetes, such as int64, say nothing to an editor.
    if (keyword === 'format' && schema.format !== 'date-time') continue;
    if (schema[keyword as keyof Schema] !== undefined) result[keyword] = schema[keyword as keyof Schema];
  }
  if (schema['x-kubernetes-int-or-string'] === true) result['type'] = ['integer', 'string'];
  if (schema.items !== undefined) result['items'] = converted(schema.items);
  if (schema.properties !== undefined) {
    const entries = Object.entries(schema.properties).map(([name, field]) => [name, converted(field)]);
    result['properties'] = Object.fromEntries(entries);
    if (schema['x-kubernetes-preserve-unknown-fields'] !== true) result['additionalProperties'] = false;
  }
  if (schema.additionalProperties !== undefined)
    result['additionalProperties'] = converted(schema.additionalProperties);
  return result;
}

/** The schema with `convert` applied to each schema directly inside. */
function withInner(schema: Json, convert: (inner: Json, field: string) => Json, field: string): Json {
  const result: Json = { ...schema };
  for (const keyword of ['items', 'additionalProperties'])
    if (isObject(schema[keyword])) result[keyword] = convert(schema[keyword], field);
  if (isObject(schema['properties'])) {
    const entries = Object.entries(schema['properties']).map(([name, inner]) => [name, convert(inner as Json, name)]);
    result['properties'] = Object.fromEntries(entries);
  }
  return result;
}

/** Moves what occurs more than once into `definitions`, with the name of the field that has it first. */
function share(root: Json): { root: Json; definitions: Json } {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  const look = (schema: Json): Json => {
    const text = JSON.stringify(schema);
    if (seen.has(text) && text.length > SHARED_LENGTH) {
      repeated.add(text);
      return schema;
    }
    seen.add(text);
    return withInner(schema, look, '');
  };
  look(root);
  const definitions: Json = {};
  const names = new Map<string, string>();
  const replaced = (schema: Json, field: string): Json => {
    const text = JSON.stringify(schema);
    if (!repeated.has(text)) return withInner(schema, replaced, field);
    let name = names.get(text);
    if (name === undefined) {
      name = field;
      for (let number = 2; name in definitions; number++) name = `${field}${number}`;
      names.set(text, name);
      definitions[name] = {};
      definitions[name] = withInner(schema, replaced, field);
    }
    return { $ref: `#/definitions/${name}` };
  };
  return { root: replaced(root, 'PromMigration'), definitions };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

/** A file may hold the Secrets and ConfigMaps of a migration as further documents. They are not checked. */
export function editorSchema({ schema, apiVersion, kind }: Resource): Json {
  const { status: _, metadata: __, ...properties } = schema.properties ?? {};
  const { root, definitions } = share(converted({ ...schema, properties }));
  const { properties: fields, ...rest } = root as { properties: Json };
  const migration = {
    ...rest,
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      ...fields,
      apiVersion: { const: apiVersion },
      kind: { const: kind },
      metadata: {
        type: 'object',
        description: 'Name, namespace, labels and annotations, as of every Kubernetes object.',
      },
      status: { type: 'object', description: 'Written by the operator.' },
    },
  };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `${kind} ${apiVersion}`,
    type: 'object',
    required: ['apiVersion', 'kind'],
    properties: { apiVersion: { type: 'string' }, kind: { enum: [kind, 'Secret', 'ConfigMap'] } },
    if: { properties: { kind: { const: kind } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema
    then: { $ref: `#/definitions/${kind}` },
    definitions: { [kind]: migration, ...definitions },
  };
}

/** The content of the file. */
export function editorSchemaFile(): string {
  return `${formattedJson(editorSchema(COMPILED_CRD.resource))}\n`;
}

if (import.meta.main) writeFileSync(schemaPath, editorSchemaFile());
