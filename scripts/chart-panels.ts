// The panels of the Grafana dashboard as data: four questions (how far, how fast, what is wrong, which side) and the operator itself. A
// test checks that they query only metrics that exist.

import { MIGRATION, OPERATOR, LEADER, type Row, rate, newest } from './chart-panel.ts';
import { PROBLEM_ROWS } from './chart-problem-panels.ts';
import { VERIFICATION_ROW } from './chart-verification-panels.ts';

export const ROWS: readonly Row[] = [
  {
    title: 'Progress',
    panels: [
      {
        title: 'Done',
        type: 'bargauge',
        width: 8,
        unit: 'percentunit',
        max: 1,
        queries: [{ expr: newest('prom_migrator_completed_ratio'), legend: '{{migration}}', instant: true }],
      },
      {
        title: 'Time left',
        description: 'Estimated from the speed of the last ten minutes.',
        type: 'stat',
        width: 8,
        unit: 's',
        queries: [
          {
            expr:
              `(1 - ${newest('prom_migrator_completed_ratio')}) ` +
              `/ (max by (migration) (deriv(prom_migrator_completed_ratio{${MIGRATION}}[10m])) > 0)`,
            legend: '{{migration}}',
            instant: true,
          },
        ],
      },
      {
        title: 'Migrations by phase',
        type: 'stat',
        width: 8,
        queries: [
          {
            expr: `max by (phase) (prom_migrator_operator_migrations{${OPERATOR}})`,
            legend: '{{phase}}',
            instant: true,
          },
        ],
      },
      {
        title: 'Done over time',
        type: 'timeseries',
        width: 8,
        unit: 'percentunit',
        max: 1,
        queries: [{ expr: newest('prom_migrator_completed_ratio'), legend: '{{migration}}' }],
      },
      {
        title: 'Through',
        description: 'Everything before this time is in the destination.',
        type: 'timeseries',
        width: 8,
        unit: 'dateTimeAsIso',
        queries: [{ expr: `${newest('prom_migrator_watermark_timestamp_seconds')} * 1000`, legend: '{{migration}}' }],
      },
      {
        title: 'Stretches',
        description: 'Of migrations that copy several parts of the range at once, or the newest part first.',
        type: 'timeseries',
        width: 8,
        queries: [
          { expr: newest('prom_migrator_stretches'), legend: '{{migration}}, all' },
          { expr: newest('prom_migrator_stretches_finished'), legend: '{{migration}}, finished' },
          { expr: newest('prom_migrator_stretches_running'), legend: '{{migration}}, running' },
        ],
      },
    ],
  },
  {
    title: 'Speed',
    panels: [
      {
        title: 'Samples written',
        type: 'timeseries',
        width: 8,
        unit: 'cps',
        queries: [{ expr: rate('prom_migrator_samples_written_total', 'migration'), legend: '{{migration}}' }],
      },
      {
        title: 'Samples read',
        type: 'timeseries',
        width: 8,
        unit: 'cps',
        queries: [
          { expr: rate('prom_migrator_samples_read_total', 'migration'), legend: '{{migration}}' },
          { expr: rate('prom_migrator_samples_filtered_total', 'migration'), legend: '{{migration}}, filtered' },
          {
            expr: rate('prom_migrator_samples_already_present_total', 'migration'),
            legend: '{{migration}}, already present',
          },
          { expr: rate('prom_migrator_samples_conflicting_total', 'migration'), legend: '{{migration}}, conflicting' },
        ],
      },
      {
        title: 'Bytes on the wire',
        description: 'Request and response bodies, compressed as sent and received.',
        type: 'timeseries',
        width: 8,
        unit: 'Bps',
        queries: [
          { expr: rate('prom_migrator_http_received_bytes_total', 'side'), legend: 'received from {{side}}' },
          { expr: rate('prom_migrator_http_sent_bytes_total', 'side'), legend: 'sent to {{side}}' },
        ],
      },
      {
        title: 'Windows finished',
        type: 'timeseries',
        width: 6,
        unit: 'cpm',
        queries: [{ expr: `60 * ${rate('prom_migrator_windows_total', 'migration')}`, legend: '{{migration}}' }],
      },
      {
        title: 'Window duration',
        type: 'timeseries',
        width: 6,
        unit: 's',
        queries: [0.5, 0.95].map((quantile) => ({
          expr: `histogram_quantile(${quantile}, ${rate('prom_migrator_window_duration_seconds_bucket', 'le, migration')})`,
          legend: `{{migration}}, p${quantile * 100}`,
        })),
      },
      {
        title: 'Window length',
        description:
          'How much time of the range is requested at once. It adapts to the source, the memory and the destination.',
        type: 'timeseries',
        width: 6,
        unit: 's',
        queries: [{ expr: newest('prom_migrator_window_length_seconds'), legend: '{{migration}}' }],
      },
      {
        title: 'Series in a window',
        type: 'timeseries',
        width: 6,
        unit: 'short',
        queries: [{ expr: newest('prom_migrator_window_series'), legend: '{{migration}}' }],
      },
    ],
  },
  VERIFICATION_ROW,
  ...PROBLEM_ROWS,
  {
    title: 'Operator',
    panels: [
      {
        title: 'Leader',
        type: 'timeseries',
        width: 6,
        max: 1,
        queries: [{ expr: LEADER, legend: '{{pod}}' }],
      },
      {
        title: 'Time since the last watch event',
        description: 'Time since the API server last sent an event. It sends a bookmark every minute.',
        type: 'timeseries',
        width: 6,
        unit: 's',
        queries: [
          {
            expr: `time() - prom_migrator_operator_watch_last_event_timestamp_seconds{${OPERATOR}} and on (instance) ${LEADER} == 1`,
            legend: '{{pod}}',
          },
        ],
      },
      {
        title: 'Watch reconnects',
        type: 'timeseries',
        width: 6,
        unit: 'cps',
        queries: [
          { expr: rate('prom_migrator_operator_watch_reconnects_total', 'cause', OPERATOR), legend: '{{cause}}' },
        ],
      },
      {
        title: 'Status writes',
        type: 'timeseries',
        width: 6,
        unit: 'wps',
        queries: [
          { expr: rate('prom_migrator_operator_status_writes_total', 'result', OPERATOR), legend: '{{result}}' },
        ],
      },
      {
        title: 'Reconciles',
        type: 'timeseries',
        width: 6,
        unit: 'ops',
        queries: [{ expr: rate('prom_migrator_operator_reconcile_total', 'result', OPERATOR), legend: '{{result}}' }],
      },
      {
        title: 'Reconcile duration, p95',
        type: 'timeseries',
        width: 6,
        unit: 's',
        queries: [
          {
            expr: `histogram_quantile(0.95, ${rate('prom_migrator_operator_reconcile_duration_seconds_bucket', 'le', OPERATOR)})`,
            legend: 'p95',
          },
        ],
      },
      {
        title: 'Queue',
        type: 'timeseries',
        width: 6,
        queries: [
          { expr: `max by (pod) (prom_migrator_operator_queue_depth{${OPERATOR}})`, legend: '{{pod}}, waiting' },
          {
            expr: rate('prom_migrator_operator_queue_retries_total', 'pod', OPERATOR),
            legend: '{{pod}}, retries per second',
          },
        ],
      },
      {
        title: 'Event loop lag',
        type: 'timeseries',
        width: 6,
        unit: 's',
        queries: [
          { expr: `max by (pod) (prom_migrator_operator_event_loop_lag_seconds{${OPERATOR}})`, legend: '{{pod}}' },
        ],
      },
      {
        title: 'API requests',
        type: 'timeseries',
        width: 8,
        unit: 'reqps',
        queries: [
          {
            expr: rate('prom_migrator_operator_api_requests_total', 'verb, resource, code', OPERATOR),
            legend: '{{verb}} {{resource}}: {{code}}',
          },
        ],
      },
      {
        title: 'CPU',
        type: 'timeseries',
        width: 8,
        unit: 'short',
        queries: [
          {
            expr: `rate(process_cpu_seconds_total{${OPERATOR}}[$__rate_interval]) and on (instance) ${LEADER}`,
            legend: '{{pod}}',
          },
        ],
      },
      {
        title: 'Memory',
        type: 'timeseries',
        width: 8,
        unit: 'bytes',
        queries: [
          { expr: `process_resident_memory_bytes{${OPERATOR}} and on (instance) ${LEADER}`, legend: '{{pod}}' },
        ],
      },
    ],
  },
];
