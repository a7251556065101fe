// The operator: connects watch, queue, controller, workers, leader election, health and metrics, and shuts them down again.

import { randomUUID } from 'node:crypto';
import type { PromMigration } from '../api/prom-migration.ts';
import { FollowerThreads } from '../execute/follower-threads.ts';
import { type Page, startHttpServer } from '../telemetry/http-server.ts';
import { VERSION } from '../telemetry/version.ts';
import { Controller } from './controller.ts';
import { findJob } from './job/find-job.ts';
import { managedJobs } from './job/managed-jobs.ts';
import { EventRecorder } from './kube/event-recorder.ts';
import { KubeClient } from './kube/kube-client.ts';
import { type KubeConnection, loadKubeConnection } from './kube/kube-config.ts';
import { isNotFound } from './kube/kube-errors.ts';
import { LeaseElector } from './kube/lease-elector.ts';
import { isStopping, leads, type Life, type LifeEvent, nextLife, permissionOf } from './life-cycle.ts';
import { MigrationStore } from './migration-store.ts';
import { OperatorMetrics } from './operator-metrics.ts';
import type { OperatorContext, OperatorOptions } from './operator-options.ts';
import { readSecrets } from './secret-reader.ts';
import { migrationPath, StatusWriter } from './status-writer.ts';
import { WorkerPool } from '../execute/worker-pool.ts';
import { WorkerThreads } from '../execute/worker-threads.ts';
import { WorkQueue } from './kube/work-queue.ts';
import { Watches } from './watches.ts';

/** Migrations that follow each other use the same threads. */
const MAX_PARKED_THREADS = 4;
/** A watch without any activity for this long is stuck in its loop, because it has its own limit of 90 s. */
const SILENT_WATCH_MS = 5 * 60_000;
/** Reserved at the end of the grace period for the last statuses and events, and for giving the lease back. */
const SHUTDOWN_RESERVE_MS = 5_000;

/**
 * Runs until `stop` is aborted.
 * @throws ListenError when the address cannot be listened on, Error when there is no usable kubeconfig or service account
 */
export async function runOperator(options: OperatorOptions, context: OperatorContext): Promise<void> {
  const { clock, logger } = context;
  const connection = await (context.connect ?? (() => loadKubeConnection(connectionOptions(options))))();
  const operator = new Operator(options, context, connection);
  const server = await startHttpServer(options.metricsAddress, {
    '/metrics': () => operator.metrics.exposition(),
    '/livez': () => operator.livez(),
    '/readyz': () => operator.readyz(),
  });
  logger.info('operator started', {
    version: VERSION,
    server: connection.server.href,
    namespaces: options.watchNamespaces.length === 0 ? 'all' : options.watchNamespaces.join(','),
    maxMigrations: options.maxMigrations,
    url: server.url,
  });
  try {
    await operator.run();
  } finally {
    await server.close();
    operator.close();
    logger.info('operator stopped', { uptimeSeconds: Math.round((clock.monotonicMs() - operator.startedAtMs) / 1000) });
  }
}

function connectionOptions({ kubeconfig, context }: OperatorOptions) {
  return { ...(kubeconfig !== undefined && { kubeconfig }), ...(context !== undefined && { context }) };
}

class Operator {
  readonly startedAtMs: number;
  readonly metrics: OperatorMetrics;
  readonly #options: OperatorOptions;
  readonly #context: OperatorContext;
  readonly #connection: KubeConnection;
  readonly #client: KubeClient;
  readonly #store: MigrationStore;
  readonly #queue: WorkQueue;
  readonly #recorder: EventRecorder;
  readonly #controller: Controller;
  readonly #threads: WorkerThreads;
  readonly #followers = new FollowerThreads();
  readonly #watches: Watches;
  #elector: LeaseElector | undefined;
  #life: Life = { kind: 'standby', listed: false };
  /** Ends the reconciles of the current term. */
  #working = new AbortController();
  /** Resolves when nothing of the last term runs any more. */
  #termOver: Promise<void> = Promise.resolve();

