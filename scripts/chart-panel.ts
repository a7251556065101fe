// What a panel of the dashboard is, and the queries that many panels have.

/** The migrations and the operator selected at the top of the dashboard. */
export const MIGRATION = 'namespace=~"$namespace",migration=~"$migration"';
export const OPERATOR = 'namespace=~"$namespace"';
export const LEADER = `prom_migrator_operator_leader{${OPERATOR}}`;

export interface Query {
  readonly expr: string;
  readonly legend?: string;
  readonly instant?: true;
}

export interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly type: 'timeseries' | 'stat' | 'bargauge' | 'table';
  /** Out of 24 columns. */
  readonly width: number;
  readonly unit?: string;
  readonly max?: number;
  readonly queries: readonly Query[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export const rate = (metric: string, by: string, matchers = MIGRATION) =>
  `sum by (${by}) (rate(${metric}{${matchers}}[$__rate_interval]))`;
export const newest = (metric: string, by = 'migration') => `max by (${by}) (${metric}{${MIGRATION}})`;
