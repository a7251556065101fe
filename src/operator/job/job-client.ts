// The requests about Jobs to the API server. Whatever is deleted or changed is exactly the object that is known: a later one of its name is
// left alone.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { DividedRange } from '../../execute/worker-messages.ts';
import type { JobPatch } from '../judge/decide-job.ts';
import type { JobFacts } from '../judge/job-facts.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { isConflict, isNotFound, KubeApiError } from '../kube/kube-errors.ts';
import { resourcePath } from '../kube/kube-objects.ts';
import { buildJob, buildSettings } from './build-job.ts';
import type { ConfigMap, Job } from './job-objects.ts';
import type { PodOptions } from './pod-template.ts';

export interface CreatedJob {
  readonly uid: string;
  /** Its ConfigMap. */
  readonly settings: ConfigMap;
}

export class JobClient {
  readonly #client: KubeClient;
  readonly #options: PodOptions | undefined;

  /** @param options undefined: it creates no Jobs */
  constructor(client: KubeClient, options: PodOptions | undefined) {
    this.#client = client;
    this.#options = options;
  }

  /**
   * Creates the Job. Its pods start when its ConfigMap exists as well: see `putSettings`.
   * @throws KubeApiError, also if there is a Job of this name
   */
  async create(migration: PromMigration, divided: DividedRange, signal: AbortSignal): Promise<CreatedJob> {
    if (this.#options === undefined) throw new Error('there is no image for the pods of a Job');
    const { job, settings } = buildJob(migration, divided, this.#options);
    const created = await this.#client.create<Job>(jobPath(migration.metadata.namespace), job, { signal });
    const { uid = '' } = created.metadata;
    return { uid, settings: buildSettings(job, uid, settings) };
  }

  /**
   * Creates the ConfigMap of a Job, and replaces one of its name that an earlier Job has left or that someone has put there.
   * @throws KubeApiError, also if that one does not go away
   */
  async putSettings(settings: ConfigMap, signal: AbortSignal): Promise<void> {
    const { namespace, name } = settings.metadata;
    const create = () => this.#client.create(settingsPath(namespace), settings, { signal });
    try {
      await create();
    } catch (error) {
      if (!isConflict(error)) throw error;
      const there = await this.#settings(namespace, name, signal);
      if (there !== undefined && isSame(there, settings)) return;
      // Nothing depends on it. A deletion in the foreground would leave its name in use for a moment.
      if (there !== undefined)
        await this.#delete(settingsPath(namespace, name), there.metadata.uid, 'Background', signal);
      await create().catch((again: unknown) => {
        throw isConflict(again) ? otherSettings(name) : again;
      });
    }
  }

  /** Whether the Job has its ConfigMap, as far as the operator may know it. */
  async hasSettings(namespace: string | undefined, { name, uid }: JobFacts, signal: AbortSignal): Promise<boolean> {
    try {
      const there = await this.#settings(namespace, name, signal);
      return there !== undefined && isOwnedBy(there, uid);
    } catch (error) {
      if (error instanceof KubeApiError) return true;
      throw error;
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
    // A conflict may be about this Job as well: its pods must not continue because nothing repeats the request.
    await this.#client.patch(jobPath(namespace, name), body, { contentType, signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }

  /** The Job stays until its pods are gone. */
  async delete(namespace: string | undefined, { name, uid }: JobFacts, signal: AbortSignal): Promise<void> {
    await this.#delete(jobPath(namespace, name), uid, 'Foreground', signal);
  }

  /** Does nothing if another object has its name now. */
  async #delete(
    path: string,
    uid: string | undefined,
    propagationPolicy: 'Foreground' | 'Background',
    signal: AbortSignal,
  ): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy, preconditions: { uid } };
    await this.#client.delete(path, { body, signal }).catch((error: unknown) => {
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
  }

  async #settings(namespace: string | undefined, name: string, signal: AbortSignal): Promise<ConfigMap | undefined> {
    return await this.#client.get<ConfigMap>(settingsPath(namespace, name), { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  }
}

/** The API server's own text would only say that it exists. */
function otherSettings(name: string): KubeApiError {
  const message = `another ConfigMap ${name} does not go away: see its metadata.finalizers, and what creates it`;
  return new KubeApiError({ status: 409, reason: 'AlreadyExists', message });
}

function isSame(there: ConfigMap, settings: ConfigMap): boolean {
  const [owner] = settings.metadata.ownerReferences ?? [];
  const entries = Object.entries(settings.data);
  return (
    isOwnedBy(there, owner?.uid) &&
    Object.keys(there.data ?? {}).length === entries.length &&
    entries.every(([key, text]) => there.data[key] === text)
  );
}

function isOwnedBy({ metadata }: ConfigMap, uid: string | undefined): boolean {
  return (
    metadata.deletionTimestamp === undefined && metadata.ownerReferences?.some((owner) => owner.uid === uid) === true
  );
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
