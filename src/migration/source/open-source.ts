// Opens the source in the protocol that the plan names.

import type { ClientContext } from '../../remote/http/exchange.ts';
import type { MigrationPlan } from '../plan/migration-plan.ts';
import type { DecodedSourceOptions } from './decoded-source.ts';
import { DeferredSource } from './deferred-source.ts';
import { RemoteReadSource } from './remote-read-source.ts';
import type { SeriesSource } from './series-source.ts';

/**
 * @param limits budgetBytes: what reading the source may take, in bytes
 * @param limits longestMs: the longest range that is read at once if it fits
 */
export function openSource(
  { source }: Pick<MigrationPlan, 'source'>,
  { random, observer }: Pick<DecodedSourceOptions, 'random' | 'observer'>,
  client: ClientContext,
  { budgetBytes, longestMs }: { readonly budgetBytes: number; readonly longestMs: number },
): SeriesSource {
  const { buffers } = client;
  const maxBytes = Math.floor(budgetBytes / 2);
  const decoded = { endpoint: source, client, maxBytes, longestMs, random, observer };
  switch (source.protocol) {
    case 'RemoteRead':
      return new RemoteReadSource(source, client);
    case 'VictoriaMetrics':
      return new DeferredSource({ buffers, rangeEnd: 'included' }, async () => {
        const { VictoriaMetricsSource } = await import('./victoriametrics-source.ts');
        return new VictoriaMetricsSource(decoded);
      });
    case 'PromQL':
      return new DeferredSource({ buffers, rangeEnd: 'included', isQueried: true }, async () => {
        const { PromqlSource } = await import('./promql-source.ts');
        return new PromqlSource(decoded);
      });
    case 'ThanosStore':
      return new DeferredSource({ buffers, rangeEnd: 'included' }, async () => {
        const { ThanosStoreSource } = await import('./thanos-store-source.ts');
        return new ThanosStoreSource(source, client, { observer, maxMessageBytes: Math.floor(budgetBytes / 4) });
      });
  }
}
