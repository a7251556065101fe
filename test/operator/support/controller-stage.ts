// A controller with fakes of its environment: a store and an API server in memory, and threads and a clock that the test controls.

import type { PromMigration } from '../../../src/api/prom-migration.ts';
import type { SecretReading } from '../../../src/operator/check.ts';
import { Controller } from '../../../src/operator/controller.ts';
import type { JobReconcilerOptions } from '../../../src/operator/job/job-reconciler.ts';
import type { FoundJob } from '../../../src/operator/judge/left-job.ts';
import { KubeApiError } from '../../../src/operator/kube/kube-errors.ts';
import { keyOf } from '../../../src/operator/kube/kube-objects.ts';
import { type Life, nextLife, permissionOf } from '../../../src/operator/life-cycle.ts';
import { MigrationStore } from '../../../src/operator/migration-store.ts';
import { StatusWriter } from '../../../src/operator/status-writer.ts';
import { WorkerPool } from '../../../src/execute/worker-pool.ts';
import { WorkQueue } from '../../../src/operator/kube/work-queue.ts';
import type { MigrationEvent } from '../../../src/migration/report/observer.ts';
import type { LogFields } from '../../../src/telemetry/log-text.ts';
import type { Secret } from '../../../src/telemetry/secret.ts';
import { FakeWorker } from './fake-worker.ts';
import { ManualClock, settled } from './manual-clock.ts';
import { endMs, migrationOf, nowMs, startMs } from './migrations.ts';

export class Stage implements AsyncDisposable {
  readonly clock = new ManualClock(nowMs);
  readonly store = new MigrationStore([]);
  /** The objects on the API server. */
  readonly #objects = new Map<string, PromMigration>();
  readonly workers: FakeWorker[] = [];
  readonly secrets = new Map<string, Secret>();
  readonly events: string[] = [];
  readonly logs: string[] = [];
  readonly deleted: string[] = [];
  readonly forgotten: string[] = [];
  secretReads = 0;
  statusWrites = 0;
  /** While set, the API server accepts status writes and notifies the watch, but its responses are delayed until this resolves. */
  responses: Promise<void> | undefined;
  /** Secret reads are delayed until this resolves. */
  secretResponses: Promise<void> | undefined;
  /** Thrown instead of starting the next threads. */
  readonly spawnFailures: Error[] = [];
  /** Thrown by the next status writes. */
  readonly writeFailures: KubeApiError[] = [];
  /** What an operator without the rights on Jobs finds of the Job of a migration. */
  foundJob: FoundJob = { kind: 'none' };
  /** Whether this replica is the leader. */
  leads = true;
  life: Life = { kind: 'standby', listed: true };
  readonly controller: Controller;
  readonly #leading = new AbortController();
  #work: Promise<void> | undefined;
  #version = 100;

  constructor(options: { maxMigrations?: number; jobs?: JobReconcilerOptions } = {}) {
    const { clock } = this;
    const log = (message: string, fields?: LogFields) => {
      this.logs.push(`${message} ${JSON.stringify(fields)}`);
    };
    this.controller = new Controller({
      store: this.store,
      queue: new WorkQueue({ clock, random: () => 1 }),
      pool: (listeners) =>
        new WorkerPool({
          spawn: (job) => {
            const failure = this.spawnFailures.shift();
            if (failure !== undefined) throw failure;
            const worker = new FakeWorker(job);
            this.workers.push(worker);
            return worker;
          },
          clock,
          ...listeners,
        }),
      writer: new StatusWriter({
        client: {
          apply: (_path, body) => this.#apply(body),
          patch: () => Promise.reject(new Error('nobody edits here')),
        },
        clock,
        onWrite: () => {},
      }),
      recorder: { record: ({ name }, { reason }) => this.events.push(`${name} ${reason}`) },
      readSecrets: async (migration) => {
        await this.secretResponses;
        return this.#readSecrets(migration);
      },
      readResource: async (resource) => {
        const read = this.#objects.get(keyOf(resource));
        await this.responses;
        return read;
      },
      deleteResource: async (resource) => {
        this.deleted.push(resource.metadata.name);
        this.remove(keyOf(resource));
      },
      permission: () => permissionOf(this.life),
      leaseHeld: () => this.leads,
      maxMigrations: options.maxMigrations ?? 2,
      jobs: options.jobs,
      findJob: async () => this.foundJob,
      allowsAmbient: false,
      clock,
      logger: { error: log, warn: log, info: log, debug: log },
      hooks: {
        report: () => {},
        preflight: () => {},
        ended: () => {},
        forget: (key) => this.forgotten.push(key),
        reconciled: () => {},
      },
    });
  }

