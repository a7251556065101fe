// The rules of leader election by a Lease: client-go's, and one more for a Lease that was deleted or emptied. Pure; lease-elector.ts acts on
// them. docs/adr/0006 has the reasons and the proof.

import type { Lease, LeaseSpec } from './kube-objects.ts';

/**
 * Set by a holder that has stopped its work and gives the Lease back; removed by whoever takes it. Its value is the Lease's uid: one that is
 * created from a backup was given back by nobody.
 */
export const RELEASED = 'prom-migrator.io/released-uid';

/** What this process wrote when it last took the Lease: by it a Lease is known to be its own still. */
export interface Term {
  /** Undefined until the Lease that this process created was seen. */
  readonly uid: string | undefined;
  /** The `renewTime` that it was last seen with, and those that were sent since without a response. */
  readonly renewTimes: readonly string[];
  /** From when it may work, on the monotonic clock. Undefined: a whole lease duration after the Lease is first seen to be its own. */
  readonly leadsFromMs: number | undefined;
}

export interface Candidate {
  readonly identity: string;
  readonly leaseDurationMs: number;
  readonly term: Term | undefined;
  /** The Lease as it is now; undefined when there is none. */
  readonly lease: Lease | undefined;
  /** When this process first saw it as it is, on the monotonic clock. */
  readonly observedAtMs: number;
  readonly nowMs: number;
}

export type Move =
  /** It is this process's own. */
  | 'renew'
  /** Write one's name and work: whoever held it has stopped. */
  | 'take'
  /**
   * Write one's name, and work only after holding that Lease for its whole duration: somebody may hold the one that was deleted, or that was
   * emptied by another, and does not know yet.
   */
  | 'claim'
  /** Somebody else holds it. */
  | 'wait';

export function nextMove({ identity, leaseDurationMs, term, lease, observedAtMs, nowMs }: Candidate): Move {
  if (lease === undefined) return 'claim';
  if (isOwn(lease, identity, term)) return 'renew';
  const holder = lease.spec?.holderIdentity ?? '';
  if (holder === '') return wasReleased(lease) ? 'take' : 'claim';
  // A name of one's own that one does not remember to have written.
  if (holder === identity) return 'claim';
  return nowMs - observedAtMs > durationMs(lease, leaseDurationMs) ? 'take' : 'wait';
}

/** @throws RangeError when the times do not leave a holder the time to stop before another one starts */
export function checkTimes(leaseDurationMs: number, renewDeadlineMs: number, longestRetryMs: number): void {
  if (leaseDurationMs <= renewDeadlineMs) {
    throw new RangeError(
      `the lease duration (${leaseDurationMs} ms) must be longer than the renew deadline (${renewDeadlineMs} ms)`,
    );
  }
  if (renewDeadlineMs <= longestRetryMs) {
    throw new RangeError(
      `the renew deadline (${renewDeadlineMs} ms) must be longer than a retry period with its jitter (${longestRetryMs} ms)`,
    );
  }
}

/**
 * Whether the Lease is as this process left it, but for what does not say who holds it, such as labels. One that was restored from a backup
 * of an earlier time is not.
 */
export function isOwn({ metadata, spec }: Lease, identity: string, term: Term | undefined): boolean {
  return (
    term !== undefined &&
    spec?.holderIdentity === identity &&
    term.renewTimes.includes(spec.renewTime ?? '') &&
    (term.uid === undefined || metadata.uid === term.uid)
  );
}

/** The duration that a Lease promises to its holder: the holder relies on its own, not on that of who waits for it. */
export function durationMs({ spec }: Lease, fallbackMs: number): number {
  const seconds = spec?.leaseDurationSeconds ?? 0;
  return seconds > 0 ? seconds * 1000 : fallbackMs;
}

/** What has to change for a Lease to count as renewed, or as another one. */
export function recordOf({ metadata, spec }: Lease): string {
  return JSON.stringify([metadata.uid, spec ?? {}]);
}

export interface Signature {
  readonly identity: string;
  readonly leaseDurationMs: number;
  /** RFC 3339 with six digits. */
  readonly time: string;
}

/** The Lease with this holder, for the first time (`take`, `claim`) or once more (`renew`). */
export function signed(lease: Lease, move: 'renew' | 'take' | 'claim', signature: Signature): Lease {
  const { identity, leaseDurationMs, time } = signature;
  const { spec } = lease;
  const taken: LeaseSpec = {
    ...spec,
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
    renewTime: time,
  };
  if (move === 'renew') return { ...lease, spec: taken };
  const transitions = spec === undefined ? 0 : (spec.leaseTransitions ?? 0) + 1;
  return { ...withReleased(lease, undefined), spec: { ...taken, acquireTime: time, leaseTransitions: transitions } };
}

/** The Lease given back by a holder that has stopped its work. The next one need not wait. */
export function released(lease: Lease, time: string): Lease {
  const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
  return { ...withReleased(lease, lease.metadata.uid), spec };
}

function wasReleased({ metadata }: Lease): boolean {
  return metadata.uid !== undefined && metadata.annotations?.[RELEASED] === metadata.uid;
}

function withReleased(lease: Lease, uid: string | undefined): Lease {
  const { [RELEASED]: before, ...annotations } = lease.metadata.annotations ?? {};
  if (uid === undefined && before === undefined) return lease;
  const mark = uid === undefined ? {} : { [RELEASED]: uid };
  return { ...lease, metadata: { ...lease.metadata, annotations: { ...annotations, ...mark } } };
}
