// The panels of the Grafana dashboard as data: four questions (how far, how fast, what is wrong, which side) and the operator itself. A
// test checks that they query only metrics that exist.

/** The migrations that were chosen at the top of the dashboard, of the operator that was chosen there. */
const MIGRATION = 'namespace=~"$namespace",migration=~"$migration"';
const OPERATOR = 'namespace=~"$namespace"';
const LEADER = `prom_migrator_operator_leader{${OPERATOR}}`;

interface Query {
  readonly expr: string;
  readonly legend?: string;
  readonly instant?: true;
}

export interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly type: 'timeseries' | 'stat' | 'bargauge' | 'table';
  /** Of the 24 columns. */
  readonly width: number;
  readonly unit?: string;
  readonly max?: number;
  readonly queries: readonly Query[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const rate = (metric: string, by: string, matchers = MIGRATION) =>
  `sum by (${by}) (rate(${metric}{${matchers}}[$__rate_interval]))`;
const newest = (metric: string, by = 'migration') => `max by (${by}) (${metric}{${MIGRATION}})`;

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
        width: 12,
        unit: 'percentunit',
        max: 1,
        queries: [{ expr: newest('prom_migrator_completed_ratio'), legend: '{{migration}}' }],
      },
      {
        title: 'Through',
        description: 'Everything before this time is in the destination.',
        type: 'timeseries',
        width: 12,
        unit: 'dateTimeAsIso',
        queries: [{ expr: `${newest('prom_migrator_watermark_timestamp_seconds')} * 1000`, legend: '{{migration}}' }],
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
  {
    title: 'Problems',
    panels: [
      {
        title: 'Conditions that need attention',
        type: 'table',
        width: 12,
        queries: [
          {
            expr: [
              `max by (migration, type, status, reason) (prom_migrator_operator_condition{${MIGRATION},type="Degraded",status="True"}) == 1`,
              `max by (migration, type, status, reason) (prom_migrator_operator_condition{${MIGRATION},type=~"Accepted|Succeeded",status="False"}) == 1`,
              `max by (migration, type, status, reason) (prom_migrator_operator_condition{${MIGRATION},type="Progressing",reason="Stalled"}) == 1`,
            ].join(' or '),
            instant: true,
          },
        ],
      },
      {
        title: 'Samples rejected in the dashboard time range',
        type: 'table',
        width: 12,
        queries: [
          {
            expr: `sum by (migration, reason) (increase(prom_migrator_samples_rejected_total{${MIGRATION}}[$__range])) > 0`,
            instant: true,
          },
        ],
      },
      {
        title: 'Samples rejected',
        type: 'timeseries',
        width: 6,
        unit: 'cps',
        queries: [
          {
            expr: rate('prom_migrator_samples_rejected_total', 'migration, reason'),
            legend: '{{migration}}: {{reason}}',
          },
        ],
      },
      {
        title: 'Retries',
        type: 'timeseries',
        width: 6,
        unit: 'reqps',
        queries: [{ expr: rate('prom_migrator_retries_total', 'side, reason'), legend: '{{side}}: {{reason}}' }],
      },
      {
        title: 'Windows split',
        type: 'timeseries',
        width: 6,
        unit: 'cps',
        queries: [
          { expr: rate('prom_migrator_window_splits_total', 'migration, by'), legend: '{{migration}} by {{by}}' },
        ],
      },
      {
        title: 'Warnings',
        type: 'timeseries',
        width: 6,
        unit: 'cps',
        queries: [{ expr: rate('prom_migrator_warnings_total', 'migration, code'), legend: '{{migration}}: {{code}}' }],
      },
    ],
  },
  {
    title: 'Source and destination',
    panels: [
      {
        title: 'Requests in flight',
        description: 'Average. The migration waits for the side with more requests.',
        type: 'timeseries',
        width: 8,
        queries: [{ expr: rate('prom_migrator_http_request_duration_seconds_sum', 'side'), legend: '{{side}}' }],
      },
      {
        title: 'Request duration, p95',
        type: 'timeseries',
        width: 8,
        unit: 's',
        queries: [
          {
            expr: `histogram_quantile(0.95, ${rate('prom_migrator_http_request_duration_seconds_bucket', 'le, side')})`,
            legend: '{{side}}',
          },
        ],
      },
      {
        title: 'Responses',
        type: 'timeseries',
        width: 8,
        unit: 'reqps',
        queries: [{ expr: rate('prom_migrator_http_requests_total', 'side, code'), legend: '{{side}} {{code}}' }],
      },
      {
        title: 'Bytes held',
        description: 'Close to the budget: the destination is slower than the source.',
        type: 'timeseries',
        width: 12,
        unit: 'bytes',
        queries: [
          { expr: newest('prom_migrator_in_flight_bytes'), legend: '{{migration}}' },
          { expr: newest('prom_migrator_memory_budget_bytes'), legend: '{{migration}}, budget' },
        ],
      },
      {
        title: 'Write requests in flight',
        type: 'timeseries',
        width: 12,
        queries: [{ expr: newest('prom_migrator_in_flight_writes'), legend: '{{migration}}' }],
      },
    ],
  },
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
