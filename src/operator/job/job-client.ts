// The requests about Jobs to the API server.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { DividedRange } from '../../execute/worker-messages.ts';
import { presentableText } from '../../telemetry/log-text.ts';
import type { JobPatch } from '../judge/decide-job.ts';
import type { JobFacts } from '../judge/job-facts.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { isConflict, isNotFound, KubeApiError } from '../kube/kube-errors.ts';
import { type KubeEvent, type KubeList, resourcePath } from '../kube/kube-objects.ts';
import { buildJob } from './build-job.ts';
import type { PodOptions } from './pod-template.ts';

/** The API server rejects the object: a quota, an admission policy, a setting that only it can check. */
const REFUSALS: readonly number[] = [400, 403, 422];

export class JobClient {
  readonly #client: KubeClient;
  readonly #options: PodOptions;

  constructor(client: KubeClient, options: PodOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Creates the Job with its ConfigMap, unless they exist. @returns why the API server refuses one of them; undefined if it does not */
  async create(migration: PromMigration, divided: DividedRange, signal: AbortSignal): Promise<string | undefined> {
    const { configMap, job } = buildJob(migration, divided, this.#options);
    const { namespace } = migration.metadata;
    try {
      await this.#create(settingsPath(namespace), configMap, signal);
      await this.#create(jobPath(namespace), job, signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof KubeApiError) || !REFUSALS.includes(error.status)) throw error;
      return `the API server refuses the Job: ${error.message}`;
    }
  }

  async patch(
    namespace: string | undefined,
    { name, uid }: JobFacts,
    spec: JobPatch,
    signal: AbortSignal,
  ): Promise<void> {
    const contentType = 'application/merge-patch+json';
    const body = { metadata: { uid }, spec };
    await unlessGone(this.#client.patch(jobPath(namespace, name), body, { contentType, signal }));
  }

  /** The Job stays until its pods are gone. */
  async delete(namespace: string | undefined, { name, uid }: JobFacts, signal: AbortSignal): Promise<void> {
    const options = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Foreground',
      preconditions: { uid },
    };
    await unlessGone(this.#client.delete(jobPath(namespace, name), { body: options, signal }));
    await unlessGone(this.#client.delete(settingsPath(namespace, name), { signal }));
  }

  /** Why the Job controller could not create pods lately; undefined if it could. */
  async podRefusal(namespace: string | undefined, { uid }: JobFacts, signal: AbortSignal): Promise<string | undefined> {
    const path = resourcePath({ ...at(namespace), group: '', version: 'v1', resource: 'events' });
    const query = { fieldSelector: `involvedObject.uid=${uid},reason=FailedCreate`, limit: '50' };
    const { items } = await this.#client.get<KubeList<CoreEvent>>(path, { query, signal }).catch((error: unknown) => {
      // Without the right to read events, only the reason is missing.
      if (error instanceof KubeApiError) return { items: [] };
      throw error;
    });
    const latest = (items ?? []).reduce<CoreEvent | undefined>(
      (last, event) => (last === undefined || timeOf(event) > timeOf(last) ? event : last),
      undefined,
    );
    return latest === undefined ? undefined : `the Job cannot create pods: ${presentableText(latest.message ?? '')}`;
  }

  async #create(path: string, body: object, signal: AbortSignal): Promise<void> {
    await this.#client.create(path, body, { signal }).catch((error: unknown) => {
      // The name says what it is made of.
      if (!isConflict(error)) throw error;
    });
  }
}

/** v1. */
interface CoreEvent extends Pick<KubeEvent, 'metadata'> {
  readonly message?: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

function timeOf({ lastTimestamp, eventTime, metadata }: CoreEvent): string {
  return lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '';
}

/** Also if another object has its name now. */
async function unlessGone(request: Promise<unknown>): Promise<void> {
  await request.catch((error: unknown) => {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  });
}

export function jobPath(namespace: string | undefined, name?: string): string {
  return resourcePath({ ...at(namespace), group: 'batch', version: 'v1', resource: 'jobs', ...(name && { name }) });
}

export function podPath(namespace: string | undefined): string {
  return resourcePath({ ...at(namespace), group: '', version: 'v1', resource: 'pods' });
}

function settingsPath(namespace: string | undefined, name?: string): string {
  return resourcePath({ ...at(namespace), group: '', version: 'v1', resource: 'configmaps', ...(name && { name }) });
}

function at(namespace: string | undefined): { namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}
