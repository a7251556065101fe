// `npm run docs`: makes src/api/prom-migration.ts (the types) and docs/manifest.md (the reference) from the CRD, and the tables of
// docs/errors.md from src/. A test fails if one of them is out of date.

import { writeFileSync } from 'node:fs';
import { COMPILED_CRD } from '../src/api/compiled-crd.ts';
import type { Schema, ValidationRule } from '../src/api/crd.ts';

/** An object of the schema: one interface among the types, one section of the reference. Equal objects share it. */
interface Shape {
  readonly name: string;
  readonly schema: Schema;
  /** Where it stands, such as `spec.source.tls`. */
  readonly paths: string[];
}

/** Names of what would otherwise be called after its field. */
const NAMES: Readonly<Record<string, string>> = {
  spec: 'PromMigrationSpec',
  status: 'PromMigrationStatus',
  'spec.source': 'SourceSpec',
  'spec.destination': 'DestinationSpec',
  'spec.destination.progress': 'DestinationProgress',
  'spec.destination.progress.timeouts': 'ProgressTimeouts',
  'spec.window': 'WindowBounds',
  'spec.relabelings[]': 'Relabeling',
  'status.conditions[]': 'Condition',
  'status.range': 'CopiedRange',
  'status.progress': 'StatusProgress',
  'status.recentErrors[]': 'RecentError',
};

const SHARED_NAMES: Readonly<Record<string, string>> = {
  username: 'KeyReference',
  ca: 'SecretOrConfigMap',
};

export class Shapes {
  readonly all: Shape[] = [];
  readonly #byContent = new Map<string, Shape>();

  constructor(root: Schema) {
    for (const [field, schema] of Object.entries(root.properties ?? {})) {
      if (schema.properties !== undefined) this.#add(field, field, schema);
    }
  }

  /** The shape of an object's schema. */
  of(schema: Schema): Shape {
    const shape = this.#byContent.get(content(schema));
    if (shape === undefined) throw new Error('an object of the schema that was not visited');
    return shape;
  }

  #add(path: string, field: string, schema: Schema): void {
    const known = this.#byContent.get(content(schema));
    if (known !== undefined) {
      known.paths.push(path);
      return;
    }
    const name = NAMES[path] ?? SHARED_NAMES[field] ?? `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
    if (this.all.some((shape) => shape.name === name))
      throw new Error(`two shapes would be called ${name}: name ${path}`);
    const shape: Shape = { name, schema, paths: [path] };
    this.all.push(shape);
    this.#byContent.set(content(schema), shape);
    for (const [child, childSchema] of Object.entries(schema.properties ?? {})) {
      const { items } = childSchema;
      if (childSchema.properties !== undefined) this.#add(`${path}.${child}`, child, childSchema);
      else if (items?.properties !== undefined) this.#add(`${path}.${child}[]`, child, items);
    }
  }
}

/** What an object is, whatever its descriptions say and whether or not it is filled in by default. */
function content(schema: Schema): string {
  const { default: _, ...rest } = schema;
  return JSON.stringify(rest, (key, value) => (key === 'description' && typeof value === 'string' ? undefined : value));
}

/** A field is there after defaulting when it is required or has a default. */
function isPresent(parent: Schema, field: string): boolean {
  return (parent.required ?? []).includes(field) || parent.properties?.[field]?.default !== undefined;
}

/** What source, destination and progress have in common. */
const ENDPOINT_FIELDS = /^spec\.(source|destination\.progress)\./;

function isUnder(under: string | RegExp): (shape: Shape) => boolean {
  return ({ paths: [path = ''] }) => (typeof under === 'string' ? path.startsWith(under) : under.test(path));
}

function interfaces(shapes: Shapes, isMeant: (shape: Shape) => boolean): string {
  const texts = shapes.all.filter(isMeant).map(({ name, schema }) => {
    const fields = Object.entries(schema.properties ?? {}).map(
      ([field, fieldSchema]) =>
        docComment(fieldSchema.description, '  ') +
        member(`readonly ${field}${isPresent(schema, field) ? '' : '?'}:`, typeOf(fieldSchema, shapes)),
    );
    return `${docComment(schema.description, '')}export interface ${name} {\n${fields.join('')}}\n`;
  });
  return texts.join('\n');
}

/** As the formatter would write it. */
function member(name: string, type: string): string {
  const line = `  ${name} ${type};\n`;
  return line.length <= 121 ? line : `  ${name}\n    | ${type.replaceAll(' | ', '\n    | ')};\n`;
}

export function statusTypesFile(root: Schema): string {
  return `// The status of the PromMigration resource. Generated from the CRD by \`npm run docs\`: edit crds/ instead.

${interfaces(new Shapes(root), isUnder('status'))}`;
}

export function endpointTypesFile(root: Schema): string {
  return `// The endpoint fields of the PromMigration resource. Generated from the CRD by \`npm run docs\`: edit crds/ instead.

${interfaces(new Shapes(root), isUnder(ENDPOINT_FIELDS))}`;
}

export function typesFile(root: Schema, apiVersion: string): string {
  const shapes = new Shapes(root);
  const isEndpoint = isUnder(ENDPOINT_FIELDS);
  const text = interfaces(shapes, (shape) => isUnder('spec')(shape) && !isEndpoint(shape));
  const imported = shapes.all
    .filter((shape) => isEndpoint(shape) && new RegExp(`: ${shape.name};`).test(text))
    .map(({ name }) => name);
  return `// The PromMigration resource with its defaults filled in. Generated from the CRD by \`npm run docs\`: edit crds/ instead.

import type { ${imported.sort().join(', ')} } from './prom-migration-endpoint.ts';
import type { PromMigrationStatus } from './prom-migration-status.ts';

/** The fields of Kubernetes object metadata that are used here. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Owners of fields; the operator keeps only the owners of the status. */
  readonly managedFields?: readonly { readonly manager?: string; readonly subresource?: string }[];
}

