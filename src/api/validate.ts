// Checks a manifest against the CRD's own schema and rules, for `run` and for tests. The verdict equals the API server's, with better error
// texts.

import { COMPILED_CRD } from './compiled-crd.ts';
import type { Schema } from './crd.ts';
import type { SchemaError } from './crd-compiler.ts';
import { fieldOf, isObject, withDefaults } from './defaults.ts';
import { formatPath, type PathSegment, startsWith, valueAt } from './field-path.ts';
import { type FieldProblem, showValue, suggest } from './problem.ts';
import type { PromMigration } from './prom-migration.ts';
import { checkRules } from './rules.ts';
import { checkSemantics } from './semantics.ts';

export type Validated = { readonly migration: PromMigration } | { readonly problems: readonly FieldProblem[] };

/** A problem before it is formatted. */
interface Finding {
  readonly path: readonly PathSegment[];
  readonly message: string;
  /** Whether the value must never be shown. */
  readonly hideValue?: boolean;
}

/** RFC 1123, as Kubernetes requires of a name. */
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * The PromMigration with all defaults filled in, or all its problems, sorted by path. `nowMs` is the current time for the check of times in
 * the future (milliseconds since 1970).
 */
export function validateMigration(document: unknown, nowMs: number): Validated {
  const { schema } = COMPILED_CRD.resource;
  const migration = withDefaults(document, schema);
  const findings: Finding[] = [...checkSchema(migration, schema), ...checkMetadata(migration)];
  const hasProblem = (path: readonly PathSegment[]) => findings.some((finding) => startsWith(finding.path, path));
  findings.push(
    ...checkRules(
      migration,
      schema,
      findings.map((finding) => finding.path),
    ),
  );
  findings.push(...checkSemantics(migration, nowMs, hasProblem));
  if (findings.length === 0) return { migration: migration as PromMigration };
  // Made only here: it loads the tables of all languages, which a valid manifest does not need.
  const collator = new Intl.Collator('en', { numeric: true });
  const byPath = (a: FieldProblem, b: FieldProblem) =>
    collator.compare(a.path, b.path) || collator.compare(a.message, b.message);
  const problems = findings.map((finding) => toProblem(finding, migration)).sort(byPath);
  // A time that is invalid violates format and pattern, which is one problem for the user.
  return {
    problems: problems.filter((problem, index) => {
      const before = problems[index - 1];
      return before === undefined || byPath(problem, before) !== 0;
    }),
  };
}

function toProblem(finding: Finding, migration: unknown): FieldProblem {
  const value = finding.hideValue ? undefined : valueAt(migration, finding.path);
  return { path: formatPath(finding.path), value: showValue(finding.path, value), message: finding.message };
}

function checkSchema(value: unknown, schema: Schema): Finding[] {
  return COMPILED_CRD.schemaErrors(value).map((error) => explain(error, value, schema));
}

/** ajv's error in our own words, at the path of the problem. */
function explain(error: SchemaError, root: unknown, schema: Schema): Finding {
  const path = segmentsOf(error.instancePath, root);
  const node = schemaAt(schema, path) ?? {};
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(error.params['additionalProperty']);
      return {
        path: [...path, name],
        message: unknownField(name, Object.keys(node.properties ?? {})),
        hideValue: true,
      };
    }
    case 'required': {
      const name = String(error.params['missingProperty']);
      const description = fieldOf(node, name)?.description;
      return {
        path: [...path, name],
        message: description === undefined ? 'is required' : `is required: ${firstSentence(description)}`,
      };
    }
    default:
      return { path, message: allowed(error.keyword, node, valueAt(root, path)), hideValue: isStructure(node) };
  }
}

/** Whether the schema expects an object or a list: the value in its place may be anything, even a password. */
function isStructure(schema: Schema): boolean {
  return schema.type === 'object' || schema.type === 'array';
}

export function unknownField(name: string, known: readonly string[]): string {
  const suggestion = suggest(name, known);
  return suggestion === undefined
    ? `unknown field; known fields: ${known.join(', ')}`
    : `unknown field; did you mean ${suggestion}?`;
}

function firstSentence(description: string): string {
  return /^.*?[^.]\.(?= [A-Z]|$)/s.exec(description)?.[0].slice(0, -1) ?? description;
}

