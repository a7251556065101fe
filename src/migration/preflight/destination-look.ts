// What the destination already has, through the progress API. Only reads.

import { formatSelector } from '../../api/selector.ts';
import type { ClientContext } from '../../remote/http/exchange.ts';
import type { Endpoint } from '../../remote/http/endpoint.ts';
import { QueryClient } from '../../remote/query-client.ts';
import { ReadClient } from '../../remote/read-client.ts';
import { hasNoSeries } from '../../remote/read-series.ts';
import type { Matcher } from '../plan/migration-plan.ts';

const MAX_RESPONSE_BYTES = 1024 * 1024;

export interface DestinationLook {
  /** Whether it has a sample of such a series in [fromMs, toMs), or in a chunk that reaches into it. Throws RemoteError, or the signal's reason. */
  has(matchers: readonly Matcher[], fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean>;
  close(): void;
}

export function openDestinationLook(
  { protocol, endpoint }: { readonly protocol: 'RemoteRead' | 'PromQL'; readonly endpoint: Endpoint },
  context: ClientContext,
): DestinationLook {
  return protocol === 'RemoteRead' ? new RemoteReadLook(endpoint, context) : new PromqlLook(endpoint, context);
}

class RemoteReadLook implements DestinationLook {
  readonly #client: ReadClient;

  constructor(endpoint: Endpoint, context: ClientContext) {
    this.#client = new ReadClient(endpoint, context);
  }

  async has(matchers: readonly Matcher[], fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean> {
    // A stream begins before everything is read. It has whole chunks: a sample may lie a little beside the range.
    const query = { matchers, fromMs, toMs, lastMs: toMs - 1, samplesOnly: false };
    return !(await hasNoSeries(this.#client, query, { attempt: 1, signal }));
  }

  close(): void {
    this.#client.close();
  }
}

class PromqlLook implements DestinationLook {
  readonly #client: QueryClient;

  constructor(endpoint: Endpoint, context: ClientContext) {
    this.#client = new QueryClient(endpoint, context);
  }

  async has(matchers: readonly Matcher[], fromMs: number, toMs: number, signal: AbortSignal): Promise<boolean> {
    const promql = `count(last_over_time(${formatSelector(matchers)}[${toMs - fromMs}ms]))`;
    const options = { attempt: 1, signal, maxBytes: MAX_RESPONSE_BYTES };
    const { series } = await this.#client.query(promql, toMs - 1, options);
    return series.some(({ samples }) => samples.length > 0);
  }

  close(): void {
    this.#client.close();
  }
}
