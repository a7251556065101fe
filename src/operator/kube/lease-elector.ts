// Which of several operators works: the holder of a Lease, by client-go's rules. Called by operator.ts. Clocks of machines differ, so
// the times written in the Lease are never compared with one's own: a Lease is over when it has not changed for its duration while
// one was looking.

import type { Clock } from '../../telemetry/clock.ts';
import type { KubeClient } from './kube-client.ts';
import { isConflict, isNotFound, retryAfterOf } from './kube-errors.ts';
import { type Lease, type LeaseSpec, microTime, resourcePath } from './kube-objects.ts';

export interface LeaseElectorOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Unlike that of every other process, also of the one that ran in this pod before. */
  readonly identity: string;
  /** How long the others wait for a holder that says nothing; default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long a holder that cannot renew goes on working; default 10 s. The difference is the time to stop. */
  readonly renewDeadlineMs?: number;
  /** Between two attempts; default 2 s. */
  readonly retryPeriodMs?: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onStarted: () => void;
  /** The lease is lost or given back: whatever works has to stop now. Called once for each onStarted. */
  readonly onStopped: () => void;
  /** An attempt failed. Conflicts are no errors. */
  readonly onError?: (error: unknown) => void;
}

interface Observation {
  readonly lease: Lease;
  /** The spec as text: what has to change for the lease to count as renewed. */
  readonly record: string;
  readonly atMs: number;
}

const jitterFactor = 1.2;
const releaseTimeoutMs = 3_000;

export class LeaseElector {
  readonly #options: LeaseElectorOptions;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #collection: string;
  readonly #path: string;
  #observed: Observation | undefined;
  /** Until when the lease may be used, on the monotonic clock; undefined while it is someone else's. */
  #heldUntilMs: number | undefined;

