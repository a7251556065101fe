// Evaluates the `x-kubernetes-validations` rules of the CRD (CEL) on a manifest, as the API server would on admission. Used by
// validate.ts.

import {
  type CelInput,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celMethod,
  isCelError,
  parse,
  plan,
} from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import type { Schema, ValidationRule } from './crd.ts';
import { fieldOf, isObject } from './defaults.ts';
import { type PathSegment, startsWith } from './field-path.ts';
import { quantityNanos } from './quantity.ts';
import { parseTime } from './time.ts';

export interface RuleViolation {
  readonly path: readonly PathSegment[];
  readonly message: string;
}

type Evaluate = (self: CelInput) => CelValue | Error;

// Kubernetes' quantity library, as far as the rules use it: a quantity is its billionths here, as text, because they do not fit an int.
const quantities = [
  celFunc('isQuantity', [CelScalar.STRING], CelScalar.BOOL, (text) => quantityNanos(text) !== undefined),
  celFunc('quantity', [CelScalar.STRING], CelScalar.STRING, (text) => {
    const nanos = quantityNanos(text);
    if (nanos === undefined) throw new Error('not a quantity');
    return String(nanos);
  }),
  celMethod('compareTo', CelScalar.STRING, [CelScalar.STRING], CelScalar.INT, function (other) {
    const [own, others] = [BigInt(String(this)), BigInt(other)];
    return own < others ? -1n : own > others ? 1n : 0n;
  }),
];

const environment = celEnv({ funcs: [...strings, ...quantities] });

const compiled = new Map<string, Evaluate>();

/** Throws when the expression is not CEL: the CRD is then at fault, and its test says so. */
function compile(expression: string): Evaluate {
  let evaluate = compiled.get(expression);
  if (evaluate === undefined) {
    const planned = plan(environment, parse(expression));
    evaluate = (self) => planned({ self });
    compiled.set(expression, evaluate);
  }
  return evaluate;
}

/** A transition rule compares with the object as it was: there is none without a cluster. */
function isTransitionRule(rule: ValidationRule): boolean {
  return /\boldSelf\b/.test(rule.rule);
}

/**
 * All violations of the schema's rules in a value whose defaults are filled in, inner ones first. `known` is where the schema
 * itself is broken: rules of such a value are not evaluated, and one further out that fails because of it is not reported.
 */
export function checkRules(
  value: unknown,
  schema: Schema,
  known: readonly (readonly PathSegment[])[],
): RuleViolation[] {
  const violations: RuleViolation[] = [];

  function visit(node: unknown, nodeSchema: Schema, path: readonly PathSegment[]): void {
    if (Array.isArray(node)) {
      const { items } = nodeSchema;
      for (const [index, item] of node.entries()) if (items !== undefined) visit(item, items, [...path, index]);
    } else if (isObject(node)) {
      for (const [name, field] of Object.entries(node)) {
        const fieldSchema = fieldOf(nodeSchema, name);
        if (fieldSchema !== undefined) visit(field, fieldSchema, [...path, name]);
      }
    }
    const rules = nodeSchema['x-kubernetes-validations']?.filter((rule) => !isTransitionRule(rule)) ?? [];
    if (rules.length === 0 || known.some((other) => other.length === path.length && startsWith(other, path))) return;
    const self = toCel(node, nodeSchema);
    for (const rule of rules) {
      const result = compile(rule.rule)(self);
      if (result === true) continue;
      if (isCelError(result)) {
        const paths = [...known, ...violations.map((violation) => violation.path)];
        if (paths.some((other) => startsWith(other, path))) continue;
      }
      violations.push({ path: [...path, ...fieldSegments(rule)], message: messageOf(rule, self) });
    }
  }

  visit(value, schema, []);
  return violations;
}

function fieldSegments(rule: ValidationRule): string[] {
  return rule.fieldPath?.split('.').filter((segment) => segment !== '') ?? [];
}

function messageOf(rule: ValidationRule, self: CelInput): string {
  if (rule.messageExpression !== undefined) {
    const message = compile(rule.messageExpression)(self);
    if (typeof message === 'string' && message !== '') return message;
  }
  return rule.message ?? `breaks the rule ${rule.rule}`;
}

/**
 * JSON as CEL sees it behind the schema: whole numbers are int. Date-times are timestamps on the API server, which only compares them; here
 * they are their milliseconds, because this CEL has no timestamp before the year 1 or after 9999, and an offset may lead there.
 */
function toCel(value: unknown, schema: Schema | undefined): CelInput {
  if (typeof value === 'number' && Number.isSafeInteger(value) && schema?.type !== 'number') return BigInt(value);
  if (typeof value === 'string' && schema?.format === 'date-time') {
    const timeMs = parseTime(value);
    return timeMs === undefined ? value : BigInt(timeMs);
  }
  if (Array.isArray(value)) return value.map((item) => toCel(item, schema?.items));
  if (isObject(value)) {
    const entries = Object.entries(value).map(
      ([name, field]) => [name, toCel(field, schema === undefined ? undefined : fieldOf(schema, name))] as const,
    );
    return new Map(entries);
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return null;
}
