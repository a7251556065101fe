// Which of several operators works: the holder of a Lease. Called by operator.ts. Clocks of machines differ, so the times written in the
// Lease are never compared with one's own: a Lease is over when it has not changed for its duration while one was looking. The rules are in
// lease-rules.ts.

import type { Clock } from '../../telemetry/clock.ts';
import { Deadline } from '../../telemetry/deadline.ts';
import type { KubeClient } from './kube-client.ts';
import { isConflict, isNotFound, retryAfterOf } from './kube-errors.ts';
import { type Lease, microTime, resourcePath } from './kube-objects.ts';
import {
  checkTimes,
  durationMs,
  isOwn,
  type Move,
  nextMove,
  recordOf,
  released,
  type Signature,
  signed,
  type Term,
} from './lease-rules.ts';

export interface LeaseElectorOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Unlike that of every other process, also of the one that ran in this pod before. */
  readonly identity: string;
  /** How long the others wait for a holder that says nothing, or may not know yet that it is none any more; default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long a holder that cannot renew goes on working; default 10 s. The difference is the time to stop. */
  readonly renewDeadlineMs?: number;
  /** Between two attempts; default 2 s. */
  readonly retryPeriodMs?: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** Its name is in the Lease, but an earlier holder may still have to stop; onStarted follows after so long, if nothing happens. */
  readonly onClaimed?: (waitMs: number) => void;
  readonly onStarted: () => void;
  /** The lease is lost or given back: whatever works has to stop now. Called once for each onStarted. */
  readonly onStopped: () => void;
  /** An attempt failed. Conflicts are no errors. */
  readonly onError?: (error: unknown) => void;
}

interface Observation {
  readonly lease: Lease;
  /** What has to change for the Lease to count as renewed. */
  readonly record: string;
  readonly atMs: number;
}

type Standing =
  /** Somebody else holds the Lease, or nobody does, or this process has claimed it and does not work yet. */
  | { readonly kind: 'candidate' }
  /** Works, but not longer than until then on the monotonic clock. */
  | { readonly kind: 'leading'; readonly untilMs: number };

interface Settings {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

const JITTER_FACTOR = 1.2;
const RELEASE_TIMEOUT_MS = 3_000;

export class LeaseElector {
  readonly #options: LeaseElectorOptions;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #collection: string;
  readonly #path: string;
  #observed: Observation | undefined;
  /** Of the newest Lease that was seen, also when it is gone. */
  #seenDurationMs = 0;
  #term: Term | undefined;
  /** Until when the Lease is this process's own, on the monotonic clock. */
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #standing: Standing = { kind: 'candidate' };

  /** @throws RangeError when the times do not leave a holder the time to stop before another one starts */
  constructor(options: LeaseElectorOptions) {
    const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000, namespace, name } = options;
    checkTimes(leaseDurationMs, renewDeadlineMs, JITTER_FACTOR * retryPeriodMs);
    this.#options = options;
    this.#leaseDurationMs = leaseDurationMs;
    this.#renewDeadlineMs = renewDeadlineMs;
    this.#retryPeriodMs = retryPeriodMs;
    const resource = { group: 'coordination.k8s.io', version: 'v1', namespace, resource: 'leases' };
    this.#collection = resourcePath(resource);
    this.#path = resourcePath({ ...resource, name });
  }

