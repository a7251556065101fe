// docs/manifest.md, the reference of the manifest, made from the CRD.

import type { Schema, ValidationRule } from '../src/api/crd.ts';
import { type Shape, Shapes } from './docs-shapes.ts';

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
over a file; \`DIR/Secret/<name>/<key>\` and \`DIR/ConfigMap/<name>/<key>\` win over \`DIR/<name>/<key>\`). One newline at the end of such a file, and at the end of any user name, password or token, is dropped.

**Which fields define the copy.** A migration finds its own progress in the destination by its namespace, its name and an id. The id is a
hash of \`source.protocol\`, \`source.url\`, \`source.replicaLabels\`, \`source.tenant\`, \`source.headers\`, \`selectors\`, \`relabelings\`, \`externalLabels\` and \`timeRange.start\`. Change
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

/** Empty for an object: its own table has the defaults of its fields. */
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
  if (schema['x-kubernetes-int-or-string']) return 'quantity';
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

/** The rules of a field that is not an object; those of an object are listed below its own table. */
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
