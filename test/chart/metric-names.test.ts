// Alerts and dashboard query metrics that the operator exposes, in valid PromQL.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../support/child-output.ts';
import { findServer } from '../support/install.ts';
import { KNOWN_SERIES, TARGET_LABELS } from './known-metrics.ts';
import { INSTALL_TIMEOUT_MS, only, readChartFile, render } from './support/chart.ts';
import { groupingLabelsOf, seriesOf } from './support/promql.ts';

interface Expression {
  readonly where: string;
  readonly text: string;
}

interface Dashboard {
  panels: { title: string; type: string; targets?: { expr: string }[] }[];
  templating: { list: { name: string; query: string | { query: string } }[] };
}

function problems({ where, text }: Expression): string[] {
  const uses = seriesOf(text);
  const found = uses.length === 0 ? [`${where}: asks for no series: ${text}`] : [];
  const allowed = new Set<string>(TARGET_LABELS);
  for (const { name, labels } of uses) {
    const known = KNOWN_SERIES.get(name);
    if (known === undefined) {
      found.push(`${where}: no metric is called ${name}`);
      continue;
    }
    for (const label of known) allowed.add(label);
    for (const label of labels) {
      if (!known.includes(label) && !TARGET_LABELS.includes(label))
        found.push(`${where}: ${name} has no label ${label}`);
    }
  }
  for (const label of groupingLabelsOf(text)) {
    if (!allowed.has(label)) found.push(`${where}: no metric of ${text} has the label ${label}`);
  }
  return found;
}

function dashboardExpressions(): Expression[] {
  const { panels } = JSON.parse(readChartFile('files/grafana-dashboard.json')) as Dashboard;
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ where: `panel ${title}`, text: expr })),
  );
}

async function alertExpressions(): Promise<Expression[]> {
  const rule = only(await render({ values: { metrics: { prometheusRule: { enabled: true } } } }), 'PrometheusRule');
  return rule['spec'].groups.flatMap((group: { rules: { alert: string; expr: string }[] }) =>
    group.rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, text: expr })),
  );
}

describe('the PromQL series finder', () => {
  it('finds selectors, but not functions, keywords, labels, strings or durations', () => {
    const expression = `
      # max(no_series)
      sum by (job, le) (rate(a_bucket{job=~"b{}",x!='c'}[5m:30s] offset 1h)) > bool 0.5
        and on (instance) topk(3, d) unless ignoring (e) group_left (f) g{} or sum(h) by (i) / k{l="m"}`;
    assert.deepEqual(seriesOf(expression), [
      { name: 'a_bucket', labels: ['job', 'x'] },
      { name: 'd', labels: [] },
      { name: 'g', labels: [] },
      { name: 'h', labels: [] },
      { name: 'k', labels: ['l'] },
    ]);
    assert.deepEqual(groupingLabelsOf(expression), ['job', 'le', 'instance', 'e', 'f', 'i']);
  });

  it('reports metrics, labels and groups that do not exist', () => {
    const found = problems({
      where: 'x',
      text: 'sum by (nobody) (prom_migrator_windows_totals) + prom_migrator_phase{side="a"}',
    });
    assert.deepEqual(found.length, 3);
  });
});

describe('alerts and dashboard', () => {
  let alerts: Expression[];
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    alerts = await alertExpressions();
  });

  it('use only metrics and labels that exist', () => {
    assert.deepEqual([...alerts, ...dashboardExpressions()].flatMap(problems), []);
  });

  it('populate the dashboard variables from metrics that exist', () => {
    const { templating } = JSON.parse(readChartFile('files/grafana-dashboard.json')) as Dashboard;
    const queries = templating.list.flatMap(({ query }) => (typeof query === 'string' ? [] : [query.query]));
    assert.equal(queries.length, 2);
    for (const query of queries) {
      const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(query)!;
      assert.deepEqual(problems({ where: query, text: `sum by (${label}) (${selector})` }), []);
    }
  });

  it('show every metric of the operator on the dashboard', () => {
    const shown = new Set(dashboardExpressions().flatMap(({ text }) => seriesOf(text).map(({ name }) => name)));
    const missing = [...KNOWN_SERIES.keys()].filter(
      (name) => name.startsWith('prom_migrator_operator_') && !/_(sum|count)$/.test(name) && !shown.has(name),
    );
    assert.deepEqual(missing, []);
  });

  it('are valid PromQL according to Prometheus', async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    const { path } = await findServer('promtool', '3.5');
    const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-promql-'));
    try {
      const rules = [...alerts, ...dashboardExpressions()].map(({ text }, index) => ({
        record: `expression:${index}`,
        expr: text.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '6h'),
      }));
      const file = join(directory, 'rules.json');
      // JSON is valid YAML.
      await writeFile(file, JSON.stringify({ groups: [{ name: 'all', rules }] }));
      assert.match(await run(path, ['check', 'rules', file]), new RegExp(`SUCCESS: ${rules.length} rules found`));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
