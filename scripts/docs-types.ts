// The TypeScript types of the PromMigration resource, made from the CRD.

import type { Schema } from '../src/api/crd.ts';
import { type Shape, Shapes } from './docs-shapes.ts';

/** A field is always present after defaulting when it is required or has a default. */
function isPresent(parent: Schema, field: string): boolean {
  return (parent.required ?? []).includes(field) || parent.properties?.[field]?.default !== undefined;
}

/** The fields of the execution: who copies what at once. */
const EXECUTION_FIELDS = /^spec\.execution(\.|$)/;

/** The common fields of source, destination and progress. */
const ENDPOINT_FIELDS = /^spec\.(source|destination\.progress)\./;

const SIDES = ['spec.source', 'spec.destination', 'spec.destination.progress'];

function isSide({ paths: [path = ''] }: Shape): boolean {
  return SIDES.includes(path);
}

function isUnder(under: string | RegExp): (shape: Shape) => boolean {
  return ({ paths: [path = ''] }) => (typeof under === 'string' ? path.startsWith(under) : under.test(path));
}

/** An import of the shapes of another file that the text of some types uses. */
function importOf(shapes: Shapes, isThere: (shape: Shape) => boolean, text: string, file: string): string {
  const imported = shapes.all
    .filter((shape) => isThere(shape) && new RegExp(`: ${shape.name};`).test(text))
    .map(({ name }) => name);
  const names = imported.sort();
  const line = `import type { ${names.join(', ')} } from '${file}';\n`;
  return line.length <= 121
    ? line
    : `import type {\n${names.map((name) => `  ${name},\n`).join('')}} from '${file}';\n`;
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

/** In the format of Biome. */
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

export function executionTypesFile(root: Schema): string {
  return `// The execution of the PromMigration resource. Generated from the CRD by \`npm run docs\`: edit crds/ instead.

${interfaces(new Shapes(root), isUnder(EXECUTION_FIELDS))}`;
}

export function sidesTypesFile(root: Schema): string {
  const shapes = new Shapes(root);
  const text = interfaces(shapes, isSide);
  return `// The source and the destination of the PromMigration resource. Generated from the CRD by \`npm run docs\`: edit crds/ instead.

${importOf(shapes, isUnder(ENDPOINT_FIELDS), text, './prom-migration-endpoint.ts')}
${text}`;
}

export function typesFile(root: Schema, apiVersion: string): string {
  const shapes = new Shapes(root);
  const isEndpoint = isUnder(ENDPOINT_FIELDS);
  const isExecution = isUnder(EXECUTION_FIELDS);
  const isElsewhere = (shape: Shape) => isEndpoint(shape) || isSide(shape) || isExecution(shape);
  const text = interfaces(shapes, (shape) => isUnder('spec')(shape) && !isElsewhere(shape));
  return `// The PromMigration resource with its defaults filled in. Generated from the CRD by \`npm run docs\`: edit crds/ instead.

${importOf(shapes, isExecution, text, './prom-migration-execution.ts')}${importOf(shapes, isSide, text, './prom-migration-sides.ts')}import type { PromMigrationStatus } from './prom-migration-status.ts';

/** The fields of Kubernetes object metadata that the operator uses. */
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
  /** Owners of fields; the operator keeps only those of the status. */
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
  if (schema['x-kubernetes-int-or-string']) return 'number | string';
  if (schema['x-kubernetes-preserve-unknown-fields']) return 'Readonly<Record<string, unknown>>';
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
