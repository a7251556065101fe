// Compiles the CRD's YAML to the data that manifests are checked with. In the package, `npm run build` has done it; in a checkout it
// happens at startup. The libraries for it are large: only compiled-crd.ts may load this file.

import { parse as parseCel } from '@bufbuild/cel';
import { Ajv, type Options } from 'ajv';
import { parse as parseYaml } from 'yaml';
import type { Resource, Schema } from './crd.ts';
import { type Expression, isFunctionName } from './rule-expression.ts';
import { toJavaScriptPattern } from './rule-pattern.ts';
import { FORMATS } from './schema-formats.ts';

/** The part of ajv's errors that this project needs. */
export interface SchemaError {
  readonly keyword: string;
  /** A JSON pointer. */
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface CompiledCrd {
  readonly resource: Resource;
  /** All schema errors of a value. */
  schemaErrors(value: unknown): readonly SchemaError[];
  /** The expressions of the rules, by their text. Excludes rules that compare with an earlier version of the object. */
  readonly expressions: Readonly<Record<string, Expression>>;
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

/** The resource of the CRD, in its newest version. */
function resourceOf(crdText: string): Resource {
  const { spec } = parseYaml(crdText) as CustomResourceDefinition;
  const version = spec.versions.at(-1);
  if (version === undefined) throw new Error('the CRD defines no version');
  const { group, names } = spec;
  return {
    apiVersion: `${group}/${version.name}`,
    kind: names.kind,
    schema: version.schema.openAPIV3Schema,
  };
}

/** @throws Error if the CRD uses a feature that the checks do not know */
export function compileCrd(crdText: string): CompiledCrd {
  const resource = resourceOf(crdText);
  const validate = createAjv().compile(toAjv(resource.schema));
  return {
    resource,
    schemaErrors: (value) => (validate(value) ? [] : (validate.errors ?? [])),
    expressions: expressionsOf(resource.schema),
  };
}

export function createAjv(code: Options['code'] = {}): Ajv {
  const checks = { allErrors: true, strict: true, ownProperties: true, messages: false, formats: FORMATS };
  return new Ajv({ ...checks, allowUnionTypes: true, inlineRefs: false, code });
}

const PLAIN_KEYWORDS = [
  'type',
  'format',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
  'required',
] as const;
const OTHER_KEYWORDS: readonly string[] = [
  'description',
  'default',
  'properties',
  'additionalProperties',
  'items',
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-validations',
];

/**
 * Converts a structural schema to a closed JSON schema: an unknown field is an error, unless the schema preserves unknown fields. Objects with fields are definitions of their own, for
 * which ajv makes a function each: a run compiles only those of the fields that its manifest has, and equal ones exist once.
 * @throws Error on a keyword that is unknown here
 */
export function toAjv(schema: Schema): Record<string, unknown> {
  const definitions = new Map<string, string>();
  const root = convert(schema, (object) => {
    const text = JSON.stringify(object);
    const name = definitions.get(text) ?? `object${definitions.size}`;
    definitions.set(text, name);
    return { $ref: `#/$defs/${name}` };
  });
  return { ...root, $defs: Object.fromEntries([...definitions].map(([text, name]) => [name, JSON.parse(text)])) };
}

/** `define` replaces the schema of an object below it. */
function convert(
  schema: Schema,
  define: (object: Record<string, unknown>) => Record<string, unknown>,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const keyword of Object.keys(schema)) {
    if (!OTHER_KEYWORDS.includes(keyword) && !(PLAIN_KEYWORDS as readonly string[]).includes(keyword)) {
      throw new Error(`the CRD uses the keyword ${keyword}, which this version does not check`);
    }
  }
  const inner = (below: Schema) => {
    const converted = convert(below, define);
    return below.properties === undefined ? converted : define(converted);
  };
  for (const keyword of PLAIN_KEYWORDS) if (schema[keyword] !== undefined) result[keyword] = schema[keyword];
  if (schema['x-kubernetes-int-or-string']) result['type'] = ['integer', 'string'];
  if (schema.items !== undefined) result['items'] = inner(schema.items);
  if (schema.properties !== undefined) {
    result['properties'] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [name, inner(field)]),
    );
    if (!schema['x-kubernetes-preserve-unknown-fields']) result['additionalProperties'] = false;
  } else if (schema.additionalProperties !== undefined) {
    result['additionalProperties'] = inner(schema.additionalProperties);
  }
  return result;
}

