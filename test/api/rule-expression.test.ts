// The library that parses the rules can also evaluate them, and serves as the oracle.
import assert from 'node:assert/strict';
import { type CelInput, CelScalar, celEnv, celFunc, celMethod, isCelError, parse, plan } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { COMPILED_CRD } from '../../src/api/compiled-crd.ts';
import type { Schema } from '../../src/api/crd.ts';
import { parseExpression } from '../../src/api/crd-compiler.ts';
import { fieldOf, isObject, withDefaults } from '../../src/api/defaults.ts';
import { quantityNanos } from '../../src/api/quantity.ts';
import { evaluate, RuleFailure } from '../../src/api/rule-expression.ts';
import { badManifests, goodManifests } from './manifest-tables.ts';
import { changed } from './manifests.ts';

const { resource, expressions } = COMPILED_CRD;
const failed = 'no value';

// Kubernetes' quantity library for CEL: a quantity is represented by its billionths, as text.
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
const planned = new Map<string, ReturnType<typeof plan>>();

function oracle(expression: string, self: unknown): unknown {
  const known = planned.get(expression) ?? plan(environment, parse(expression));
  planned.set(expression, known);
  const value = known({ self: toCel(self) });
  if (isCelError(value)) return failed;
  return typeof value === 'bigint' ? Number(value) : value;
}

function toCel(value: unknown): CelInput {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(toCel);
  if (isObject(value)) return new Map(Object.entries(value).map(([name, field]) => [name, toCel(field)] as const));
  return value as string | number | boolean | null;
}

function ours(expression: string, self: unknown): unknown {
  try {
    return evaluate(expressions[expression] ?? parseExpression(expression), self);
  } catch (error) {
    if (error instanceof RuleFailure) return failed;
    throw error;
  }
}

/** Every rule in the schema, with the value that it applies to. */
function* rulesOf(value: unknown, schema: Schema): Generator<readonly [rule: string, self: unknown]> {
  const inner: (readonly [unknown, Schema | undefined])[] = Array.isArray(value)
    ? value.map((item) => [item, schema.items])
    : isObject(value)
      ? Object.entries(value).map(([name, field]) => [field, fieldOf(schema, name)])
      : [];
  for (const [part, partSchema] of inner) if (partSchema !== undefined) yield* rulesOf(part, partSchema);
  for (const { rule } of schema['x-kubernetes-validations'] ?? []) if (rule in expressions) yield [rule, value];
}

describe('rule expressions', () => {
  it('include all CRD rules except transition rules', () => {
    const rules = Object.keys(expressions);
    assert.ok(rules.length > 25, `${rules.length}`);
    assert.deepEqual(
      rules.filter((rule) => rule.includes('oldSelf')),
      [],
    );
  });

  it('evaluate to the same values as the CEL library, for all manifests of the tables', () => {
    const manifests = [...badManifests, ...goodManifests].map(([changes]) =>
      typeof changes === 'string' ? {} : changed(changes),
    );
    let compared = 0;
    const values = new Set<unknown>();
    for (const manifest of manifests) {
      for (const [rule, self] of rulesOf(withDefaults(manifest, resource.schema), resource.schema)) {
        const value = ours(rule, self);
        assert.deepEqual(value, oracle(rule, self), `${rule} of ${JSON.stringify(self)}`);
        values.add(value);
        compared++;
      }
    }
    assert.ok(compared > 1000, `${compared}`);
    assert.deepEqual(new Set([...values]), new Set([true, false, failed]));
  });

  const texts = [
    ...[
      '',
      '0',
      '-0',
      '5',
      'abc',
      '1h',
      '1.5h',
      '-1h',
      '+90m',
      '1h30m5s7ms',
      '2us3µs4ns',
      '.5s',
      '5.s',
      '.s',
      '1h 2m',
      's',
    ],
    ...['100ms', '10m', '10m1ms', '99ms', '9223372036s', '9223372037s', '99999999999999999999h', '1'.repeat(129), '1d'],
    ...[
      '1Mi',
      '32Mi',
      '1e999',
      '1Gi',
      '-5',
      '1Ki',
      '1e6',
      '0.1',
      'http://a/b',
      'http://\u00a0',
      'http://u@h',
      'ä',
      '😀',
    ],
    ...['Basic', 'BASIC', 'Content-Type', 'x-prometheus-a', '.', '..', '..a', 'a b', ' a', '__name__', 'İ'],
  ];
  const objects = [
    {},
    { a: 'x' },
    { Authorization: 'x', authorization: 'y' },
    { a: 5, B: '\t' },
    { '': '' },
    { end: 5, start: 6 },
    { end: 'x', start: 6 },
    { min: '1s', max: '5s' },
    { min: '1x', max: '1s' },
    { max: 5 },
    { action: 'hashmod', modulus: 5, targetLabel: 'a' },
    { action: 'lowercase', replacement: '$1' },
    { action: 5 },
    { destination: { ordering: 'InOrder' }, window: { max: '31m' } },
    { destination: { ordering: 'Any' }, window: 5 },
    { destination: {} },
    { tenant: { header: 'A' }, headers: { a: 'x' } },
    { tenant: 5, headers: { a: 'x' } },
  ];
  for (const rule of Object.keys(expressions)) {
    it(`evaluate to the same values as the CEL library for random values: ${rule.slice(0, 80)}`, () => {
      for (const self of [...texts, ...objects, 0, 5, -1.5, true, null, [], ['a'], [texts]]) {
        assert.deepEqual(ours(rule, self), oracle(rule, self), JSON.stringify(self));
      }
    });
  }

  for (const [expression, error] of [
    ['self.', /./],
    ['self.endsWith("a")', /the CEL function endsWith/],
    ['self == 1.5', /CEL that this version does not support/],
    ['{"a": 1}', /CEL that this version does not support/],
  ] as const) {
    it(`are rejected when they are not supported: ${expression}`, () => {
      assert.throws(() => parseExpression(expression), error);
    });
  }
});
