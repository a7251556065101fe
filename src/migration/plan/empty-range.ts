// The error of a range that ends before it starts.

import { MigrationError } from '../report/migration-error.ts';

export function emptyRange(endMs: number): MigrationError {
  return new MigrationError('empty-range', `the range ends at ${new Date(endMs).toISOString()}, before it starts`, {
    hint: 'set spec.timeRange.start to an earlier time, or correct spec.timeRange.end and spec.timeRange.lag',
  });
}