/** The expressions of all rules that can be evaluated without a cluster, by their text. */
function expressionsOf(schema: Schema): Record<string, Expression> {
  const expressions: Record<string, Expression> = {};
  for (const { rule, messageExpression } of rulesBelow(schema)) {
    // A transition rule compares with the old object, which exists only in a cluster.
    if (/\boldSelf\b/.test(rule)) continue;
    for (const text of messageExpression === undefined ? [rule] : [rule, messageExpression]) {
      expressions[text] ??= parseExpression(text);
    }
  }
  return expressions;
}

function* rulesBelow(schema: Schema): Generator<NonNullable<Schema['x-kubernetes-validations']>[number]> {
  yield* schema['x-kubernetes-validations'] ?? [];
  const { items, additionalProperties, properties = {} } = schema;
  for (const inner of [items, additionalProperties, ...Object.values(properties)]) {
    if (inner !== undefined) yield* rulesBelow(inner);
  }
}

/** @throws Error if it is not CEL, or uses a part of CEL that rule-expression.ts does not know */
export function parseExpression(text: string): Expression {
  const { expr } = parseCel(text);
  if (expr === undefined) throw new Error(`not a CEL expression: ${text}`);
  return toExpression(expr, text);
}

type CelExpression = NonNullable<ReturnType<typeof parseCel>['expr']>;
type CelCall = Extract<CelExpression['exprKind'], { readonly case: 'callExpr' }>['value'];

function toExpression(expression: CelExpression | undefined, text: string): Expression {
  const inner = (other: CelExpression | undefined) => toExpression(other, text);
  const part = expression?.exprKind;
  switch (part?.case) {
    case 'constExpr': {
      const constant = part.value.constantKind.value;
      if (typeof constant === 'bigint') return { kind: 'constant', value: Number(constant) };
      if (typeof constant === 'string' || typeof constant === 'boolean') return { kind: 'constant', value: constant };
      break;
    }
    case 'identExpr':
      return { kind: 'name', name: part.value.name };
    case 'selectExpr':
      return { kind: 'field', of: inner(part.value.operand), field: part.value.field, test: part.value.testOnly };
    case 'listExpr':
      return { kind: 'list', items: part.value.elements.map(inner) };
    case 'callExpr': {
      const name = part.value.function;
      if (name === 'matches') return toMatches(part.value, text);
      if (!isFunctionName(name)) throw new Error(`the CRD uses the CEL function ${name}, which this version has not`);
      const args = part.value.target === undefined ? part.value.args : [part.value.target, ...part.value.args];
      return { kind: 'call', function: name, args: args.map(inner) };
    }
    case 'comprehensionExpr':
      // The condition only says when the remaining items cannot change the result any more.
      return {
        kind: 'fold',
        over: inner(part.value.iterRange),
        item: part.value.iterVar,
        result: part.value.accuVar,
        start: inner(part.value.accuInit),
        step: inner(part.value.loopStep),
        end: inner(part.value.result),
      };
  }
  throw new Error(`the CRD uses CEL that this version does not support: ${text}`);
}

function toMatches({ target, args }: CelCall, text: string): Expression {
  const pattern = toExpression(args[0], text);
  if (pattern.kind !== 'constant' || typeof pattern.value !== 'string') {
    throw new Error(`the CRD matches a pattern that is not a constant: ${text}`);
  }
  return { kind: 'matches', of: toExpression(target, text), pattern: toJavaScriptPattern(pattern.value) };
}