  constructor(options: OperatorOptions, context: OperatorContext, connection: KubeConnection) {
    const { clock, random, logger } = context;
    this.#options = options;
    this.#context = context;
    this.#connection = connection;
    this.startedAtMs = clock.monotonicMs();
    this.#store = new MigrationStore(options.watchNamespaces);
    this.#queue = new WorkQueue({ clock, random });
    this.#threads = new WorkerThreads(clock, MAX_PARKED_THREADS);
    this.metrics = new OperatorMetrics({
      leading: () => leads(this.#life),
      queueDepth: () => this.#queue.size,
      resources: () => this.#store.list(),
      monotonicMs: () => clock.monotonicMs(),
    });
    const { metrics } = this;
    const client = new KubeClient(connection, { request: (report) => metrics.apiRequest(report) }, clock);
    this.#client = client;
    this.#recorder = new EventRecorder({
      client,
      clock,
      random,
      instance: options.podName,
      onDropped: (error) => logger.warn('an event could not be written', { error }),
    });
    const { enabled, image, imagePullPolicy } = options.jobs;
    const pods = image === undefined ? undefined : { image, imagePullPolicy, log: options.log };
    const jobs = enabled ? managedJobs(client, pods, this.#store.namespaces) : undefined;
    this.#watches = new Watches({
      client,
      store: this.#store,
      jobs: jobs?.store,
      clock,
      random,
      logger,
      metrics,
      onChange: (keys) => {
        if (this.#watches.synced) this.#happened('listed');
        for (const key of keys) this.#controller.changed(key);
      },
    });
    const pathOf = ({ metadata }: PromMigration) => migrationPath(metadata.namespace, metadata.name);
    this.#controller = new Controller({
      store: this.#store,
      queue: this.#queue,
      pool: (listeners) =>
        new WorkerPool({
          spawn: (job) => (job.follow && !job.preflight ? this.#followers : this.#threads).spawn(job),
          clock,
          ...listeners,
        }),
      writer: new StatusWriter({ client, clock, onWrite: (result) => metrics.statusWrite(result) }),
      recorder: this.#recorder,
      readSecrets: (migration, signal) => readSecrets(client, migration, signal),
      readResource: (resource, signal) =>
        client.get<PromMigration>(pathOf(resource), { signal }).catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        }),
      async deleteResource(resource, signal) {
        const preconditions = { uid: resource.metadata.uid, resourceVersion: resource.metadata.resourceVersion };
        const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions };
        await client.delete(pathOf(resource), { body, signal });
      },
      permission: () => permissionOf(this.#life),
      leaseHeld: () => this.#elector?.isLeader ?? true,
      maxMigrations: options.maxMigrations,
      jobs,
      findJob: (migration, signal) => findJob(client, migration, signal),
      allowsAmbient: options.ambientCredentials,
      clock,
      logger,
      hooks: metrics,
    });
  }

  async run(): Promise<void> {
    const { stop, clock, logger } = this.#context;
    const watching = new AbortController();
    const electing = new AbortController();
    const watches = this.#watches.run(watching.signal);
    const work = this.#options.leaderElect ? this.#elect(electing.signal) : this.#lead(electing.signal);
    try {
      await Promise.race([aborted(stop), work, ...watches]);
    } finally {
      this.#happened('stop');
      const { graceMs } = this.#options;
      if (this.#life.kind === 'draining') {
        await this.#controller.drain(Math.max(graceMs / 2, graceMs - SHUTDOWN_RESERVE_MS));
        this.#happened('drained');
      }
      this.#working.abort();
      await this.#termOver;
      await this.#recorder.flush();
      electing.abort();
      await work.catch((error: unknown) => logger.error('the leader election ended with an error', { error }));
      watching.abort();
      this.#queue.close();
      // A reflector that still waits for a response is abandoned.
      await Promise.race([Promise.allSettled(watches), clock.sleep(1_000)]);
    }
  }

  livez(): Page {
    const { silentMs } = this.#watches;
    if (silentMs > SILENT_WATCH_MS)
      throw new Error(`the watch has received nothing for ${Math.round(silentMs / 1000)} s`);
    return plain('ok');
  }

  readyz(): Page {
    if (isStopping(this.#life)) throw new Error('the operator is being stopped');
    if (!this.#watches.synced) throw new Error(`not ready: ${this.#watches.waitingReason}`);
    return plain(
      leads(this.#life) ? 'ok, leading' : `ok, on standby, the leader is ${this.#elector?.holder ?? 'unknown'}`,
    );
  }

  close(): void {
    this.#threads.close();
    this.#followers.close();
    this.#client.close();
    this.metrics.close();
  }

  /** Moves the life cycle on by one event, and acts on the new state. */
  #happened(event: LifeEvent): void {
    const before = this.#life;
    const life = nextLife(before, event);
    if (life === before) return;
    this.#life = life;
    if (life.kind === 'leading') this.#termOver = this.#work();
    else if (life.kind === 'abandoning' && before.kind !== 'abandoning') this.#termOver = this.#abandon(this.#termOver);
  }

  async #work(): Promise<void> {
    this.#working = new AbortController();
    const { signal } = this.#working;
    try {
      await this.#controller.lead(signal);
    } catch (error) {
      if (!signal.aborted) this.#context.logger.error('the controller ended with an error', { error });
    }
  }

  async #abandon(work: Promise<void>): Promise<void> {
    this.#working.abort();
    this.metrics.forgetAll();
    await Promise.all([this.#controller.abandon(), work]);
    this.#happened('workersGone');
  }

  /** Contends for the lease repeatedly, and works while it is held. */
  async #elect(signal: AbortSignal): Promise<void> {
    const { clock, random, logger } = this.#context;
    const { leaseName, leaseDurationMs, renewDeadlineMs, retryPeriodMs, podName } = this.#options;
    const elector = new LeaseElector({
      client: this.#client,
      namespace: this.#options.leaseNamespace ?? this.#connection.namespace,
      name: leaseName,
      identity: `${podName}_${randomUUID()}`,
      leaseDurationMs,
      renewDeadlineMs,
      retryPeriodMs,
      clock,
      random,
      onClaimed: (waitMs) =>
        logger.info('claimed the lease: starting as soon as an earlier holder must have stopped', {
          lease: leaseName,
          seconds: waitMs / 1000,
        }),
      onStarted: () => {
        logger.info('leading', { lease: leaseName });
        this.#happened('elected');
      },
      onStopped: () => {
        if (leads(this.#life)) logger.error('the lease is lost: terminating all workers', { lease: leaseName });
        this.#happened('deposed');
      },
      onError: (error) => logger.warn('the lease could not be read or written', { lease: leaseName, error }),
    });
    this.#elector = elector;
    while (!signal.aborted) {
      await elector.run(signal);
      await this.#termOver;
    }
  }

  /** Without leader election: the deployment must ensure that only one operator runs. */
  async #lead(signal: AbortSignal): Promise<void> {
    this.#happened('elected');
    await aborted(signal);
    this.#happened('deposed');
    await this.#termOver;
  }
}

function plain(body: string): Page {
  return { contentType: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
