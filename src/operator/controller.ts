// Schedules the work: passes the keys of the queue to the reconciler while this operator leads, and ends the workers when it no longer does. The
// life cycle of the operator (life-cycle.ts) says what is permitted.

import { isEnded } from './judge/migration-end.ts';
import type { MigrationRecord } from './judge/migration-record.ts';
import type { WorkerState } from './judge/worker-state.ts';
import { keyOf } from './kube/kube-objects.ts';
import { named } from './migration-log.ts';
import { Reconciler } from './reconciler.ts';
import type { ReconcilerOptions } from './reconciler-options.ts';

const RECONCILERS = 4;
/** What another operator would know of a migration: only its status. */
const UNKNOWN: WorkerState = { kind: 'idle', failures: undefined };

export class Controller {
  readonly #options: ReconcilerOptions;
  readonly #reconciler: Reconciler;
  #reconciles = 0;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#reconciler = new Reconciler(options);
  }

  /** Works until the signal is aborted. Forgets earlier knowledge, because another leader may have worked meanwhile. */
  async lead(signal: AbortSignal): Promise<void> {
    const { queue, store } = this.#options;
    this.#reconciler.records.clear();
    for (const resource of store.list()) queue.add(keyOf(resource));
    await Promise.all(Array.from({ length: RECONCILERS }, () => this.#work(signal)));
  }

  /** No longer the leader: every worker ends immediately, and nothing is written. Resolves when no worker is left. */
  async abandon(): Promise<void> {
    const { pool, records } = this.#reconciler;
    for (const record of records.values()) record.stopping('not-leader');
    pool.stopAll('abort');
    await pool.idle();
    records.clear();
  }

  /** Stops an operator that still leads: no new window, `graceMs` for those in flight, then the last status of each migration. */
  async drain(graceMs: number): Promise<void> {
    const { clock, logger, permission, leaseHeld } = this.#options;
    const { pool, publisher, records } = this.#reconciler;
    const underWay = [...records].filter(([key, record]) => this.#isUnderWay(key, record));
    logger.info('stopping: no new windows are started', { migrations: pool.size });
    for (const [, record] of underWay) record.stopping('shutdown');
    pool.stopAll('drain');
    const over = new AbortController();
    await Promise.race([pool.idle(), clock.sleep(graceMs, over.signal).catch(() => undefined)]);
    over.abort();
    if (pool.size > 0) {
      logger.warn('the grace period is over, aborting the windows in flight', { migrations: pool.size });
      pool.stopAll('abort');
      await pool.idle();
    }
    const mayWrite = () => permission() !== 'nothing' && leaseHeld();
    await Promise.all(underWay.map(([key, record]) => publisher.publishLast(key, record, mayWrite)));
  }

  /** The resource of this key has changed, was deleted, or was listed. */
  changed(key: string): void {
    if (this.#options.permission() !== 'nothing') this.#options.queue.add(key);
    else if (this.#options.store.get(key) === undefined) this.#options.hooks.forget(key);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { queue } = this.#options;
    for (;;) {
      let key: string;
      try {
        key = await queue.next(signal);
      } catch {
        return;
      }
      await this.#reconcile(key, signal).finally(() => queue.done(key));
    }
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { queue, logger, hooks, clock } = this.#options;
    const startMs = clock.monotonicMs();
    const fields = { ...named(key), reconcile: ++this.#reconciles };
    try {
      const againInMs = await this.#reconciler.look(key, signal, fields);
      queue.forget(key);
      if (againInMs !== undefined) queue.addAfter(key, Math.max(1, againInMs));
      hooks.reconciled('success', (clock.monotonicMs() - startMs) / 1000);
    } catch (error) {
      if (signal.aborted) return;
      hooks.reconciled('error', (clock.monotonicMs() - startMs) / 1000);
      logger.warn('reconcile failed, retrying', { ...fields, error });
      queue.retry(key);
      // Until the retry, its slot is available to the next migration.
      this.#reconciler.records.get(key)?.backedOff(clock.monotonicMs());
      this.#reconciler.wakeWaiting();
    }
  }

  /** Whether its worker runs, its end is not written yet, or its status says that it runs, as between two attempts. */
  #isUnderWay(key: string, { worker }: MigrationRecord): boolean {
    if (worker.kind === 'running') return true;
    const resource = this.#options.store.get(key);
    if (resource === undefined) return false;
    if (worker.kind === 'ended' && isEnded({ resource, worker })) {
      return !isEnded({ resource, worker: UNKNOWN });
    }
    const phase = resource.status?.phase;
    return phase === 'Running' || phase === 'Verifying' || phase === 'Stalled';
  }
}
