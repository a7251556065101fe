// Which migrations may run if not all can: a limited number of slots, assigned in order of creation. Pure.

import type { PromMigration } from '../../api/prom-migration.ts';
import { keyOf } from '../kube/kube-objects.ts';
import type { MigrationRecord } from './migration-record.ts';
import { isVerificationDue, verifiedIn } from './verification-settings.ts';

export interface Slots {
  readonly resources: readonly PromMigration[];
  readonly record: (key: string) => MigrationRecord | undefined;
  /** Whether it is copied in a Job, which needs no slot. */
  readonly follows: (resource: PromMigration, record: MigrationRecord | undefined) => boolean;
  /** Slots that no migration has. */
  readonly free: number;
  /** On the monotonic clock. */
  readonly nowMs: number;
}

/** Whether there is a slot for it, after the older migrations that want one. */
export function hasSlot(resource: PromMigration, slots: Slots): boolean {
  const key = keyOf(resource);
  let before = 0;
  for (const other of slots.free > 0 ? slots.resources : []) {
    if (!isBefore(other, resource) || keyOf(other) === key || !wantsSlot(other, slots)) continue;
    before++;
    if (before >= slots.free) return false;
  }
  return slots.free > 0;
}

/** The keys that may take the free slots, the oldest first. */
export function nextForSlots(slots: Slots): string[] {
  if (slots.free <= 0) return [];
  const waiting = slots.resources.filter((resource) => wantsSlot(resource, slots));
  waiting.sort((one, other) => (isBefore(one, other) ? -1 : 1));
  return waiting.slice(0, slots.free).map(keyOf);
}

function wantsSlot(resource: PromMigration, { record, follows, nowMs }: Slots): boolean {
  const { metadata, spec, status } = resource;
  if (metadata.deletionTimestamp !== undefined || spec.suspend) return false;
  const known = record(keyOf(resource));
  if (known?.wantsSlot(resource, nowMs) === false || follows(resource, known)) return false;
  if (status?.completionTime === undefined) return true;
  if (status.phase === 'Succeeded') return isVerificationDue(spec, verifiedIn(status));
  return status.phase === 'Failed' && status.observedGeneration !== metadata.generation;
}

function isBefore(one: PromMigration, other: PromMigration): boolean {
  const [a, b] = [one.metadata.creationTimestamp ?? '', other.metadata.creationTimestamp ?? ''];
  return a === b ? keyOf(one) < keyOf(other) : a < b;
}
