// The alerts, tested with Prometheus' own rule tests: when each fires, when it does not, and its text.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONDITION_REASONS } from '../../src/operator/judge/conditions.ts';
import { run } from '../support/child-output.ts';
import { findServer } from '../support/install.ts';
import { INSTALL_TIMEOUT_MS, NAMESPACE, only, readChartFile, render } from './support/chart.ts';
import { type Alert, type Scenario, A, condition, SCENARIOS } from './support/alert-scenarios.ts';

/** The errors that promtool reports for these tests of these rules; undefined when they pass. */
async function complaint(rules: readonly object[], tests: readonly object[]): Promise<string | undefined> {
  const { path } = await findServer('promtool', '3.5');
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-alerts-'));
  try {
    // JSON is valid YAML.
    await writeFile(join(directory, 'rules.json'), JSON.stringify({ groups: [{ name: 'prom-migrator', rules }] }));
    const testFile = { rule_files: ['rules.json'], evaluation_interval: '1m', tests };
    await writeFile(join(directory, 'tests.json'), JSON.stringify(testFile));
    await run(path, ['check', 'rules', join(directory, 'rules.json')]);
    await run(path, ['test', 'rules', join(directory, 'tests.json')]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const inputSeries = (series: Scenario['series']) =>
  Object.entries(series).map(([name, values]) => ({ series: name, values }));

describe('the alerts', () => {
  let alerts: Alert[];
  before(async function () {
    this.timeout(INSTALL_TIMEOUT_MS);
    await findServer('promtool', '3.5');
    const rule = only(await render({ values: { metrics: { prometheusRule: { enabled: true } } } }), 'PrometheusRule');
    alerts = rule['spec'].groups[0].rules;
  });

  it('each have a scenario in which they fire', () => {
    const names = [...readChartFile('templates/_alerts.tpl').matchAll(/^- alert: (\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(
      names,
      alerts.map(({ alert }) => alert),
    );
    for (const name of names) {
      assert.ok(
        SCENARIOS.some(({ alert, fires }) => alert === name && fires !== undefined),
        name,
      );
    }
  });

  it('use existing condition reasons, and so do their scenarios', () => {
    const texts = [...alerts.map(({ expr }) => expr), ...SCENARIOS.flatMap(({ series }) => Object.keys(series))];
    const known = Object.values(CONDITION_REASONS).flatMap((reasons) => Object.keys(reasons));
    const named = texts
      .filter((text) => text.includes('prom_migrator_operator_condition'))
      .flatMap((text) => [...text.matchAll(/reason!?="([^"]*)"/g)].map(([, reason]) => reason ?? ''));
    assert.ok(named.length > 8);
    assert.deepEqual(
      named.filter((reason) => !known.includes(reason)),
      [],
    );
  });

  for (const { title, alert, series, quiet, fires } of SCENARIOS) {
    it(`${alert} ${fires === undefined ? 'does not fire' : 'fires'} when ${title}`, async () => {
      const rule = alerts.find((candidate) => candidate.alert === alert)!;
      const { annotations: _, ...silent } = rule;
      const expectations = [
        ...quiet.map((at) => ({ alertname: alert, eval_time: at, exp_alerts: [] })),
        ...(fires === undefined
          ? []
          : [
              {
                alertname: alert,
                eval_time: fires.at,
                exp_alerts: [{ exp_labels: { ...rule.labels, ...fires.labels } }],
              },
            ]),
      ];
      assert.equal(
        await complaint([silent], [{ input_series: inputSeries(series), alert_rule_test: expectations }]),
        undefined,
      );
    });
  }

  it('name the migration, the cause and the amount', async () => {
    const input = {
      [condition('type="Degraded",status="True",reason="SourceFailing"')]: '1+0x30',
      [condition('type="Verified",status="False",reason="DifferencesFound"')]: '1+0x30',
      [`prom_migrator_operator_leader{${A}}`]: '1+0x30',
      [`prom_migrator_operator_watch_last_event_timestamp_seconds{${A}}`]: '0+0x30',
      [`prom_migrator_samples_rejected_total{${A},migration="team/move",reason="too-old"}`]: '_x20 7+0x10',
    };
    const expected: [string, Record<string, string>, RegExp, string][] = [
      [
        'PromMigratorMigrationDegraded',
        { migration: 'team/move', reason: 'SourceFailing' },
        /summary/,
        'Migration team/move has been failing for 15 minutes: SourceFailing.',
      ],
      [
        'PromMigratorWatchSilent',
        { namespace: NAMESPACE, instance: 'a' },
        /summary/,
        'The prom-migrator operator has received nothing from the API server for 25m 0s.',
      ],
      [
        'PromMigratorSamplesRejected',
        { migration: 'team/move', reason: 'too-old' },
        /description/,
        '7 samples were rejected in the last 15 minutes and will be missing in the destination.',
      ],
      [
        'PromMigratorDifferencesFound',
        { migration: 'team/move' },
        /description/,
        'It lacks samples, has other values, or has samples more than once. status.verification of the migration counts the differences and shows the first ones. ' +
          'The alert ends when a later verification finds none, or when they are accepted with spec.verification.mode Off.',
      ],
    ];
    const texts = expected.map(([name, labels, which, text]) => {
      const rule = alerts.find(({ alert }) => alert === name)!;
      const entry = Object.entries(rule.annotations).filter(([key]) => which.test(key));
      const expectation = { exp_labels: { ...rule.labels, ...labels }, exp_annotations: { [entry[0]![0]]: text } };
      return {
        rule: { ...rule, annotations: Object.fromEntries(entry) },
        test: { alertname: name, eval_time: '25m', exp_alerts: [expectation] },
      };
    });
    const tests = [{ input_series: inputSeries(input), alert_rule_test: texts.map(({ test }) => test) }];
    assert.equal(
      await complaint(
        texts.map(({ rule }) => rule),
        tests,
      ),
      undefined,
    );
  });
});

describe('the alert test harness', () => {
  it('fails when an alert does not fire as expected', async () => {
    const rule = { alert: 'Always', expr: 'vector(1)' };
    const expectation = { alertname: 'Always', eval_time: '1m', exp_alerts: [] };
    assert.match((await complaint([rule], [{ alert_rule_test: [expectation] }])) ?? '', /FAILED|exp:\[\]/);
  });
});
