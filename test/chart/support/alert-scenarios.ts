// For each alert: series in which it fires, and series in which it does not.

import { NAMESPACE } from './chart.ts';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Firing {
  readonly at: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Scenario {
  readonly title: string;
  readonly alert: string;
  /** Samples a minute, in promtool's notation: `1+0x10` stays at 1 for ten more minutes. */
  readonly series: Readonly<Record<string, string>>;
  readonly quiet: readonly string[];
  readonly fires?: Firing;
}

export const A = `namespace="${NAMESPACE}",instance="a"`;
const B = `namespace="${NAMESPACE}",instance="b"`;
export const condition = (matchers: string, target = A) =>
  `prom_migrator_operator_condition{${target},migration="team/move",${matchers}}`;

export const SCENARIOS: readonly Scenario[] = [
  {
    title: 'no operator is scraped',
    alert: 'PromMigratorOperatorDown',
    series: { [`prom_migrator_operator_leader{${A}}`]: '1+0x10 _x20' },
    // Prometheus uses a sample for up to five minutes after its timestamp.
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
    title: 'there is no leader',
    alert: 'PromMigratorNoLeader',
    series: {
      [`prom_migrator_operator_leader{${A}}`]: '1 1 0+0x20',
      [`prom_migrator_operator_leader{${B}}`]: '0+0x22',
    },
    quiet: ['1m', '3m'],
    fires: { at: '5m' },
  },
  {
    title: 'leadership changes within a minute',
    alert: 'PromMigratorNoLeader',
    series: {
      [`prom_migrator_operator_leader{${A}}`]: '1 1 0+0x20',
      [`prom_migrator_operator_leader{${B}}`]: '0 0 0 1+0x19',
    },
    quiet: ['2m', '5m', '20m'],
  },
  {
    title: 'there are two leaders',
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
    title: 'the watch of a standby pod is silent',
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
    title: 'a migration stalls, and both pods report it',
    alert: 'PromMigratorMigrationStalled',
    series: {
      [condition('type="Progressing",status="False",reason="NoProgress"')]: '0 1+0x10',
      [condition('type="Progressing",status="False",reason="NoProgress"', B)]: '0 1+0x10',
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
    title: 'a migration recovers within 15 minutes',
    alert: 'PromMigratorMigrationDegraded',
    series: { [condition('type="Degraded",status="True",reason="SourceFailing"')]: '1+0x12 0+0x5 1+0x12' },
    quiet: ['14m', '17m', '30m'],
  },
  {
    title: 'the only problem is skipped samples, which have a separate alert',
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
    title: 'the first rejection creates the series',
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
  {
    title: 'a comparison ends with differences',
    alert: 'PromMigratorDifferencesFound',
    series: {
      [condition('type="Verified",status="Unknown",reason="Running"')]: '1+0x10 _x20',
      [condition('type="Verified",status="False",reason="DifferencesFound"')]: '_x16 1+0x20',
    },
    quiet: ['15m'],
    fires: { at: '17m', labels: { migration: 'team/move' } },
  },
  {
    title: 'there were differences, until a later comparison finds none',
    alert: 'PromMigratorDifferencesFound',
    series: {
      [condition('type="Verified",status="False",reason="DifferencesFound"')]: '1+0x10 stale',
      [condition('type="Verified",status="Unknown",reason="Running"')]: '_x11 1+0x10 stale',
      [condition('type="Verified",status="True",reason="Matching"')]: '_x22 1+0x10',
    },
    quiet: ['15m', '30m'],
    fires: { at: '5m', labels: { migration: 'team/move' } },
  },
  {
    title: 'there were differences, until they are accepted with mode: Off',
    alert: 'PromMigratorDifferencesFound',
    series: {
      [condition('type="Verified",status="False",reason="DifferencesFound"')]: '1+0x10 stale',
      [condition('type="Verified",status="Unknown",reason="NotRequested"')]: '_x11 1+0x10',
    },
    quiet: ['12m', '20m'],
    fires: { at: '5m', labels: { migration: 'team/move' } },
  },
  {
    title: 'both sides match',
    alert: 'PromMigratorDifferencesFound',
    series: { [condition('type="Verified",status="True",reason="Matching"')]: '1+0x20' },
    quiet: ['5m', '20m'],
  },
];
