// The panels of the dashboard that show what is wrong, and on which side.

import { MIGRATION, type Row, rate, newest } from './chart-panel.ts';

export const PROBLEM_ROWS: readonly Row[] = [
  {
    title: 'Problems',
    panels: [
      {
        title: 'Conditions that need attention',
        type: 'table',
        width: 8,
        queries: [
          {
            expr: [
              `max by (migration, type, status, reason) (prom_migrator_operator_condition{${MIGRATION},type="Degraded",status="True"}) == 1`,
              `max by (migration, type, status, reason) (prom_migrator_operator_condition{${MIGRATION},type=~"Accepted|Succeeded|Verified",status="False"}) == 1`,
              `max by (migration, type, status, reason) (prom_migrator_operator_condition{${MIGRATION},type="Progressing",reason="NoProgress"}) == 1`,
            ].join(' or '),
            instant: true,
          },
        ],
      },
      {
        title: 'Samples rejected in the dashboard time range',
        type: 'table',
        width: 8,
        queries: [
          {
            expr: `sum by (migration, reason) (increase(prom_migrator_samples_rejected_total{${MIGRATION}}[$__range])) > 0`,
            instant: true,
          },
        ],
      },
      {
        title: 'Found before the copy',
        description: 'By the look of spec.preflight. The condition Accepted of the migration has the findings.',
        type: 'table',
        width: 8,
        queries: [
          { expr: `${newest('prom_migrator_operator_preflight_findings', 'migration, grade')} > 0`, instant: true },
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
];