${docComment(root.description, '')}export interface PromMigration {
  readonly apiVersion: '${apiVersion}';
  readonly kind: 'PromMigration';
  readonly metadata: ObjectMeta;
  readonly spec: PromMigrationSpec;
  readonly status?: PromMigrationStatus;
}

${text}`;
}

function typeOf(schema: Schema, shapes: Shapes): string {
  if (schema.properties !== undefined) return shapes.of(schema).name;
  if (schema.enum !== undefined) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (schema.items !== undefined) return `readonly ${typeOf(schema.items, shapes)}[]`;
  if (schema.additionalProperties !== undefined) {
    return `Readonly<Record<string, ${typeOf(schema.additionalProperties, shapes)}>>`;
  }
  if (schema.type === 'integer' || schema.type === 'number') return 'number';
  if (schema.type === 'string' || schema.type === 'boolean') return schema.type;
  throw new Error(`no TypeScript type for ${JSON.stringify(schema)}`);
}

function docComment(description: string | undefined, indent: string): string {
  if (description === undefined) return '';
  const lines = wrap(description.replaceAll('*/', '*\\/'), 116 - indent.length);
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export function referenceFile(root: Schema, apiVersion: string): string {
  const shapes = new Shapes(root);
  const sections = shapes.all
    .filter(({ paths }) => paths[0]?.startsWith('spec'))
    .map((shape) => section(shape, shapes));
  const status = shapes.all
    .filter(({ paths }) => paths[0]?.startsWith('status'))
    .map((shape) => section(shape, shapes));
  return `<!-- Generated from the CRD by \`npm run docs\`: edit crds/ instead. -->

# The manifest

${root.description}

\`\`\`yaml
apiVersion: ${apiVersion}
kind: PromMigration
metadata:
  name: smallest
spec:
  source:
    url: http://prometheus:9090/api/v1/read
  destination:
    url: http://victoriametrics:8428/api/v1/write
    progress:
      protocol: PromQL
      url: http://victoriametrics:8428
  timeRange:
    start: 2024-01-01T00:00:00Z
\`\`\`

[examples/](../examples) has a manifest for each pair of systems.

\`prom-migrator run -f FILE\` accepts the same manifests as the Kubernetes API server, and checks them by the same schema and the same
rules. A field that is not listed here is rejected. A field that is null counts as unset.

**Times** are RFC 3339 with at most milliseconds (\`2024-01-31T00:00:00Z\`, \`2024-01-31T01:00:00.250+01:00\`); finer times are rejected,
because samples have milliseconds. **Durations** have Prometheus' format (\`90s\`, \`1h30m\`). **Bytes** are Kubernetes quantities as strings
(\`256Mi\`, \`1G\`, \`"1048576"\`). **Regular expressions** are RE2, anchored at both ends.

**Secrets** are referenced, never written into the manifest: \`{name, key}\` of a Secret in the same namespace. For \`run\`, provide the
Secrets and ConfigMaps as additional documents in the files, or as files \`DIR/<name>/<key>\` with \`--secrets-dir DIR\` (a document wins
over a file). One newline at the end of such a file, and at the end of any user name, password or token, is dropped.

**Which fields define the copy.** A migration finds its own progress in the destination by its namespace, its name and an id. The id is a
hash of \`source.url\`, \`source.tenant\`, \`source.headers\`, \`selectors\`, \`relabelings\`, \`externalLabels\` and \`timeRange.start\`. Change
one of them, and \`run\` begins again at \`timeRange.start\`. Change anything else, and it resumes at its mark.

${sections.join('\n')}
# Status

The operator writes it; \`run\` neither reads nor writes it.

${status.join('\n')}`;
}

