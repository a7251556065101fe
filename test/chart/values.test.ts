// The values and their schema have the same keys, and the schema rejects unknown ones.
import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { LOG_FORMATS, LOG_LEVELS } from '../../src/telemetry/log-options.ts';
import { defaultValues, helm, INSTALL_TIMEOUT_MS, readChartFile } from './support/chart.ts';

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
  enum?: string[];
  items?: { enum?: string[] };
}

const schema = JSON.parse(readChartFile('values.schema.json')) as Schema;

function resolved(part: Schema): Schema {
  const name = part.$ref?.replace('#/definitions/', '');
  return name === undefined ? part : resolved(schema.definitions![name]!);
}

function schemaPaths(part: Schema, prefix = ''): string[] {
  const { properties } = resolved(part);
  if (properties === undefined) return [prefix];
  return Object.entries(properties).flatMap(([key, value]) =>
    schemaPaths(value, prefix === '' ? key : `${prefix}.${key}`),
  );
}

function valueAt(path: string): unknown {
  return path.split('.').reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], defaultValues());
}

/** The paths of all values in values.yaml, to the depth that the schema describes. */
function valuePaths(value: Record<string, unknown>, part: Schema, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, item]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    const described = resolved(part).properties?.[key];
    const deeper = described !== undefined && resolved(described).properties !== undefined;
    return deeper ? valuePaths(item as Record<string, unknown>, described, path) : [path];
  });
}

describe("the chart's values", () => {
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    await helm('lint');
  });

  it('match the keys of their schema exactly', () => {
    // Set by a parent chart or free-form: their parts need no default.
    const optional = /^(global|resources\.|affinity\.|extraEnv)/;
    const described = schemaPaths(schema).filter((path) => !optional.test(path));
    assert.ok(described.length > 60);
    assert.deepEqual(
      described.filter((path) => valueAt(path) === undefined),
      [],
      'without a default in values.yaml',
    );
    assert.deepEqual(
      valuePaths(defaultValues(), schema).filter((path) => !schemaPaths(schema).includes(path)),
      [],
      'unknown to the schema',
    );
  });

  it('accept the log levels and formats of the operator', () => {
    const { level, format } = resolved(schema.properties!['log']!).properties!;
    assert.deepEqual([...level!.enum!].sort(), [...LOG_LEVELS].sort());
    assert.deepEqual([...format!.enum!].sort(), [...LOG_FORMATS].sort());
  });

  it('can disable every alert by name', () => {
    const names = [...readChartFile('templates/_alerts.tpl').matchAll(/^- alert: (\w+)$/gm)].map(([, name]) => name);
    const rule = resolved(
      resolved(resolved(schema.properties!['metrics']!).properties!['prometheusRule']!).properties!['disabledAlerts']!,
    );
    assert.ok(names.length >= 6);
    assert.deepEqual(rule.items!.enum, names);
  });

  it('list every alert in the README', () => {
    const readme = readChartFile('README.md');
    for (const [, name] of readChartFile('templates/_alerts.tpl').matchAll(/^- alert: (\w+)$/gm)) {
      assert.match(readme, new RegExp(`^\\| \`${name}\` \\|`, 'm'));
    }
  });

  it('have the version of the program', () => {
    const { version } = JSON.parse(readChartFile('../../package.json'));
    const metadata = parse(readChartFile('Chart.yaml'));
    assert.equal(metadata.version, version);
    assert.equal(metadata.appVersion, version);
  });

  const mistakes: [string, object, RegExp][] = [
    ['an unknown key', { replicas: 2 }, /replicas/],
    ['an unknown nested key', { metrics: { serviceMonitor: { enable: true } } }, /enable/],
    ['a string instead of a number', { replicaCount: 'two' }, /replicaCount/],
    ['a limit of zero migrations', { maxMigrations: 0 }, /maxMigrations/],
    ['an unknown key for Jobs', { jobs: { image: 'a' } }, /jobs/],
    ['an unknown log level', { log: { level: 'verbose' } }, /level/],
    ['an invalid namespace', { watchNamespaces: ['Team A'] }, /watchNamespaces/],
    ['a duplicate namespace', { watchNamespaces: ['a', 'a'] }, /watchNamespaces/],
    ['a port out of range', { service: { port: 70000 } }, /port/],
    ['a truncated digest', { image: { digest: 'sha256:abc' } }, /digest/],
    ['an unknown alert', { metrics: { prometheusRule: { disabledAlerts: ['Stalled'] } } }, /disabledAlerts/],
    ['an unknown list of hosts', { admissionPolicy: { default: { targets: [] } } }, /targets/],
    [
      'actions that exclude each other',
      { admissionPolicy: { validationActions: ['Deny', 'Warn'] } },
      /validationActions/,
    ],
    ['a label that is not a string', { podLabels: { a: 1 } }, /podLabels/],
    ['an argument that is not a flag', { extraArgs: ['log-level=debug'] }, /extraArgs/],
  ];
  for (const [title, values, expected] of mistakes) {
    it(`are rejected with ${title}`, async () => {
      const { code, stderr } = await helm('template', { values });
      assert.notEqual(code, 0);
      assert.match(stderr, /schema/);
      assert.match(stderr, expected);
    });
  }
});
