// What a Job and its pods say about a migration, and what that means when nothing is copied any more. Pure.

import type { MigrationCode } from '../../migration/report/migration-codes.ts';
import { errorText } from '../../migration/report/migration-error.ts';
import type { TerminationMessage } from '../../migration/report/termination-message.ts';
import type { Side } from '../../remote/meaning/side.ts';
import { exactTime } from './status-counts.ts';

const SIDES: readonly Side[] = ['source', 'destination', 'progress'];

/** A stretch that has failed for good. */
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
  /** Of the settings that it was made of. */
  readonly key: string | undefined;
  readonly isDeleting: boolean;
  readonly isSuspended: boolean;
  readonly parallelism: number;
  /** Pods that run or wait for a node. */
  readonly active: number;
  /** How many pods there would be if all could be created. */
  readonly wanted: number;
  readonly end: 'Complete' | 'Failed' | undefined;
  readonly ttlSecondsAfterFinished: number | undefined;
  /** In order of the indexes. */
  readonly failures: readonly JobFailure[];
  /** Why pods do not start; undefined if all of them do. */
  readonly obstacle: string | undefined;
}

/** The stretches that failed for good, as the progress shows them. */
export function failedStretches({ failures }: JobFacts): { startMs: number; code: string; message: string }[] {
  return failures.map((failure) => ({
    startMs: failure.startMs ?? 0,
    code: failure.reason?.code ?? 'pod-failed',
    message: textOf(failure),
  }));
}

/** Why a Job has ended without everything being in the destination; undefined if none of its stretches has failed. */
export function failureOfJob({
  failures,
}: JobFacts):
  | { readonly code: MigrationCode | undefined; readonly side: Side | undefined; readonly text: string }
  | undefined {
  // What the destination or the source said explains more than that a pod was killed.
  const first = failures.find(({ reason }) => reason !== undefined) ?? failures[0];
  if (first === undefined) return undefined;
  const { startMs, reason } = first;
  const count = failures.length === 1 ? 'the stretch' : `${failures.length} stretches failed: the one`;
  const start = startMs === undefined ? '' : ` from ${exactTime(startMs)}`;
  return {
    code: reason?.code as MigrationCode | undefined,
    side: SIDES.find((side) => side === reason?.side),
    text: `${count}${start}: ${textOf(first)}`,
  };
}

function textOf({ reason, exit }: JobFailure): string {
  if (reason?.message === undefined) return reason === undefined ? exit : `${exit}: ${reason.code}`;
  const { message, hint } = reason;
  return errorText({ message, ...(hint !== undefined && { hint }) });
}
