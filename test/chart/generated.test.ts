// What `npm run docs` makes of the chart is up to date, and the chart's CRD is the one of crds/.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import {
  chartReadme,
  chartValues,
  crdPath,
  crdTemplate,
  crdTemplatePath,
  dashboardPath,
  formattedJson,
  readmePath,
  valuesPath,
} from '../../scripts/chart.ts';
import { dashboard } from '../../scripts/chart-dashboard.ts';
import { helm, INSTALL_TIMEOUT_MS, only, render } from './support/chart.ts';

const read = (path: string) => readFileSync(path, 'utf8');
const stale = 'is out of date: run `npm run docs`';

describe('the generated parts of the chart', () => {
  it('include the table of values', () => {
    const readme = read(readmePath);
    assert.ok(readme === chartReadme(readme, chartValues(read(valuesPath))), `${readmePath} ${stale}`);
  });

  it('include the CRD template', () => {
    assert.ok(read(crdTemplatePath) === crdTemplate(read(crdPath)), `${crdTemplatePath} ${stale}`);
  });

  it('include the dashboard', () => {
    assert.ok(read(dashboardPath) === `${formattedJson(dashboard())}\n`, `${dashboardPath} ${stale}`);
  });

  it('require a description for every value', () => {
    assert.throws(() => chartValues('a:\n  # -- Said.\n  b: 1\n  c: 2\n'), /values.yaml says nothing about a\.c/);
    assert.deepEqual(chartValues('# -- Two\n# lines.\na: [1]\nb:\n  # -- Deep.\n  c: null\n'), [
      { path: 'a', description: 'Two lines.', default: [1] },
      { path: 'b.c', description: 'Deep.', default: null },
    ]);
  });

  it('escape the braces of a CRD from the template engine', () => {
    const text = 'kind: X\nmetadata:\n  name: a.b\nspec:\n  rule: "{{x}}"\n';
    assert.match(crdTemplate(text), /rule: "\{\{ "\{\{" \}\}x\{\{ "\}\}" \}\}"/);
  });
});

describe("the chart's CustomResourceDefinition", () => {
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    await helm('lint');
  });

  it('equals the one in crds/, apart from labels and annotations', async () => {
    const { metadata, ...rest } = only(await render(), 'CustomResourceDefinition');
    const { metadata: original, ...expected } = parse(read(crdPath));
    assert.deepEqual(rest, expected);
    assert.equal(metadata.name, original.name);
  });

  it('is kept on uninstall by default', async () => {
    const policy = async (crds: object) =>
      only(await render({ values: { crds } }), 'CustomResourceDefinition').metadata.annotations;
    assert.deepEqual(await policy({}), { 'helm.sh/resource-policy': 'keep' });
    assert.deepEqual(await policy({ annotations: { a: 'b' } }), { a: 'b', 'helm.sh/resource-policy': 'keep' });
    assert.equal(await policy({ keep: false }), undefined);
  });

  it('is not rendered with crds.enabled=false', async () => {
    const objects = await render({ values: { crds: { enabled: false } } });
    assert.ok(!objects.some(({ kind }) => kind === 'CustomResourceDefinition'));
  });
});