const TYPE_NAMES: Readonly<Record<NonNullable<Schema['type']>, string>> = {
  object: 'an object with fields',
  array: 'a list',
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function allowed(keyword: string, schema: Schema, value: unknown): string {
  // The only values that may be integers or strings are quantities.
  if (schema['x-kubernetes-int-or-string']) return 'must be a quantity that is not negative, such as 2, 500m or 1Gi';
  switch (keyword) {
    case 'type': {
      const quoted = schema.type === 'string' && (typeof value === 'number' || typeof value === 'boolean');
      return `must be ${schema.type === undefined ? 'a different type' : TYPE_NAMES[schema.type]}${quoted ? '; put it in quotes' : ''}`;
    }
    case 'enum': {
      const suggestion = typeof value === 'string' ? suggest(value, (schema.enum ?? []).map(String)) : undefined;
      return `must be one of ${(schema.enum ?? []).join(', ')}${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
    }
    case 'minimum':
    case 'maximum':
      return range(keyword, schema);
    case 'minLength':
    case 'minItems':
      return 'must not be empty';
    case 'maxLength':
      return `must not be longer than ${schema.maxLength} characters`;
    case 'maxItems':
      return `must not have more than ${schema.maxItems} entries`;
    case 'maxProperties':
      return `must not have more than ${schema.maxProperties} entries`;
    case 'format':
    case 'pattern':
      // A whole number beyond int32 or int64 is also beyond the maximum.
      if (schema.type === 'integer') return range(Number(value) < 0 ? 'minimum' : 'maximum', schema);
      return schema.format === 'date-time'
        ? 'must be an RFC 3339 time with at most milliseconds, such as 2024-01-31T00:00:00Z'
        : `must be a valid ${schema.format ?? `text that matches ${schema.pattern}`}`;
    default:
      return `violates the rule ${keyword}`;
  }
}

function range(broken: 'minimum' | 'maximum', { minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER)
    return `must be from ${minimum} to ${maximum}`;
  return broken === 'minimum' ? `must be at least ${minimum}` : `must be at most ${maximum}`;
}

/** A JSON pointer as segments, with list positions as numbers. */
function segmentsOf(pointer: string, root: unknown): PathSegment[] {
  const path: PathSegment[] = [];
  let value = root;
  for (const escaped of pointer.split('/').slice(1)) {
    const name = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(name) : name);
    value = valueAt(value, path.slice(-1));
  }
  return path;
}

function schemaAt(schema: Schema, path: readonly PathSegment[]): Schema | undefined {
  let node: Schema | undefined = schema;
  for (const segment of path) node = typeof segment === 'number' ? node?.items : node && fieldOf(node, segment);
  return node;
}

const METADATA_FIELDS = [
  'name',
  'namespace',
  'labels',
  'annotations',
  'generateName',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'finalizers',
  'ownerReferences',
  'managedFields',
  'selfLink',
];

/** Checks the part of the metadata that `run` needs: a name, an optional namespace, no typos. The API server checks the metadata itself. */
export function checkMetadata(document: unknown): Finding[] {
  const metadata = isObject(document) ? document['metadata'] : undefined;
  if (metadata === undefined || metadata === null) {
    return [{ path: ['metadata', 'name'], message: 'is required: the name of this object' }];
  }
  if (!isObject(metadata)) return [{ path: ['metadata'], message: 'must be an object with fields', hideValue: true }];
  const findings: Finding[] = [];
  for (const name of Object.keys(metadata)) {
    if (METADATA_FIELDS.includes(name)) continue;
    findings.push({
      path: ['metadata', name],
      message: unknownField(name, METADATA_FIELDS.slice(0, 4)),
      hideValue: true,
    });
  }
  const { name, namespace } = metadata;
  if (name === undefined || name === null) {
    findings.push({ path: ['metadata', 'name'], message: 'is required: the name of this object' });
  } else if (typeof name !== 'string' || name.length > 253 || !DNS_SUBDOMAIN.test(name)) {
    findings.push({
      path: ['metadata', 'name'],
      message:
        'must be at most 253 lower case letters, digits, - and ., and each part between dots must start and end with a letter or digit',
    });
  }
  const given = namespace !== undefined && namespace !== null;
  if (
    given &&
    (typeof namespace !== 'string' || namespace.length > 63 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace))
  ) {
    findings.push({
      path: ['metadata', 'namespace'],
      message: 'must be at most 63 lower case letters, digits and -, and start and end with a letter or digit',
    });
  }
  return findings;
}
