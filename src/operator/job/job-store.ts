// The current Jobs of migrations and their pods in all watched namespaces. Reflectors write what the API server lists and watches, reduced to
// what job-view.ts reads.

import type { PromMigration } from '../../api/prom-migration.ts';
import type { JobFacts } from '../judge/job-facts.ts';
import { keyOf, type KubeObject } from '../kube/kube-objects.ts';
import type { Change } from '../kube/reflector.ts';
import type { Job, Pod } from './job-objects.ts';
import { labelsOf, MIGRATION_LABEL } from './job-names.ts';
import { factsOf } from './job-view.ts';

const JOB_NAME = 'batch.kubernetes.io/job-name';

export class JobStore {
  readonly #jobs: readonly Map<string, Job>[];
  readonly #pods: readonly Map<string, Pod>[];
  readonly #listed = new Set<Map<string, KubeObject>>();
  /** What the operator may not list or watch. */
  readonly #forbidden = new Set<Map<string, KubeObject>>();
  /** The keys of the migrations, by the key of a Job: one that is gone cannot say whose it was. */
  readonly #owners = new Map<string, string>();
  readonly #namespaces: readonly (string | undefined)[];

  /** @param namespaces as of the MigrationStore */
  constructor(namespaces: readonly (string | undefined)[]) {
    this.#namespaces = namespaces;
    this.#jobs = namespaces.map(() => new Map());
    this.#pods = namespaces.map(() => new Map());
  }

  /** What has to be watched: only the reflector of a watch may write to its objects. */
  get watches() {
    return this.#namespaces.flatMap((namespace, index) => [
      { namespace, kind: 'jobs' as const, objects: this.#jobs[index] as Map<string, KubeObject> },
      { namespace, kind: 'pods' as const, objects: this.#pods[index] as Map<string, KubeObject> },
    ]);
  }

  /** Whether all of them are listed, apart from those that are forbidden. Before that, a Job that is missing proves nothing. */
  get synced(): boolean {
    return [...this.#jobs, ...this.#pods].every((objects) => this.#listed.has(objects) || this.#forbidden.has(objects));
  }

  /** Whether the Jobs and pods of a namespace are known: the operator has the rights on them. */
  isPermitted(namespace: string | undefined): boolean {
    const index = Math.max(0, this.#namespaces.indexOf(namespace));
    return [this.#jobs[index], this.#pods[index]].every(
      (objects) => objects !== undefined && this.#listed.has(objects) && !this.#forbidden.has(objects),
    );
  }

  /**
   * Notes whether the operator may list and watch these objects.
   * @returns whether that has changed
   */
  permit(objects: Map<string, KubeObject>, isPermitted: boolean): boolean {
    if (this.#forbidden.has(objects) !== isPermitted) return false;
    if (isPermitted) this.#forbidden.delete(objects);
    else this.#forbidden.add(objects);
    return true;
  }

  /** Handles a change that the reflector of `objects` made. @returns the keys of the migrations to reconcile */
  take(objects: Map<string, KubeObject>, change: Change): string[] {
    if (change.kind === 'waiting') return [];
    if (change.kind === 'synced') {
      this.#listed.add(objects);
      for (const object of objects.values()) this.#noteOwner(object);
      return [];
    }
    const object = objects.get(change.key);
    if (object !== undefined) this.#noteOwner(object);
    const job = object === undefined ? change.key : jobKeyOfPod(object as Pod);
    const owner = this.#owners.get(job ?? change.key);
    if (object === undefined) this.#owners.delete(change.key);
    return owner === undefined ? [] : [owner];
  }

  #jobsOf({ metadata: { namespace, uid } }: PromMigration): Job[] {
    return this.#jobs
      .flatMap((jobs) => [...jobs.values()])
      .filter((job) => job.metadata.namespace === namespace && ownerOf(job)?.uid === uid);
  }

  /** Of a Job. The owner of a pod is its Job. */
  #noteOwner(object: KubeObject): void {
    const owner = ownerOf(object);
    const { namespace } = object.metadata;
    if (owner?.kind === 'PromMigration') this.#owners.set(keyOf(object), `${namespace}/${owner.name}`);
  }

  /**
   * Whether pods may still be writing that belong to none of its Jobs: someone has deleted their Job, or an earlier object of this name. Pods
   * outlive both.
   */
  hasStrayPods(migration: PromMigration): boolean {
    const { namespace } = migration.metadata;
    const label = labelsOf(migration)[MIGRATION_LABEL];
    const own = new Set(this.#jobsOf(migration).map(({ metadata }) => metadata.uid));
    return this.#pods
      .flatMap((map) => [...map.values()])
      .some(
        (pod) =>
          pod.metadata.namespace === namespace &&
          pod.metadata.labels?.[MIGRATION_LABEL] === label &&
          pod.status?.phase !== 'Succeeded' &&
          pod.status?.phase !== 'Failed' &&
          !own.has(ownerOf(pod)?.uid),
      );
  }

  /**
   * The Jobs of exactly this object, the oldest first.
   * @param nowMs a timestamp
   */
  factsOf(migration: PromMigration, nowMs: number): JobFacts[] {
    const { namespace } = migration.metadata;
    const own = this.#jobsOf(migration);
    if (own.length === 0) return [];
    const pods = this.#pods.flatMap((map) => [...map.values()]).filter((pod) => pod.metadata.namespace === namespace);
    return own
      .map((job) => ({
        facts: factsOf(
          job,
          pods.filter((pod) => ownerOf(pod)?.uid === job.metadata.uid),
          nowMs,
        ),
        created: job.metadata.creationTimestamp ?? '',
      }))
      .sort((a, b) => (a.created < b.created ? -1 : 1))
      .map(({ facts }) => facts);
  }
}

/** The key of the pod's Job. */
function jobKeyOfPod({ metadata: { labels, namespace } }: Pod): string | undefined {
  const job = labels?.[JOB_NAME];
  return job === undefined ? undefined : `${namespace}/${job}`;
}

function ownerOf({ metadata }: Job | Pod | KubeObject) {
  return (metadata as Job['metadata']).ownerReferences?.find(({ controller }) => controller);
}

/** The Job without what only Kubernetes reads. */
export function reducedJob({ apiVersion, kind, metadata, spec, status }: Job): Job {
  const { template, ...settings } = spec;
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(kind !== undefined && { kind }),
    metadata,
    spec: settings,
    ...(status !== undefined && { status }),
  };
}

export function reducedPod({ metadata, status }: Pod): Pod {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, labels, ownerReferences } = metadata;
  return {
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(labels !== undefined && { labels }),
      ...(ownerReferences !== undefined && { ownerReferences }),
    },
    ...(status !== undefined && {
      status: {
        ...(status.phase !== undefined && { phase: status.phase }),
        ...(status.message !== undefined && { message: status.message }),
        ...(status.conditions !== undefined && { conditions: status.conditions }),
        ...(status.containerStatuses !== undefined && {
          containerStatuses: status.containerStatuses.map(({ name, state }) => ({
            ...(name !== undefined && { name }),
            ...(state !== undefined && { state }),
          })),
        }),
      },
    }),
  };
}
