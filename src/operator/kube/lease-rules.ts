// The rules of leader election by a Lease: those of client-go, plus one for a Lease that was deleted or emptied. Pure. docs/adr/0006 has the
// reasons and the proof.

import type { Lease, LeaseSpec } from './kube-objects.ts';

/**
 * Set by a holder that has stopped its work and gives the Lease back; removed by the next holder. Its value is the Lease's uid: in a Lease
 * that was created from a backup the uid differs, so that Lease does not count as given back.
 */
export const RELEASED = 'prom-migrator.io/released-uid';

/** What this process wrote when it last took the Lease. It identifies a Lease that is still its own. */
export interface Term {
  /** Undefined until the Lease that this process created was seen. */
  readonly uid: string | undefined;
  /** The `renewTime` that it was last seen with, and those sent since without a response. */
  readonly renewTimes: readonly string[];
  /** When it may start to work, on the monotonic clock. Undefined: one lease duration after the Lease is first seen to be its own. */
  readonly leadsFromMs: number | undefined;
}

export interface Candidate {
  readonly identity: string;
  readonly leaseDurationMs: number;
  readonly term: Term | undefined;
  /** The current Lease; undefined before the first one. */
  readonly lease: Lease | undefined;
  /** When this process first saw the Lease in this state, on the monotonic clock. */
  readonly observedAtMs: number;
  readonly nowMs: number;
}

export type Move =
  /** The Lease is this process's own. */
  | 'renew'
  /** Write this process's name and start to work: the previous holder has stopped. */
  | 'take'
  /**
   * Write this process's name, but start to work only after holding the Lease for its whole duration. Another process may hold the Lease that
   * was deleted, or that was emptied by a third party, and may not know it yet.
   */
  | 'claim'
  /** Another process holds it. */
  | 'wait';

export function nextMove({ identity, leaseDurationMs, term, lease, observedAtMs, nowMs }: Candidate): Move {
  if (lease === undefined) return 'claim';
  if (isOwn(lease, identity, term)) return 'renew';
  const holder = lease.spec?.holderIdentity ?? '';
  if (holder === '') return wasReleased(lease) ? 'take' : 'claim';
  // The Lease has this process's name, but this process does not remember having written it.
  if (holder === identity) return 'claim';
  return nowMs - observedAtMs > durationMs(lease, leaseDurationMs) ? 'take' : 'wait';
}

/** @throws RangeError when a holder would not have time to stop before another one starts */
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
 * Whether the Lease is as this process left it, except for parts that do not identify the holder, such as labels. A Lease restored from an
 * earlier backup is not.
 */
export function isOwn({ metadata, spec }: Lease, identity: string, term: Term | undefined): boolean {
  return (
    term !== undefined &&
    spec?.holderIdentity === identity &&
    term.renewTimes.includes(spec.renewTime ?? '') &&
    (term.uid === undefined || metadata.uid === term.uid)
  );
}

/** The duration in the Lease. The holder relies on this one, not on the duration configured in a process that waits for it. */
export function durationMs({ spec }: Lease, fallbackMs: number): number {
  const seconds = spec?.leaseDurationSeconds ?? 0;
  return seconds > 0 ? seconds * 1000 : fallbackMs;
}

/** The part of a Lease that has to change for it to count as renewed, or as another Lease. */
export function recordOf({ metadata, spec }: Lease): string {
  return JSON.stringify([metadata.uid, spec ?? {}]);
}

export interface Signature {
  readonly identity: string;
  readonly leaseDurationMs: number;
  /** RFC 3339 with six digits. */
  readonly time: string;
}

/** The Lease with this holder, for the first time (`take`, `claim`) or renewed (`renew`). */
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

/** The Lease given back by a holder that has stopped its work. The next one does not have to wait. */
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
