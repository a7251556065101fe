// The watches of everything that the operator reconciles: PromMigrations and, if it creates Jobs, their Jobs and pods. Notices when one of them
// is stuck, and says what the first lists wait for.

import type { PromMigration } from '../api/prom-migration.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { jobPath, podPath } from './job/job-client.ts';
import { JOB_SELECTOR } from './job/job-names.ts';
import type { Job, Pod } from './job/job-objects.ts';
import { type JobStore, reducedJob, reducedPod } from './job/job-store.ts';
import type { KubeClient } from './kube/kube-client.ts';
import type { KubeObject } from './kube/kube-objects.ts';
import { type Change, reflect, type ReflectOptions } from './kube/reflector.ts';
import type { MigrationStore } from './migration-store.ts';
import type { OperatorMetrics } from './operator-metrics.ts';
import { migrationPath } from './status-writer.ts';

export interface WatchesOptions {
  readonly client: KubeClient;
  readonly store: MigrationStore;
  /** Undefined: no Jobs are watched. */
  readonly jobs: JobStore | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly metrics: Pick<OperatorMetrics, 'watchReconnect' | 'watchActivity'>;
  /** Called after each change, with the keys of the migrations to reconcile. */
  readonly onChange: (keys: readonly string[]) => void;
}

interface Watch<T> {
  readonly what: string;
  readonly namespace: string | undefined;
  readonly reflected: Pick<ReflectOptions<T>, 'objects' | 'path' | 'selected' | 'reduce'>;
  readonly take: (change: Change) => string[];
  /** Of objects that the operator can do without: notes whether it has the rights on them. @returns whether that has changed */
  readonly permit?: (isPermitted: boolean) => boolean;
}

const CURE =
  'migrations with spec.execution.mode Job are not accepted there until the operator may list, watch, create, patch and delete jobs, list and watch pods, ' +
  'list events, and get, create and delete configmaps; with --no-jobs it needs none of these, except to get jobs and configmaps';

export class Watches {
  readonly #options: WatchesOptions;
  readonly #activityMs = new Map<string, number>();
  #waitingReason = 'the first list of PromMigrations has not arrived yet';

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** Whether everything is listed. Before that, a missing object proves nothing. */
  get synced(): boolean {
    const { store, jobs } = this.#options;
    return store.synced && jobs?.synced !== false;
  }

  get waitingReason(): string {
    return this.#waitingReason;
  }

  /** How long the most silent watch has received nothing. */
  get silentMs(): number {
    const nowMs = this.#options.clock.monotonicMs();
    return Math.max(0, ...[...this.#activityMs.values()].map((atMs) => nowMs - atMs));
  }

  /** Each ends when the signal is aborted. */
  run(signal: AbortSignal): Promise<void>[] {
    const { store, jobs } = this.#options;
    const migrations = store.namespaces.map((namespace) => {
      const reflected = { objects: store.objectsOf(namespace), path: migrationPath(namespace) };
      const take = (change: Change) => store.take(namespace, change);
      return this.#watch<PromMigration>({ what: 'PromMigrations', namespace, reflected, take }, signal);
    });
    const others = (jobs?.watches ?? []).map(({ namespace, kind, objects }) => {
      const reflected = {
        objects,
        selected: { labelSelector: JOB_SELECTOR },
        path: kind === 'jobs' ? jobPath(namespace) : podPath(namespace),
        reduce: (object: KubeObject) => (kind === 'jobs' ? reducedJob(object as Job) : reducedPod(object as Pod)),
      };
      const what = kind === 'jobs' ? 'Jobs' : 'Pods';
      const take = (change: Change) => jobs?.take(objects, change) ?? [];
      const permit = (isPermitted: boolean) => jobs?.permit(objects, isPermitted) ?? false;
      return this.#watch<KubeObject>({ what, namespace, reflected, take, permit }, signal);
    });
    return [...migrations, ...others];
  }

  async #watch<T extends KubeObject>(
    { what, namespace, reflected, take, permit }: Watch<T>,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, clock, random, logger, metrics, onChange } = this.#options;
    const sign = () => this.#activityMs.set(`${what} ${namespace ?? ''}`, clock.monotonicMs());
    sign();
    const changes = reflect<T>({
      client,
      ...reflected,
      clock,
      random,
      signal,
      onRelistMiss: (count) => metrics.watchReconnect('relist_miss', count),
      onActivity: () => {
        sign();
        if (permit?.(true) === true) logger.info(`${what} may be listed`, { namespace: namespace ?? 'all' });
        metrics.watchActivity(clock.now());
      },
    });
    for await (const change of changes) {
      sign();
      if (change.kind === 'waiting') {
        const { reason, isForbidden } = change;
        metrics.watchReconnect('failure');
        if (isForbidden && permit !== undefined) {
          if (permit(false))
            logger.warn(`${what} may not be listed: ${CURE}`, { namespace: namespace ?? 'all', reason });
        } else {
          this.#waitingReason = reason;
          logger.warn(`watching ${what} failed`, { namespace: namespace ?? 'all', reason });
        }
      } else if (change.kind === 'synced') {
        logger.info(`${what} listed`, { namespace: namespace ?? 'all', count: change.keys.length });
      }
      onChange(take(change));
    }
  }
}