function section({ name, schema, paths }: Shape, shapes: Shapes): string {
  const where = paths.map((path) => `\`${path}\``).join(', ');
  const rows = Object.entries(schema.properties ?? {}).map(([field, fieldSchema]) => {
    const required = (schema.required ?? []).includes(field);
    const cells = [
      `\`${field}\`${required ? ' **required**' : ''}`,
      typeCell(fieldSchema, shapes),
      defaultCell(fieldSchema.default),
      [cell(fieldSchema.description ?? ''), ...limitsOf(fieldSchema), ...rulesOf(fieldSchema)].join(' '),
    ];
    return `| ${cells.join(' | ')} |\n`;
  });
  const rules = rulesText(schema['x-kubernetes-validations'] ?? []);
  return `## ${name}

${where}${schema.description === undefined || paths.length > 1 ? '' : `: ${inline(schema.description)}`}

| field | type | default | meaning |
|---|---|---|---|
${rows.join('')}${rules.length === 0 ? '' : `\n${rules.map((rule) => `- ${rule}\n`).join('')}`}`;
}

/** Nothing for an object: its own table has the defaults of its fields. */
function defaultCell(value: unknown): string {
  if (value === undefined || (typeof value === 'object' && !Array.isArray(value))) return '';
  const text = Array.isArray(value) ? `[${value.map((item) => `'${item}'`).join(', ')}]` : String(value);
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function typeCell(schema: Schema, shapes: Shapes): string {
  if (schema.properties !== undefined) {
    const { name } = shapes.of(schema);
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if (schema.items !== undefined) return `list of ${typeCell(schema.items, shapes)}`;
  if (schema.additionalProperties !== undefined) return `map of ${typeCell(schema.additionalProperties, shapes)}`;
  if (schema.format === 'date-time') return 'time';
  return schema.type ?? '';
}

function limitsOf(schema: Schema): string[] {
  const limits: string[] = [];
  const { minimum, maximum, maxItems, maxProperties } = schema;
  if (minimum !== undefined && maximum !== undefined && maximum < 2 ** 31 - 1)
    limits.push(`From ${minimum} to ${maximum}.`);
  else if (minimum !== undefined && minimum > 0) limits.push(`At least ${minimum}.`);
  if (maxItems !== undefined) limits.push(`At most ${maxItems} entries.`);
  if (maxProperties !== undefined) limits.push(`At most ${maxProperties} entries.`);
  return limits;
}

/** The rules of a field that is no object; those of an object stand below its own table. */
function rulesOf(schema: Schema): string[] {
  if (schema.properties !== undefined) return [];
  return (schema['x-kubernetes-validations'] ?? []).map(({ message }) => {
    const text = cell(message ?? '');
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  });
}

function rulesText(rules: readonly ValidationRule[]): string[] {
  const isTransition = ({ rule }: ValidationRule) => /\boldSelf\b/.test(rule);
  const fixed = rules.filter(isTransition).map(({ message }) => `\`${message?.split(' ')[0]}\``);
  const immutable = fixed.length === 0 ? [] : [`Immutable in a cluster: ${fixed.join(', ')}.`];
  const lines = rules
    .filter((rule) => !isTransition(rule))
    .map(({ message, fieldPath }) => {
      const field = fieldPath?.replace(/^\./, '');
      return inline(field === undefined ? (message ?? '') : `\`${field}\`: ${message}`);
    });
  return [...lines, ...immutable];
}

function inline(text: string): string {
  return text.replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('__', '\\_\\_');
}

function cell(text: string): string {
  return inline(text).replaceAll('|', '\\|');
}

export const typesPath = new URL('../src/api/prom-migration.ts', import.meta.url);
export const endpointTypesPath = new URL('../src/api/prom-migration-endpoint.ts', import.meta.url);
export const statusTypesPath = new URL('../src/api/prom-migration-status.ts', import.meta.url);
export const referencePath = new URL('../docs/manifest.md', import.meta.url);

if (import.meta.main) {
  const { schema, apiVersion } = COMPILED_CRD.resource;
  writeFileSync(typesPath, typesFile(schema, apiVersion));
  writeFileSync(endpointTypesPath, endpointTypesFile(schema));
  writeFileSync(statusTypesPath, statusTypesFile(schema));
  writeFileSync(referencePath, referenceFile(schema, apiVersion));
  await import('./docs-errors.ts');
}