  /** Whether this process may work now; false as soon as the renew deadline has passed, even before onStopped. */
  get isLeader(): boolean {
    return this.#standing.kind === 'leading' && this.#options.clock.monotonicMs() < this.#standing.untilMs;
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
    this.#standing = { kind: 'leading', untilMs: this.#heldUntilMs };
    try {
      this.#options.onStarted();
      ended = await this.#hold(signal);
    } finally {
      this.#standing = { kind: 'candidate' };
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
      let delayMs = this.#retryPeriodMs * (1 + JITTER_FACTOR * random());
      try {
        if ((await this.#attempt(signal, this.#renewDeadlineMs, 'any')) === 'held') {
          const waitMs = (this.#term?.leadsFromMs ?? 0) - clock.monotonicMs();
          // An aborted claim is left as it is: the next one has to wait as well.
          if (waitMs <= 0 && signal.aborted) await this.#release();
          if (waitMs <= 0) return !signal.aborted;
          delayMs = Math.min(this.#retryPeriodMs, waitMs);
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
      const restMs = () => this.#heldUntilMs - clock.monotonicMs();
      await clock.sleep(Math.max(0, Math.min(delayMs, restMs())), signal).catch(() => undefined);
      if (signal.aborted) return 'aborted';
      if (restMs() <= 0) return 'lost';
      delayMs = this.#retryPeriodMs;
      try {
        // A holder that finds its Lease gone, replaced or emptied stops before it does anything about it.
        if ((await this.#attempt(signal, restMs(), 'renew')) === 'taken') return 'lost';
        this.#standing = { kind: 'leading', untilMs: this.#heldUntilMs };
      } catch (error) {
        delayMs = Math.max(delayMs, retryAfterOf(error));
        this.#failed(error, signal);
      }
    }
  }

  /**
   * Renews the lease, or takes it where the rules and `allowed` let it; `taken` otherwise. It is one's own from the moment before the
   * request, as the others cannot have seen it earlier. After `contested` nobody knows yet.
   */
  async #attempt(
    signal: AbortSignal,
    timeoutMs: number,
    allowed: 'any' | 'renew',
  ): Promise<'held' | 'taken' | 'contested'> {
    const { clock } = this.#options;
    using deadline = new Deadline(signal);
    // The client's own time limit is for an attempt that hangs; this one is for onStopped to be in time.
    deadline.start(clock, timeoutMs, new Error('the renew deadline has passed'));
    const settings = { signal: deadline.signal, timeoutMs: this.#renewDeadlineMs / 2 };
    // Two rounds: the version known from the last renewal may be old because of a change that does not matter, or of a response that was
    // lost.
    for (let round = 0; round < 2; round++) {
      const known = round === 0 && allowed === 'renew' ? this.#observed?.lease : undefined;
      const lease = known ?? (await this.#look(settings));
      const move = this.#nextMove(lease);
      if (move !== 'renew') this.#term = undefined;
      if (move === 'wait' || (allowed === 'renew' && move !== 'renew')) return 'taken';
      const startedAtMs = clock.monotonicMs();
      try {
        await this.#write(lease, move, settings);
        this.#heldUntilMs = startedAtMs + this.#renewDeadlineMs;
        return 'held';
      } catch (error) {
        if (!isConflict(error) && !isNotFound(error)) throw error;
      }
    }
    return 'contested';
  }

  #nextMove(lease: Lease | undefined): Move {
    const { identity, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const observedAtMs = this.#observed?.atMs ?? nowMs;
    return nextMove({ identity, leaseDurationMs: this.#leaseDurationMs, term: this.#term, lease, observedAtMs, nowMs });
  }

  /** @throws KubeApiError of a conflict when somebody else was faster */
  async #write(lease: Lease | undefined, move: Exclude<Move, 'wait'>, settings: Settings): Promise<void> {
    const { client } = this.#options;
    const signature = this.#signature();
    const next = signed(lease ?? this.#newLease(), move, signature);
    const leadsFromMs = move === 'take' ? this.#options.clock.monotonicMs() : undefined;
    const term = this.#term ?? { uid: lease?.metadata.uid, renewTimes: [], leadsFromMs };
    // Before the request: when its response is lost, the Lease is known by it.
    this.#term = { ...term, renewTimes: [...term.renewTimes, signature.time] };
    // With its uid: otherwise the API server would create a Lease that is gone anew.
    this.#observe(
      lease === undefined
        ? await client.create<Lease>(this.#collection, next, settings)
        : await client.replace<Lease>(this.#path, next, settings),
    );
  }

  async #look(settings: Settings): Promise<Lease | undefined> {
    try {
      return this.#observe(await this.#options.client.get<Lease>(this.#path, settings));
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#observed = undefined;
      return undefined;
    }
  }

  #observe(lease: Lease): Lease {
    const { clock, identity, onClaimed } = this.#options;
    const nowMs = clock.monotonicMs();
    const record = recordOf(lease);
    this.#observed = { lease, record, atMs: record === this.#observed?.record ? this.#observed.atMs : nowMs };
    if (this.#term !== undefined && isOwn(lease, identity, this.#term)) {
      // Whoever holds what was here before learns of its end before this is over, or has not been able to renew it.
      const waitMs = Math.max(this.#leaseDurationMs, this.#seenDurationMs);
      const { leadsFromMs } = this.#term;
      this.#term = {
        uid: lease.metadata.uid,
        renewTimes: [lease.spec?.renewTime ?? ''],
        leadsFromMs: leadsFromMs ?? nowMs + waitMs,
      };
      if (leadsFromMs === undefined) onClaimed?.(waitMs);
    }
    this.#seenDurationMs = durationMs(lease, this.#leaseDurationMs);
    return lease;
  }

  #newLease(): Lease {
    const { namespace, name } = this.#options;
    return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name } };
  }

  #signature(): Signature {
    const { identity, clock } = this.#options;
    return { identity, leaseDurationMs: this.#leaseDurationMs, time: microTime(clock.now()) };
  }

  /** So that the next holder need not wait. Whoever has taken it meanwhile keeps it, by the resourceVersion. */
  async #release(): Promise<void> {
    const { client, clock, identity, onError } = this.#options;
    const settings = { timeoutMs: RELEASE_TIMEOUT_MS };
    try {
      // The second round is for a renewal whose response was lost.
      for (let round = 0; round < 2; round++) {
        const lease = round === 0 ? this.#observed?.lease : await client.get<Lease>(this.#path, settings);
        if (lease === undefined || !isOwn(lease, identity, this.#term)) return;
        try {
          this.#observe(await client.replace<Lease>(this.#path, released(lease, microTime(clock.now())), settings));
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
