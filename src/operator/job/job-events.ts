// Why pods are missing or do not start, where neither the status of the Job nor that of the pod says it: from their events.

import { presentableText } from '../../telemetry/log-text.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { KubeApiError } from '../kube/kube-errors.ts';
import { type KubeEvent, type KubeList, resourcePath } from '../kube/kube-objects.ts';

/** v1. */
interface CoreEvent extends Pick<KubeEvent, 'metadata'> {
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

/** The clocks of the cluster differ, and timestamps have whole seconds. */
const CLOCK_DIFFERENCE_MS = 15_000;

export class JobEvents {
  readonly #client: KubeClient;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * Why the Job controller cannot create pods; undefined if no event says it.
   * @param sinceMs since when pods are missing, as a timestamp: older events are about something that is over
   */
  async podRefusal(
    namespace: string | undefined,
    jobUid: string,
    sinceMs: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const selector = `involvedObject.uid=${jobUid},reason=FailedCreate`;
    const latest = await this.#latest(namespace, selector, sinceMs, signal);
    return latest === undefined ? undefined : `the Job cannot create pods: ${presentableText(latest.message ?? '')}`;
  }

  /** Why a pod that has a node does not start, for example because a Secret is missing; undefined if no event says it. */
  async startFailure(
    namespace: string | undefined,
    { name, uid }: { readonly name: string; readonly uid: string },
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const latest = await this.#latest(namespace, `involvedObject.uid=${uid},type=Warning`, 0, signal);
    if (latest === undefined) return undefined;
    return `pod ${name} does not start: ${latest.reason ?? ''}: ${presentableText(latest.message ?? '')}`;
  }

  async #latest(
    namespace: string | undefined,
    fieldSelector: string,
    sinceMs: number,
    signal: AbortSignal,
  ): Promise<CoreEvent | undefined> {
    const at = namespace === undefined ? {} : { namespace };
    const path = resourcePath({ ...at, group: '', version: 'v1', resource: 'events' });
    const query = { fieldSelector, limit: '50' };
    const { items } = await this.#client.get<KubeList<CoreEvent>>(path, { query, signal }).catch((error: unknown) => {
      // Without the right to read events, only the reason is missing.
      if (error instanceof KubeApiError) return { items: [] };
      throw error;
    });
    return (items ?? [])
      .filter((event) => !(timeOf(event) < sinceMs - CLOCK_DIFFERENCE_MS))
      .reduce<CoreEvent | undefined>(
        (last, event) => (last === undefined || timeOf(event) > timeOf(last) ? event : last),
        undefined,
      );
  }
}

function timeOf({ lastTimestamp, eventTime, metadata }: CoreEvent): number {
  return Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '');
}
