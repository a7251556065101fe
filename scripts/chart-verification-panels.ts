// The row of the dashboard about the comparison of source and destination.

import { MIGRATION, newest, type Row, rate } from './chart-panel.ts';

export const VERIFICATION_ROW: Row = {
  title: 'Verification',
  panels: [
    {
      title: 'Result',
      description: 'The condition Verified of every migration that is compared.',
      type: 'table',
      width: 8,
      queries: [
        {
          expr: `max by (migration, status, reason) (prom_migrator_operator_condition{${MIGRATION},type="Verified",reason!="NotRequested"}) == 1`,
          instant: true,
        },
      ],
    },
    {
      title: 'Differences',
      description: 'Of the current or last comparison. Extra samples do not fail it.',
      type: 'table',
      width: 8,
      queries: [
        {
          expr: `max by (migration, kind) (prom_migrator_verification_differences{${MIGRATION}}) > 0`,
          instant: true,
        },
      ],
    },
    {
      title: 'Expected changes',
      description: 'Samples with a change that a store or protocol is known to make.',
      type: 'table',
      width: 8,
      queries: [
        {
          expr: `max by (migration, reason) (prom_migrator_verification_expected_changes{${MIGRATION}}) > 0`,
          instant: true,
        },
      ],
    },
    {
      title: 'Samples compared',
      type: 'timeseries',
      width: 8,
      unit: 'cps',
      queries: [{ expr: rate('prom_migrator_samples_compared_total', 'migration'), legend: '{{migration}}' }],
    },
    {
      title: 'Samples repaired',
      type: 'timeseries',
      width: 8,
      unit: 'cps',
      queries: [{ expr: rate('prom_migrator_samples_repaired_total', 'migration'), legend: '{{migration}}' }],
    },
    {
      title: 'Compared through',
      description: 'Everything before this time has been compared.',
      type: 'timeseries',
      width: 8,
      unit: 'dateTimeAsIso',
      queries: [
        { expr: `${newest('prom_migrator_verified_through_timestamp_seconds')} * 1000`, legend: '{{migration}}' },
      ],
    },
  ],
};
