// The expressions of the CRD's rules (CEL) as data, and their evaluation. Rules are parsed when the program is built. That keeps the work
// at startup small: the CEL library would take a third of a run's memory before the first window. crd-compiler.ts rejects what is unknown
// here, and a test compares the values with those of the library.

import { isDeepStrictEqual } from 'node:util';
import { isObject } from './defaults.ts';
import { quantityNanos } from './quantity.ts';

export type Expression =
  | { readonly kind: 'constant'; readonly value: string | number | boolean }
  | { readonly kind: 'name'; readonly name: string }
  /** `self.field`, or `has(self.field)` with `test`. */
  | { readonly kind: 'field'; readonly of: Expression; readonly field: string; readonly test: boolean }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  /** `of.matches('…')`, with the pattern in JavaScript's syntax (rule-pattern.ts). */
  | { readonly kind: 'matches'; readonly of: Expression; readonly pattern: string }
  /** The target of a method is its first argument. */
  | { readonly kind: 'call'; readonly function: FunctionName; readonly args: readonly Expression[] }
  /**
   * The comprehensions `all`, `exists`, `exists_one` and `filter`: `step` is evaluated for each item, and its value is the next `result`.
   */
  | {
      readonly kind: 'fold';
      readonly over: Expression;
      readonly item: string;
      readonly result: string;
      readonly start: Expression;
      readonly step: Expression;
      readonly end: Expression;
    };

/**
 * A JSON value, with one type per kind of number: number for whole numbers, bigint for quantities in billionths and for durations in
 * nanoseconds.
 */
type Value = unknown;
type Variables = ReadonlyMap<string, Value>;

/** An expression has no value: a field is missing, or an argument has the wrong type. */
export class RuleFailure extends Error {}

type Operator = (args: readonly Expression[], variables: Variables) => Value;

/** Operators take expressions, not values: an argument may have no value, or is not evaluated. */
const OPERATORS = {
  '_&&_': (args, variables) => connect(args, variables, false),
  '_||_': (args, variables) => connect(args, variables, true),
  '_?_:_': ([condition, then, otherwise], variables) =>
    boolean(resolve(condition, variables)) ? resolve(then, variables) : resolve(otherwise, variables),
} as const satisfies Record<string, Operator>;

const FUNCTIONS = {
  '!_': (value) => !boolean(value),
  '_==_': (a, b) => isDeepStrictEqual(a, b),
  '_!=_': (a, b) => !isDeepStrictEqual(a, b),
  '_<=_': (a, b) => compare(a, b) <= 0,
  '_>=_': (a, b) => compare(a, b) >= 0,
  '_<_': (a, b) => compare(a, b) < 0,
  '_>_': (a, b) => compare(a, b) > 0,
  '_+_': (a, b) => (Array.isArray(a) && Array.isArray(b) ? [...a, ...b] : number(a) + number(b)),
  '_[_]': (map, key) => fieldValue(map, text(key)),
  '@in': (item, list) => items(list).some((other) => isDeepStrictEqual(other, item)),
  size: (list) => items(list).length,
  startsWith: (value, prefix) => text(value).startsWith(text(prefix)),
  lowerAscii: (value) => text(value).replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  duration: (value) => (Number.isSafeInteger(value) ? BigInt(number(value)) * NANOS.s : durationNanos(text(value))),
  isQuantity: (value) => quantityNanos(text(value)) !== undefined,
  quantity: (value) => quantityNanos(text(value)) ?? fail('not a quantity'),
  compareTo: (a, b) => compare(a, b),
} as const satisfies Record<string, (...args: readonly Value[]) => Value>;

export type FunctionName = keyof typeof OPERATORS | keyof typeof FUNCTIONS;

export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(OPERATORS, name) || Object.hasOwn(FUNCTIONS, name);
}

/** @throws RuleFailure if it has no value */
export function evaluate(expression: Expression, self: unknown): unknown {
  return resolve(expression, new Map([['self', self]]));
}

