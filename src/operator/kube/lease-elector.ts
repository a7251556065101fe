// Elects one of several operators: the holder of the Lease runs the migrations. Clocks of machines differ, so the times written in the
// Lease are never compared with the local clock. A Lease has expired when this process has watched it for its duration without a change.
// The rules are in lease-rules.ts.

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
  /** Unique per process, including earlier processes in the same pod. */
  readonly identity: string;
  /** How long the other candidates wait for a holder that does not renew and may not know yet that it lost the Lease; default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long a holder that cannot renew continues to work; default 10 s. The difference to the duration is the time to stop. */
  readonly renewDeadlineMs?: number;
  /** Between two attempts; default 2 s. */
  readonly retryPeriodMs?: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** The Lease names this process, but an earlier holder may still have to stop. onStarted follows after `waitMs`, if nothing happens. */
  readonly onClaimed?: (waitMs: number) => void;
  readonly onStarted: () => void;
  /** The lease is lost or given back: all work has to stop now. Called once for each onStarted. */
  readonly onStopped: () => void;
  /** An attempt failed. Conflicts are not errors. */
  readonly onError?: (error: unknown) => void;
}

interface Observation {
  readonly lease: Lease;
  /** The part of the Lease that has to change for it to count as renewed. */
  readonly record: string;
  readonly atMs: number;
}

type Standing =
  /** Another process holds the Lease, or none does, or this process has claimed it and does not work yet. */
  | { readonly kind: 'candidate' }
  /** Works, until `untilMs` on the monotonic clock at most. */
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
  /** Of the latest Lease that was seen, even if it is gone now. */
  #seenDurationMs = 0;
  #term: Term | undefined;
  /** How long this process holds the Lease, on the monotonic clock. */
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #standing: Standing = { kind: 'candidate' };

  /** @throws RangeError when a holder would not have time to stop before another one starts */
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

  /** Whether this process may work now. False as soon as the renew deadline has passed, even before onStopped. */
  get isLeader(): boolean {
    return this.#standing.kind === 'leading' && this.#options.clock.monotonicMs() < this.#standing.untilMs;
  }

  /** The holder of the Lease when it was last read; undefined if there was none. */
  get holder(): string | undefined {
    return this.#observed?.lease.spec?.holderIdentity || undefined;
  }

  /**
   * Waits for the lease, holds it, and returns when it is lost, or given back because the signal was aborted. After a loss it may be called
   * again. A lost lease is not given back: work that is still stopping has the rest of its duration.
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
          // An aborted claim is not released: the next process has to wait as well.
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
        // A holder that finds its Lease gone, replaced or emptied stops working first.
        if ((await this.#attempt(signal, restMs(), 'renew')) === 'taken') return 'lost';
        this.#standing = { kind: 'leading', untilMs: this.#heldUntilMs };
      } catch (error) {
        delayMs = Math.max(delayMs, retryAfterOf(error));
        this.#failed(error, signal);
      }
    }
  }

  /**
   * Renews the lease, or takes it if the rules and `allowed` permit; otherwise returns `taken`. The lease is held from the moment before the
   * request, because the other candidates cannot have seen it earlier. After `contested` the holder is unknown.
   */
  async #attempt(
    signal: AbortSignal,
    timeoutMs: number,
    allowed: 'any' | 'renew',
  ): Promise<'held' | 'taken' | 'contested'> {
    const { clock } = this.#options;
    using deadline = new Deadline(signal);
    // The client's own timeout is for an attempt that hangs; this deadline ensures that onStopped is called in time.
    deadline.start(clock, timeoutMs, new Error('the renew deadline has passed'));
    const settings = { signal: deadline.signal, timeoutMs: this.#renewDeadlineMs / 2 };
    // Two rounds: the version known from the last renewal may be outdated, by an irrelevant change or by a renewal whose response was lost.
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

  /** @throws KubeApiError with a conflict when another process was faster */
  async #write(lease: Lease | undefined, move: Exclude<Move, 'wait'>, settings: Settings): Promise<void> {
    const { client } = this.#options;
    const signature = this.#signature();
    const next = signed(lease ?? this.#newLease(), move, signature);
    const leadsFromMs = move === 'take' ? this.#options.clock.monotonicMs() : undefined;
    const term = this.#term ?? { uid: lease?.metadata.uid, renewTimes: [], leadsFromMs };
    // Before the request: if its response is lost, this renewTime identifies the Lease as its own.
    this.#term = { ...term, renewTimes: [...term.renewTimes, signature.time] };
    // With its uid: otherwise the API server would create a deleted Lease again.
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
      // Before this wait is over, the holder of the previous Lease has noticed its end, or could not renew it.
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

  /** Lets the next holder start without a wait. If another process has taken the Lease meanwhile, the resourceVersion protects it. */
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
