// The Job of a migration, for an operator that does not manage Jobs: whether its pods may copy, and what the user is told. Pure, times are passed
// in.

import type { PromMigration } from '../../api/prom-migration.ts';
import { findCondition } from './conditions.ts';
import { trustedStatus } from './status-origin.ts';

/** What a look for the Job of a migration has found. */
export type FoundJob =
  /** None, or one whose pods have all ended. */
  | { readonly kind: 'none' }
  | { readonly kind: 'there'; readonly name: string; readonly pods: number; readonly isSuspended: boolean }
  /** The operator may not look. */
  | { readonly kind: 'unknown'; readonly name: string; readonly reason: string };

/** From a look at which a Job was there to the end of its pods: the pause between two looks, and the grace period of the pods. */
const PODS_END_MS = 100_000;

/** Whether a Job may be left that still copies, according to the resource. */
export function mayCopy({ spec, status }: PromMigration): boolean {
  return spec.execution?.mode === 'Job' || status?.stretches?.job !== undefined;
}

/** Whether the migration may have a Job at all: without an edit, it has always had the mode that it has now. */
export function mayHaveJob(resource: PromMigration): boolean {
  return mayCopy(resource) || resource.metadata.generation !== 1;
}

/** A success needs all marks, so nothing is copied after it. */
export function hasSucceeded(resource: PromMigration): boolean {
  return findCondition(trustedStatus(resource)?.conditions, 'Succeeded')?.status === 'True';
}

/** How long nothing else may copy after a Job was last seen. */
export class LeftJob {
  #found: FoundJob = { kind: 'none' };
  #hasLooked = false;
  /** `atMs` is on the monotonic clock. */
  #seen: { readonly name: string; readonly atMs: number } | undefined;

  /** @param shown the Job that the status names: an earlier operator has seen it, who knows how long ago */
  looked(found: FoundJob, shown: string | undefined, nowMs: number): void {
    if (!this.#hasLooked && shown !== undefined) this.#seen = { name: shown, atMs: nowMs };
    this.#hasLooked = true;
    this.#found = found;
    if (found.kind !== 'none') this.#seen = { name: found.name, atMs: nowMs };
    else if (this.#seen !== undefined && nowMs >= this.#seen.atMs + PODS_END_MS) this.#seen = undefined;
  }

  /** The operator manages Jobs now, and knows more. */
  forget(): void {
    this.#found = { kind: 'none' };
    this.#hasLooked = false;
    this.#seen = undefined;
  }

  /** Undefined: no pods are left. */
  get name(): string | undefined {
    return this.#seen?.name;
  }

  /** Why nothing else may copy yet; undefined if it may. */
  whyWait(namespace: string | undefined): string | undefined {
    const found = this.#found;
    if (this.#seen === undefined) return undefined;
    const { name } = this.#seen;
    switch (found.kind) {
      case 'there':
        return `the pods of the Job ${name} may still copy, and this operator has no Jobs: delete it (${deletion(name, namespace)}); the copy begins when its pods have had the time to end`;
      case 'unknown':
        return `${unknownText(name, found.reason)}. Until then nothing else copies, because two copies at once could write samples twice`;
      case 'none':
        return `the Job ${name} is gone, but its pods may need up to ${PODS_END_MS / 1000} s to end; then the copy begins`;
    }
  }

  /**
   * What the user has to know if nothing may be copied now; undefined if nothing is.
   * @param why the operator cannot stop the Job
   */
  unstopped(why: string, namespace: string | undefined): string | undefined {
    const found = this.#found;
    if (found.kind === 'unknown') return unknownText(found.name, found.reason);
    if (found.kind === 'none' || found.isSuspended) return undefined;
    return unstoppedText({ ...found, namespace }, why);
  }
}

/** That a Job copies that must not. The cure comes first, because the reason may be long. */
export function unstoppedText(
  { name, pods, namespace }: { readonly name: string; readonly pods: number; readonly namespace: string | undefined },
  why: string,
): string {
  const writing = pods === 1 ? '1 pod of the Job' : `${pods} pods of the Job`;
  return `${pods === 0 ? 'pods of the Job' : writing} ${name} may still write, and the operator cannot stop them: delete the Job (${deletion(name, namespace)}). The reason: ${why}`;
}

function unknownText(name: string, reason: string): string {
  return `it is not known whether pods of the Job ${name} still write: let the operator get jobs, as the chart does (${reason})`;
}

function deletion(name: string, namespace: string | undefined): string {
  return `kubectl delete job ${name}${namespace === undefined ? '' : ` --namespace ${namespace}`}`;
}