function resolve(expression: Expression | undefined, variables: Variables): Value {
  if (expression === undefined) return fail('an argument is missing');
  switch (expression.kind) {
    case 'constant':
      return expression.value;
    case 'name': {
      const value = variables.get(expression.name);
      if (value instanceof RuleFailure) throw value;
      return value;
    }
    case 'field': {
      const map = resolve(expression.of, variables);
      if (!expression.test) return fieldValue(map, expression.field);
      return isObject(map) && Object.hasOwn(map, expression.field);
    }
    case 'list':
      return expression.items.map((item) => resolve(item, variables));
    case 'matches':
      return new RegExp(expression.pattern, 'u').test(text(resolve(expression.of, variables)));
    case 'call':
      return call(expression.function, expression.args, variables);
    case 'fold': {
      let result = attempt(expression.start, variables);
      for (const item of items(resolve(expression.over, variables))) {
        result = attempt(
          expression.step,
          new Map([...variables, [expression.item, item], [expression.result, result]]),
        );
      }
      return resolve(expression.end, new Map([...variables, [expression.result, result]]));
    }
  }
}

function call(name: FunctionName, args: readonly Expression[], variables: Variables): Value {
  const operator: Operator | undefined = Object.hasOwn(OPERATORS, name)
    ? OPERATORS[name as keyof typeof OPERATORS]
    : undefined;
  if (operator !== undefined) return operator(args, variables);
  const apply: (...args: readonly Value[]) => Value = FUNCTIONS[name as keyof typeof FUNCTIONS];
  return apply(...args.map((arg) => resolve(arg, variables)));
}

/** The value, or the RuleFailure that explains why it is absent. */
function attempt(expression: Expression | undefined, variables: Variables): Value {
  try {
    return resolve(expression, variables);
  } catch (error) {
    if (error instanceof RuleFailure) return error;
    throw error;
  }
}

/** `&&` and `||`: one deciding side is enough, even if the other side fails. */
function connect(args: readonly Expression[], variables: Variables, decisive: boolean): Value {
  let failure: RuleFailure | undefined;
  for (const arg of args) {
    const value = attempt(arg, variables);
    if (value === decisive) return decisive;
    if (value instanceof RuleFailure) failure ??= value;
    else if (typeof value !== 'boolean') failure ??= new RuleFailure('not a boolean');
  }
  if (failure !== undefined) throw failure;
  return !decisive;
}

function fail(reason: string): never {
  throw new RuleFailure(reason);
}

function fieldValue(map: Value, name: string): Value {
  return isObject(map) && Object.hasOwn(map, name) ? map[name] : fail(`no field ${name}`);
}

/** The items of a list, or the keys of a map. */
function items(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.keys(value) : fail('neither a list nor a map');
}

function boolean(value: Value): boolean {
  return typeof value === 'boolean' ? value : fail('not a boolean');
}

function number(value: Value): number {
  return typeof value === 'number' ? value : fail('not a number');
}

function text(value: Value): string {
  return typeof value === 'string' ? value : fail('not a string');
}

/** −1, 0 or 1. */
function compare(a: Value, b: Value): number {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  const [own, other] = [number(a), number(b)];
  return own < other ? -1 : own > other ? 1 : 0;
}

const NANOS = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
} as const;
const MAX_DURATION_TEXT = 128;
const DURATION_PART = /([0-9]+)?(?:\.([0-9]+)?)?(ns|us|\u00b5s|ms|[hms])/y;

/** Parses a duration as Go does. */
function durationNanos(value: string): bigint {
  const [sign = '', rest = ''] = /^([+-]?)(.*)$/s.exec(value)?.slice(1) ?? [];
  if (value.length > MAX_DURATION_TEXT) return fail('not a duration');
  if (rest === '0') return 0n;
  let nanos = 0n;
  for (let at = 0; at < rest.length; ) {
    DURATION_PART.lastIndex = at;
    const [part = '', whole, fraction, unit = ''] = DURATION_PART.exec(rest) ?? [];
    if (part === '' || (whole ?? fraction) === undefined) return fail('not a duration');
    const factor = NANOS[unit as keyof typeof NANOS];
    nanos += BigInt(whole ?? 0) * factor + (BigInt(fraction ?? 0) * factor) / 10n ** BigInt(fraction?.length ?? 0);
    at += part.length;
  }
  return nanos < 2n ** 63n ? (sign === '-' ? -nanos : nanos) : fail('duration out of range');
}