  /** Delivers the objects as watch events. */
  put(...resources: PromMigration[]): void {
    for (const resource of resources) {
      const { metadata } = resource;
      const stored = { ...resource, metadata: { ...metadata, resourceVersion: String(++this.#version) } };
      this.#objects.set(keyOf(resource), stored);
      this.#notify(stored);
    }
  }

  /** Edits the object like a user: a change of the spec increments the generation. */
  edit(name: string, change: (resource: PromMigration) => PromMigration): void {
    const before = this.resource(name);
    const after = change(before);
    const generation = (before.metadata.generation ?? 0) + (after.spec === before.spec ? 0 : 1);
    this.put({ ...after, metadata: { ...after.metadata, generation } });
  }

  spec(name: string, spec: object): void {
    this.edit(name, (resource) => ({ ...resource, spec: { ...resource.spec, ...spec } }));
  }

  remove(key: string): void {
    const object = this.#objects.get(key);
    if (object === undefined) return;
    this.#objects.delete(key);
    this.store.objectsOf(undefined).delete(key);
    for (const changed of this.store.take(undefined, { kind: 'deleted', key })) this.controller.changed(changed);
  }

  resource(name: string): PromMigration {
    const resource = this.#objects.get(`team/${name}`);
    if (resource === undefined) throw new Error(`there is no ${name}`);
    return resource;
  }

  /** The state after `kubectl delete` while a finalizer remains. */
  terminate(name: string): void {
    this.edit(name, ({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, deletionTimestamp: '2025-06-01T12:00:00Z' },
    }));
  }

  phase(name: string): string | undefined {
    return this.resource(name).status?.phase;
  }

  /** `True Completed` */
  condition(name: string, type: string): string {
    const condition = this.resource(name).status?.conditions?.find((one) => one.type === type);
    return `${condition?.status} ${condition?.reason}`;
  }

  /** The newest worker of a migration. */
  worker(name: string): FakeWorker {
    const worker = this.workers.findLast(({ job }) => job.plan.migration === `team/${name}`);
    if (worker === undefined) throw new Error(`${name} has had no worker`);
    return worker;
  }

  async lead(): Promise<void> {
    this.life = nextLife(this.life, 'elected');
    this.#work = this.controller.lead(this.#leading.signal);
    await this.pass(0);
  }

  drain(graceMs: number): Promise<void> {
    this.life = nextLife(this.life, 'stop');
    return this.controller.drain(graceMs);
  }

  async pass(ms: number): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await settled();
    await this.clock.advance(ms);
    for (let turn = 0; turn < 5; turn++) await settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leading.abort();
    await this.#work;
  }

  #notify(object: PromMigration): void {
    this.store.objectsOf(undefined).set(keyOf(object), object);
    for (const key of this.store.take(undefined, { kind: 'modified', key: keyOf(object) }))
      this.controller.changed(key);
  }

  async #apply<T>(body: unknown): Promise<T> {
    this.statusWrites++;
    const failure = this.writeFailures.shift();
    if (failure !== undefined) throw failure;
    const { metadata, status } = body as PromMigration;
    const before = this.#objects.get(keyOf(body as PromMigration));
    if (before === undefined) throw new KubeApiError({ status: 404, reason: 'NotFound', message: 'gone' });
    const { uid, resourceVersion } = before.metadata;
    if (metadata.uid !== uid || metadata.resourceVersion !== resourceVersion) {
      throw new KubeApiError({ status: 409, reason: 'Conflict', message: 'changed' });
    }
    const after = {
      ...before,
      metadata: { ...before.metadata, resourceVersion: String(++this.#version) },
      ...(status !== undefined && { status }),
    };
    this.#objects.set(keyOf(after), after);
    // The watch event follows a little later.
    setImmediate(() => this.#notify(after));
    await this.responses;
    return after as T;
  }

  #readSecrets(migration: PromMigration): SecretReading {
    this.secretReads++;
    const reference = migration.spec.source.authorization?.credentials;
    const missing = reference !== undefined && !this.secrets.has(`${reference.name}/${reference.key}`);
    return {
      source: { get: (_kind, name, key) => this.secrets.get(`${name}/${key}`) },
      problems: missing
        ? [
            {
              reason: 'SecretNotFound',
              message: `Secret "${reference.name}" with the key "${reference.key}" not found`,
            },
          ]
        : [],
    };
  }
}

export const started: MigrationEvent = { type: 'started', startMs, endMs, memoryBytes: 1 };

/** A controller that leads and copies one migration. */
export async function running(
  options: { maxMigrations?: number; spec?: Record<string, unknown> } = {},
): Promise<Stage> {
  const stage = new Stage(options);
  stage.put(migrationOf({ spec: options.spec ?? {} }));
  await stage.lead();
  stage.worker('copy').report({}, started);
  await stage.pass(1_000);
  return stage;
}
