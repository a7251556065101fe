// What a Job and its pods say about a migration, and what that means when nothing is copied any more. Pure.

import type { MigrationCode } from '../../migration/report/migration-codes.ts';
import { errorText } from '../../migration/report/migration-error.ts';
import type { TerminationMessage } from '../../migration/report/termination-message.ts';
import type { Side } from '../../remote/meaning/side.ts';
import { exactTime } from './status-counts.ts';

const SIDES: readonly Side[] = ['source', 'destination', 'progress'];

/** A stretch that has failed. */
export interface JobFailure {
  /** The start of the stretch; undefined if the Job does not say it any more. */
  readonly startMs: number | undefined;
  /** Undefined if its last pod left none: it was killed, or is gone. */
  readonly reason: TerminationMessage | undefined;
  /** How its last pod ended, if it left no message. */
  readonly exit: string;
}

export interface JobFacts {
  readonly name: string;
  readonly uid: string;
  /** A timestamp. */
  readonly createdMs: number;
  /** Of the settings that it was made of. */
  readonly key: string | undefined;
  /** The end of the range that it copies, if the manifest leaves it open. */
  readonly frozenEndMs: number | undefined;
  /** Of its pods. */
  readonly image: string | undefined;
  /** Whether a node cannot pull the image. */
  readonly imageFails: boolean;
  readonly isDeleting: boolean;
  readonly isSuspended: boolean;
  readonly parallelism: number;
  /** Pods that run or wait for a node. */
  readonly active: number;
  /** Pods that have not ended, including those that were asked to end. */
  readonly pods: number;
  /** How many pods there would be if all could be created. */
  readonly wanted: number;
  readonly end: 'Complete' | 'Failed' | undefined;
  readonly ttlSecondsAfterFinished: number | undefined;
  /** The stretches that failed for good, in order of the indexes. */
  readonly failures: readonly JobFailure[];
  /** Stretches whose pods keep failing. Kubernetes starts further ones. */
  readonly retried: readonly JobFailure[];
  /** Why pods do not start; undefined if all of them do, or if their status does not say it. */
  readonly obstacle: string | undefined;
  /** A pod whose container has not been started yet, although its status shows no obstacle. */
  readonly starting: { readonly name: string; readonly uid: string } | undefined;
}

/** The stretches that failed for good, as the progress shows them. */
export function failedStretches({ failures }: JobFacts): { startMs: number; code: string; message: string }[] {
  return failures.map((failure) => ({
    startMs: failure.startMs ?? 0,
    code: failure.reason?.code ?? 'pod-failed',
    message: textOf(failure),
  }));
}

/** How many stretches fail while others may continue, and why the first one does; undefined if none fails. */
export function failingStretches({ failures, retried }: JobFacts): string | undefined {
  const [first] = [...failures, ...retried];
  if (first === undefined) return undefined;
  const counts = [
    ...(failures.length > 0 ? [`${failures.length} failed for good`] : []),
    ...(retried.length > 0 ? [`${retried.length} keep failing and are retried`] : []),
  ];
  return `stretches: ${counts.join(', ')}; the one${startOf(first)}: ${textOf(first)}`;
}

/**
 * Why a Job has ended without everything being in the destination; undefined if none of its stretches has failed.
 * @param isPermanent whether only a user can remove the reason
 */
export function failureOfJob(
  { failures }: JobFacts,
  isPermanent: (code: MigrationCode, side: Side | undefined) => boolean = () => false,
): { readonly code: MigrationCode | undefined; readonly side: Side | undefined; readonly text: string } | undefined {
  const codeOf = ({ reason }: JobFailure) => reason?.code as MigrationCode | undefined;
  const sideOf = ({ reason }: JobFailure) => SIDES.find((side) => side === reason?.side);
  // What the destination or the source said explains more than that a pod was killed.
  const first =
    failures.find((failure) => {
      const code = codeOf(failure);
      return code !== undefined && isPermanent(code, sideOf(failure));
    }) ??
    failures.find(({ reason }) => reason !== undefined) ??
    failures[0];
  if (first === undefined) return undefined;
  const count = failures.length === 1 ? 'the stretch' : `${failures.length} stretches failed: the one`;
  return { code: codeOf(first), side: sideOf(first), text: `${count}${startOf(first)}: ${textOf(first)}` };
}

function startOf({ startMs }: JobFailure): string {
  return startMs === undefined ? '' : ` from ${exactTime(startMs)}`;
}

function textOf({ reason, exit }: JobFailure): string {
  if (reason?.message === undefined) return reason === undefined ? exit : `${exit}: ${reason.code}`;
  const { message, hint } = reason;
  return errorText({ message, ...(hint !== undefined && { hint }) });
}
