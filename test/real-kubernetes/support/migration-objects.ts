// Creates, edits, deletes and awaits the PromMigrations of one namespace by direct API requests, because kubectl is too slow for a thousand
// of them.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Condition, PromMigrationStatus } from '../../../src/api/prom-migration-status.ts';
import { STATUS_MANAGER } from '../../../src/operator/judge/status-origin.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { eventually, succeeded } from './operator.ts';

/** A PromMigration as returned by the API server. */
export interface MigrationObject {
  metadata: { name: string; namespace: string; uid: string; generation: number; resourceVersion: string };
  spec: Record<string, unknown>;
  status?: PromMigrationStatus;
}

/** An event as returned by events.k8s.io/v1. */
export interface MigrationNews {
  type: string;
  reason: string;
  note: string;
  regarding: { name: string; uid: string };
}

/** Seconds in which an API server that has just started opens its storage. */
const MAX_WAITS = 30;

export class MigrationObjects {
  readonly namespace: string;
  readonly #cluster: Cluster;

  private constructor(cluster: Cluster, namespace: string) {
    this.#cluster = cluster;
    this.namespace = namespace;
  }

  /** Creates the namespace. */
  static async inNamespace(cluster: Cluster, namespace: string): Promise<MigrationObjects> {
    const objects = new MigrationObjects(cluster, namespace);
    await objects.#must('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
    return objects;
  }

  async create(name: string, spec: object): Promise<MigrationObject> {
    const body = { apiVersion: 'prom-migrator.io/v1alpha1', kind: 'PromMigration', metadata: { name }, spec };
    return (await this.#must('POST', this.#path(), body)) as MigrationObject;
  }

  /** Returns the API server's response, which may be a rejection. */
  tryToCreate(name: string, spec: object): Promise<{ status: number; body: unknown }> {
    const body = { apiVersion: 'prom-migrator.io/v1alpha1', kind: 'PromMigration', metadata: { name }, spec };
    return this.#cluster.request('POST', this.#path(), body);
  }

  async get(name: string): Promise<MigrationObject> {
    return (await this.#must('GET', this.#path(name))) as MigrationObject;
  }

  async list(): Promise<MigrationObject[]> {
    return ((await this.#must('GET', this.#path())) as { items: MigrationObject[] }).items;
  }

  async exists(name: string): Promise<boolean> {
    return (await this.#cluster.request('GET', this.#path(name))).status === 200;
  }

  /** A merge patch of its spec. */
  async edit(name: string, spec: object): Promise<MigrationObject> {
    const type = 'application/merge-patch+json';
    return (await this.#must('PATCH', this.#path(name), { spec }, type)) as MigrationObject;
  }

  /** Sets the finalizers, like another program that must act before the object is gone; an empty list removes them. */
  async putFinalizers(name: string, finalizers: readonly string[]): Promise<void> {
    await this.#must('PATCH', this.#path(name), { metadata: { finalizers } }, 'application/merge-patch+json');
  }

  /** A merge patch of its status, like a misbehaving client. */
  async forge(name: string, status: object): Promise<MigrationObject> {
    const path = `${this.#path(name)}/status`;
    return (await this.#must('PATCH', path, { status }, 'application/merge-patch+json')) as MigrationObject;
  }

  /** Writes the whole status like the operator, with its field manager. */
  async applyStatus(name: string, status: object): Promise<MigrationObject> {
    const path = `${this.#path(name)}/status?fieldManager=${STATUS_MANAGER}&force=true`;
    const body = { apiVersion: 'prom-migrator.io/v1alpha1', kind: 'PromMigration', metadata: { name }, status };
    return (await this.#must('PATCH', path, body, 'application/apply-patch+yaml')) as MigrationObject;
  }

  /** Every version since the given one, as a watch delivers them. */
  async versionsSince({ metadata: { name, resourceVersion } }: MigrationObject): Promise<MigrationObject[]> {
    const query = `watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${resourceVersion}`;
    const lines = succeeded(await this.#cluster.kubectl(['get', '--raw', `${this.#path()}?${query}`])).split('\n');
    return lines.filter((line) => line !== '').map((line) => (JSON.parse(line) as { object: MigrationObject }).object);
  }

  async delete(name: string): Promise<void> {
    await this.#must('DELETE', this.#path(name));
  }

  /** Creates the Secret or replaces its data. */
  async putSecret(name: string, data: Record<string, string>): Promise<void> {
    const path = `/api/v1/namespaces/${this.namespace}/secrets`;
    const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data };
    const { status } = await this.#cluster.request('POST', path, body);
    if (status === 409) await this.#must('PUT', `${path}/${name}`, body);
    else assert.equal(status, 201);
  }

  /** The events of this object, or of all. */
  async events(name?: string): Promise<MigrationNews[]> {
    const path = `/apis/events.k8s.io/v1/namespaces/${this.namespace}/events`;
    const { items } = (await this.#must('GET', path)) as { items: MigrationNews[] };
    return items.filter(({ regarding }) => name === undefined || regarding.name === name);
  }

  /** Waits for an object that matches. */
  async until(
    name: string,
    what: string,
    holds: (status: PromMigrationStatus, object: MigrationObject) => boolean,
    withinMs = 60_000,
  ): Promise<MigrationObject> {
    let object = await this.get(name);
    await eventually(
      `${this.namespace}/${name} ${what}`,
      async () => {
        object = await this.get(name);
        return holds(object.status ?? {}, object);
      },
      withinMs,
      () => JSON.stringify(object.status, undefined, 2),
    );
    return object;
  }

  /** Waits for a condition that is True, like a user. */
  async kubectlWait(name: string, condition: string): Promise<void> {
    const what = [`pmig/${name}`, '--namespace', this.namespace, `--for=condition=${condition}`, '--timeout=60s'];
    succeeded(await this.#cluster.kubectl(['wait', ...what]));
  }

  untilPhase(name: string, phase: string, withinMs?: number): Promise<MigrationObject> {
    return this.until(name, `is ${phase}`, (status) => status.phase === phase, withinMs);
  }

  async #must(method: string, path: string, body?: unknown, contentType?: string): Promise<unknown> {
    let response = await this.#cluster.request(method, path, body, contentType);
    // An API server that has just started has not done anything then.
    for (let wait = 0; response.status === 429 && wait < MAX_WAITS; wait++) {
      await sleep(1000);
      response = await this.#cluster.request(method, path, body, contentType);
    }
    const said = JSON.stringify(response.body).slice(0, 2_000);
    assert.ok(response.status >= 200 && response.status < 300, `${method} ${path}: ${response.status} ${said}`);
    return response.body;
  }

  #path(name?: string): string {
    const path = `/apis/prom-migrator.io/v1alpha1/namespaces/${this.namespace}/prommigrations`;
    return name === undefined ? path : `${path}/${name}`;
  }
}

export function conditionOf(status: PromMigrationStatus | undefined, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** `False NotFound`, or an empty string. */
export function standOf(status: PromMigrationStatus | undefined, type: string): string | undefined {
  const condition = conditionOf(status, type);
  return condition && `${condition.status} ${condition.reason}`;
}
