// The alerts, judged by Prometheus' own rule tests: when each fires, when it does not, and what it says.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONDITION_REASONS } from '../../src/operator/judge/conditions.ts';
import { run } from '../support/child-output.ts';
import { findServer } from '../support/install.ts';
import { INSTALL_TIMEOUT_MS, NAMESPACE, only, readChartFile, render } from './support/chart.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Firing {
  readonly at: string;
  readonly labels?: Readonly<Record<string, string>>;
}

interface Scenario {
  readonly title: string;
  readonly alert: string;
  /** Samples a minute, in promtool's notation: `1+0x10` stays at 1 for ten more minutes. */
  readonly series: Readonly<Record<string, string>>;
  readonly quiet: readonly string[];
  readonly fires?: Firing;
}

const A = `namespace="${NAMESPACE}",instance="a"`;
const B = `namespace="${NAMESPACE}",instance="b"`;
const condition = (matchers: string, target = A) =>
  `prom_migrator_operator_condition{${target},migration="team/move",${matchers}}`;

const SCENARIOS: readonly Scenario[] = [
  {
    title: 'no operator is scraped',
    alert: 'PromMigratorOperatorDown',
    series: { [`prom_migrator_operator_leader{${A}}`]: '1+0x10 _x20' },
    // The newest sample counts for five minutes after it.
    quiet: ['10m', '19m'],
    fires: { at: '21m', labels: { namespace: NAMESPACE } },
  },
  {
    title: "another release's operator is scraped",
    alert: 'PromMigratorOperatorDown',
    series: { 'prom_migrator_operator_leader{namespace="elsewhere",instance="a"}': '1+0x30' },
    quiet: ['4m'],
    fires: { at: '6m', labels: { namespace: NAMESPACE } },
  },
  {
    title: 'nobody leads',
    alert: 'PromMigratorNoLeader',
    series: {
      [`prom_migrator_operator_leader{${A}}`]: '1 1 0+0x20',
      [`prom_migrator_operator_leader{${B}}`]: '0+0x22',
    },
    quiet: ['1m', '3m'],
    fires: { at: '5m' },
  },
  {
    title: 'leadership passes on within a minute',
    alert: 'PromMigratorNoLeader',
    series: {
      [`prom_migrator_operator_leader{${A}}`]: '1 1 0+0x20',
      [`prom_migrator_operator_leader{${B}}`]: '0 0 0 1+0x19',
    },
    quiet: ['2m', '5m', '20m'],
  },
  {
    title: 'two lead',
    alert: 'PromMigratorTwoLeaders',
    series: {
      [`prom_migrator_operator_leader{${A}}`]: '1+0x10',
      [`prom_migrator_operator_leader{${B}}`]: '0 1+0x9',
    },
    quiet: ['0m', '2m'],
    fires: { at: '4m' },
  },
  {
    title: "the leader's watch is silent",
    alert: 'PromMigratorWatchSilent',
    series: {
      [`prom_migrator_operator_leader{${A}}`]: '1+0x30',
      [`prom_migrator_operator_watch_last_event_timestamp_seconds{${A}}`]: '0 60 120+0x28',
    },
    quiet: ['5m', '12m'],
    fires: { at: '14m', labels: { namespace: NAMESPACE, instance: 'a' } },
  },
  {
    title: 'a pod that stands by hears nothing',
    alert: 'PromMigratorWatchSilent',
    series: {
      [`prom_migrator_operator_leader{${A}}`]: '1+0x30',
      [`prom_migrator_operator_leader{${B}}`]: '0+0x30',
      [`prom_migrator_operator_watch_last_event_timestamp_seconds{${A}}`]: '0+60x30',
      [`prom_migrator_operator_watch_last_event_timestamp_seconds{${B}}`]: '0+0x30',
    },
    quiet: ['20m', '30m'],
  },
  {
    title: 'the main thread lags',
    alert: 'PromMigratorEventLoopLag',
    series: { [`prom_migrator_operator_event_loop_lag_seconds{${A}}`]: '0.9 3+0x20' },
    quiet: ['5m'],
    fires: { at: '7m', labels: { namespace: NAMESPACE, instance: 'a' } },
  },
  {
    title: 'a migration fails',
    alert: 'PromMigratorMigrationFailed',
    series: {
      [condition('type="Succeeded",status="Unknown",reason="Copying"')]: '1 0+0x10',
      [condition('type="Succeeded",status="False",reason="SourceRefused"')]: '0 1+0x10',
    },
    quiet: ['0m'],
    fires: { at: '1m', labels: { migration: 'team/move', reason: 'SourceRefused' } },
  },
  {
    title: 'a migration succeeds',
    alert: 'PromMigratorMigrationFailed',
    series: { [condition('type="Succeeded",status="True",reason="Completed"')]: '1+0x10' },
    quiet: ['0m', '5m'],
  },
  {
    title: 'a migration stalls, and both pods say so',
    alert: 'PromMigratorMigrationStalled',
    series: {
      [condition('type="Progressing",status="False",reason="Stalled"')]: '0 1+0x10',
      [condition('type="Progressing",status="False",reason="Stalled"', B)]: '0 1+0x10',
    },
    quiet: ['1m'],
    fires: { at: '3m', labels: { migration: 'team/move' } },
  },
  {
    title: 'a migration is suspended',
    alert: 'PromMigratorMigrationStalled',
    series: { [condition('type="Progressing",status="False",reason="Suspended"')]: '1+0x10' },
    quiet: ['5m'],
  },
  {
    title: 'a migration is degraded',
    alert: 'PromMigratorMigrationDegraded',
    series: { [condition('type="Degraded",status="True",reason="SourceFailing"')]: '1+0x30' },
    quiet: ['14m'],
    fires: { at: '16m', labels: { migration: 'team/move', reason: 'SourceFailing' } },
  },
  {
    title: 'a migration recovers before a quarter of an hour is over',
    alert: 'PromMigratorMigrationDegraded',
    series: { [condition('type="Degraded",status="True",reason="SourceFailing"')]: '1+0x12 0+0x5 1+0x12' },
    quiet: ['14m', '17m', '30m'],
  },
  {
    title: 'skipped samples, which have an alert of their own, are all that is wrong',
    alert: 'PromMigratorMigrationDegraded',
    series: { [condition('type="Degraded",status="True",reason="SamplesSkipped"')]: '1+0x30' },
    quiet: ['16m', '30m'],
  },
  {
    title: 'a Secret stays missing',
    alert: 'PromMigratorMigrationNotAccepted',
    series: { [condition('type="Accepted",status="False",reason="SecretNotFound"')]: '1+0x20' },
    quiet: ['9m'],
    fires: { at: '11m', labels: { migration: 'team/move', reason: 'SecretNotFound' } },
  },
  {
    title: 'the first rejection makes the series',
    alert: 'PromMigratorSamplesRejected',
    series: { [`prom_migrator_samples_rejected_total{${A},migration="team/move",reason="too-old"}`]: '_x20 7+0x40' },
    quiet: ['19m', '40m'],
    fires: { at: '21m', labels: { migration: 'team/move', reason: 'too-old' } },
  },
  {
    title: 'further rejections follow',
    alert: 'PromMigratorSamplesRejected',
    series: {
      [`prom_migrator_samples_rejected_total{${A},migration="team/move",reason="too-old"}`]: '7+0x40 9+0x40',
    },
    quiet: ['30m', '60m'],
    fires: { at: '45m', labels: { migration: 'team/move', reason: 'too-old' } },
  },
];

/** What promtool says to these tests of these rules; undefined when they hold. */
async function complaint(rules: readonly object[], tests: readonly object[]): Promise<string | undefined> {
  const { path } = await findServer('promtool', '3.5');
  const directory = await mkdtemp(join(tmpdir(), 'prom-migrator-alerts-'));
  try {
    // YAML takes JSON as it is.
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

  it('have a scenario in which they fire, each of them', () => {
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

  it('know the reasons of conditions, and so do their scenarios', () => {
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
    it(`${alert} ${fires === undefined ? 'is quiet' : 'fires'} when ${title}`, async () => {
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

  it('say which migration, why, and how much', async () => {
    const input = {
      [condition('type="Degraded",status="True",reason="SourceFailing"')]: '1+0x30',
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

describe('the judge of alerts', () => {
  it('complains when an alert does not fire as expected', async () => {
    const rule = { alert: 'Always', expr: 'vector(1)' };
    const expectation = { alertname: 'Always', eval_time: '1m', exp_alerts: [] };
    assert.match((await complaint([rule], [{ alert_rule_test: [expectation] }])) ?? '', /FAILED|exp:\[\]/);
  });
});
