// Evaluates the `x-kubernetes-validations` rules of the CRD (CEL) on a manifest, as the API server does on admission.

import { COMPILED_CRD } from './compiled-crd.ts';
import type { Schema, ValidationRule } from './crd.ts';
import { fieldOf, isObject } from './defaults.ts';
import { type PathSegment, startsWith } from './field-path.ts';
import { evaluate, RuleFailure } from './rule-expression.ts';
import { parseTime } from './time.ts';

export interface RuleViolation {
  readonly path: readonly PathSegment[];
  readonly message: string;
}

/** The expression's value, or why it has none. Transition rules are never evaluated. */
function attempt(expression: string, self: unknown): unknown {
  const parsed = COMPILED_CRD.expressions[expression];
  if (parsed === undefined) throw new Error(`the rule ${expression} is not compiled`);
  try {
    return evaluate(parsed, self);
  } catch (error) {
    if (error instanceof RuleFailure) return error;
    throw error;
  }
}

function isTransitionRule(rule: ValidationRule): boolean {
  return COMPILED_CRD.expressions[rule.rule] === undefined;
}

/**
 * All violations of the schema's rules in a value whose defaults are filled in, inner ones first. `known` are the places where the schema
 * itself is violated: rules of such a value are not evaluated, and an outer rule that fails because of it is not reported.
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
    const self = withTimes(node, nodeSchema);
    for (const rule of rules) {
      const result = attempt(rule.rule, self);
      if (result === true) continue;
      if (result instanceof RuleFailure) {
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

function messageOf(rule: ValidationRule, self: unknown): string {
  if (rule.messageExpression !== undefined) {
    const message = attempt(rule.messageExpression, self);
    if (typeof message === 'string' && message !== '') return message;
  }
  return rule.message ?? `violates the rule ${rule.rule}`;
}

/**
 * Converts date-times to milliseconds. The API server has timestamps there and only compares them. An offset may lead to a time before the
 * year 1 or after 9999.
 */
function withTimes(value: unknown, schema: Schema | undefined): unknown {
  if (typeof value === 'string' && schema?.format === 'date-time') return parseTime(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => withTimes(item, schema?.items));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      withTimes(field, schema === undefined ? undefined : fieldOf(schema, name)),
    ]),
  );
}
