// What a Thanos component says about itself by its Info API, as far as a plan shows it.

import type { Endpoint } from '../../remote/http/endpoint.ts';
import type { ClientContext } from '../../remote/http/exchange.ts';
import type { ServerReport } from '../../remote/server-report.ts';
import { StoreClient } from '../../remote/store-client.ts';
import { absentStores } from '../source/store-coverage.ts';

const MAX_INFO_BYTES = 4 * 1024 * 1024;

/**
 * @returns undefined if the component has no Info API
 * @throws RemoteError `stores-missing` if it has no data at present, and as `StoreClient.info`; WireError; the signal's reason
 */
export async function storeReport(
  source: Endpoint,
  context: ClientContext,
  signal: AbortSignal,
): Promise<ServerReport | undefined> {
  const client = new StoreClient(source, context, MAX_INFO_BYTES);
  try {
    const info = await client.info(signal);
    if (info === undefined) return undefined;
    const absent = absentStores(info);
    if (absent !== undefined) throw client.storesMissing(absent);
    const { component, labelSets, range } = info;
    return {
      ...{ product: 'Thanos', version: undefined, clockAheadMs: undefined, startedAt: undefined },
      ...{ newestMs: undefined, retentionMs: undefined, outOfOrderMs: undefined, scrapes: undefined },
      ...{ acceptsWrites: undefined, acceptsHistograms: undefined },
      store: { component, labelSets: labelSets.length, fromMs: range?.minMs, toMs: range?.maxMs },
    };
  } finally {
    client.close();
  }
}
