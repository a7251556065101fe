// Opens the source in the protocol that the plan names.

import type { ClientContext } from '../../remote/http/exchange.ts';
import type { MigrationContext } from '../migration-context.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import { PromqlSource } from './promql-source.ts';
import { RemoteReadSource } from './remote-read-source.ts';
import type { SeriesSource } from './series-source.ts';
import { VictoriaMetricsSource } from './victoriametrics-source.ts';

/** @param budgetBytes what reading the source may take, in bytes */
export function openSource(
  { source }: MigrationPlan,
  { random, observer }: Pick<MigrationContext, 'random' | 'observer'>,
  client: ClientContext,
  budgetBytes: number,
): SeriesSource {
  const decoded = { endpoint: source, client, maxBytes: Math.floor(budgetBytes / 2), random, observer };
  switch (source.protocol) {
    case 'RemoteRead':
      return new RemoteReadSource(source, client);
    case 'VictoriaMetrics':
      return new VictoriaMetricsSource(decoded);
    case 'PromQL':
      return new PromqlSource(decoded);
  }
}