  /** @throws RangeError when the times do not leave a holder the time to stop before another one starts */
  constructor(options: LeaseElectorOptions) {
    const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000, namespace, name } = options;
    if (leaseDurationMs <= renewDeadlineMs)
      throw new RangeError(
        `the lease duration (${leaseDurationMs} ms) must be longer than the renew deadline (${renewDeadlineMs} ms)`,
      );
    if (renewDeadlineMs <= retryPeriodMs * jitterFactor)
      throw new RangeError(
        `the renew deadline (${renewDeadlineMs} ms) must be longer than ${jitterFactor} retry periods (${retryPeriodMs} ms each)`,
      );
    this.#options = options;
    this.#leaseDurationMs = leaseDurationMs;
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#retryPeriodMs = retryPeriodMs;
    const resource = { group: 'coordination.k8s.io', version: 'v1', namespace, resource: 'leases' };
    this.#collection = resourcePath(resource);
    this.#path = resourcePath({ ...resource, name });
  }

  /** Whether this process may work now; false as soon as the renew deadline is over, even before onStopped. */
  get isLeader(): boolean {
    return this.#heldUntilMs !== undefined && this.#options.clock.monotonicMs() < this.#heldUntilMs;
  }

  /** Who held the lease when it was last looked at; undefined when nobody did. */
  get holder(): string | undefined {
    return this.#observed?.lease.spec?.holderIdentity || undefined;
  }

  /**
   * Waits for the lease, holds it, and ends when it is lost, or given back because the signal was aborted. After a loss it may be
   * called again. A lost lease is not given back: work that is still stopping has the rest of its duration.
   * @throws only what onStarted or onStopped throw
   */
  async run(signal: AbortSignal): Promise<void> {
    if (!(await this.#acquire(signal))) return;
    let ended: 'lost' | 'aborted' = 'aborted';
    try {
      this.#options.onStarted();
      ended = await this.#hold(signal);
    } finally {
      this.#heldUntilMs = undefined;
      try {
        this.#options.onStopped();
      } finally {
        if (ended === 'aborted') await this.#release();
      }
    }
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random } = this.#options;
    while (!signal.aborted) {
      let delayMs = this.#retryPeriodMs * (1 + jitterFactor * random());
      try {
        if ((await this.#attempt(signal, this.#renewDeadlineMs)) === 'held') {
          if (!signal.aborted) return true;
          this.#heldUntilMs = undefined;
          await this.#release();
          return false;
        }
      } catch (error) {
        delayMs = Math.max(delayMs, retryAfterOf(error));
        this.#failed(error, signal);
      }
      await clock.sleep(delayMs, signal).catch(() => undefined);
    }
    return false;
  }

  async #hold(signal: AbortSignal): Promise<'lost' | 'aborted'> {
    const { clock } = this.#options;
    let delayMs = this.#retryPeriodMs;
    while (true) {
      const restMs = () => (this.#heldUntilMs ?? 0) - clock.monotonicMs();
      await clock.sleep(Math.max(0, Math.min(delayMs, restMs())), signal).catch(() => undefined);
      if (signal.aborted) return 'aborted';
      if (restMs() <= 0) return 'lost';
      delayMs = this.#retryPeriodMs;
      try {
        if ((await this.#attempt(signal, restMs())) === 'taken') return 'lost';
      } catch (error) {
        delayMs = Math.max(delayMs, retryAfterOf(error));
        this.#failed(error, signal);
      }
    }
  }

  /**
   * Takes or renews the lease unless it is someone else's (`taken`). It is one's own from the moment before the request, as the
   * others cannot have seen it earlier. After `contested` nobody knows yet.
   */
  async #attempt(signal: AbortSignal, timeoutMs: number): Promise<'held' | 'taken' | 'contested'> {
    const { clock, identity } = this.#options;
    const deadline = new AbortController();
    const onAbort = () => deadline.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    // The client's own time limit is for an attempt that hangs; this one is for onStopped to be in time.
    clock.sleep(timeoutMs, deadline.signal).then(
      () => deadline.abort(new Error('the renew deadline is over')),
      () => undefined,
    );
    const settings = { signal: deadline.signal, timeoutMs: this.#renewDeadlineMs / 2 };
    try {
      // Two rounds: the version known from the last renewal may be old because of a change that does not matter, or of an answer
      // that was lost.
      const mine = this.#observed?.lease.spec?.holderIdentity === identity;
      for (let known = mine ? this.#observed : undefined, round = 0; round < 2; known = undefined, round++) {
        const current = known?.lease ?? (await this.#look(settings));
        if (current !== undefined && !this.#mayTake(current)) return 'taken';
        const startedAtMs = clock.monotonicMs();
        try {
          const next = { ...(current ?? this.#newLease()), spec: this.#nextSpec(current?.spec) };
          const lease =
            current === undefined
              ? await this.#options.client.create<Lease>(this.#collection, next, settings)
              : await this.#options.client.replace<Lease>(this.#path, next, settings);
          this.#observe(lease);
          this.#heldUntilMs = startedAtMs + this.#renewDeadlineMs;
          return 'held';
        } catch (error) {
          if (!isConflict(error) && !isNotFound(error)) throw error;
        }
      }
      return 'contested';
    } finally {
      deadline.abort();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #look(settings: { signal: AbortSignal; timeoutMs: number }): Promise<Lease | undefined> {
    try {
      return this.#observe(await this.#options.client.get<Lease>(this.#path, settings));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #observe(lease: Lease): Lease {
    const record = JSON.stringify(lease.spec ?? {});
    const atMs = record === this.#observed?.record ? this.#observed.atMs : this.#options.clock.monotonicMs();
    this.#observed = { lease, record, atMs };
    return lease;
  }

  #mayTake({ spec }: Lease): boolean {
    const holder = spec?.holderIdentity ?? '';
    if (holder === '' || holder === this.#options.identity) return true;
    const seconds = spec?.leaseDurationSeconds ?? 0;
    // The holder's own duration: that is what it relies on.
    const durationMs = seconds > 0 ? seconds * 1000 : this.#leaseDurationMs;
    return this.#options.clock.monotonicMs() - (this.#observed?.atMs ?? 0) > durationMs;
  }

  #newLease(): Lease {
    const { namespace, name } = this.#options;
    return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } };
  }

  #nextSpec(before: LeaseSpec | undefined): LeaseSpec {
    const { identity, clock } = this.#options;
    const now = microTime(clock.now());
    const renewal = before?.holderIdentity === identity;
    return {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
      acquireTime: renewal ? (before.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (before?.leaseTransitions ?? 0) + (renewal || before === undefined ? 0 : 1),
    };
  }

  /** So that the next holder need not wait. Whoever has taken it meanwhile keeps it, by the resourceVersion. */
  async #release(): Promise<void> {
    const { client, clock, identity, onError } = this.#options;
    const settings = { timeoutMs: releaseTimeoutMs };
    try {
      // The second round is for a renewal whose answer was lost.
      for (let round = 0; round < 2; round++) {
        const lease = round === 0 ? this.#observed?.lease : await client.get<Lease>(this.#path, settings);
        if (lease?.spec?.holderIdentity !== identity) return;
        const now = microTime(clock.now());
        const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
        try {
          this.#observe(await client.replace<Lease>(this.#path, { ...lease, spec }, settings));
          return;
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    } catch (error) {
      onError?.(error);
    }
  }

  #failed(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) this.#options.onError?.(error);
  }
}
