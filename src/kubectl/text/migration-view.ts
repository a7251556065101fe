// What a PromMigration and its events say, for people and as JSON: secrets of URLs are redacted, and what needs attention has a cure. Pure.

import type {
  Condition,
  CopiedRange,
  RecentError,
  StatusProgress,
  StatusStretches,
  StatusVerification,
} from '../../api/prom-migration-status.ts';
import type { PromMigration } from '../../api/prom-migration.ts';
import { redactUrl } from '../../telemetry/secret.ts';
import { cureOfCondition, cureOfError } from './cures.ts';

/** A core/v1 Event, as far as it is shown. */
export interface CoreEvent {
  readonly metadata: { readonly name: string; readonly creationTimestamp?: string };
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string };
}

interface EventView {
  readonly time: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** Something that holds the migration up, ended it, or went wrong. */
interface Attention {
  /** A type of a condition, or `Operator`. */
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly cure?: string;
}

export interface MigrationView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly phase: string;
  readonly ended: boolean;
  readonly suspend: boolean;
  /** Whether the status is about the current spec. */
  readonly isCurrent: boolean;
  readonly createdAt: string | undefined;
  readonly startTime: string | undefined;
  readonly completionTime: string | undefined;
  readonly lastProgressTime: string | undefined;
  readonly resumedFrom: string | undefined;
  readonly source: string;
  readonly destination: string;
  readonly range: CopiedRange | undefined;
  readonly progress: StatusProgress;
  readonly execution: { readonly mode: string; readonly parallelism: number };
  readonly stretches: StatusStretches | undefined;
  readonly verification: { readonly mode: string; readonly found: StatusVerification | undefined };
  readonly conditions: readonly Condition[];
  readonly attention: readonly Attention[];
  readonly recentErrors: readonly (RecentError & { readonly cure?: string })[];
  readonly events: readonly EventView[];
  /** Why there are no events here. */
  readonly eventsMissing: string | undefined;
}

/** Events of the migration, or why they could not be read. */
export type EventsRead = { readonly events: readonly CoreEvent[] } | { readonly missing: string };

export function viewOf(migration: PromMigration, read: EventsRead): MigrationView {
  const { metadata, spec, status = {} } = migration;
  const { namespace = '', name, uid = '', generation, creationTimestamp } = metadata;
  const conditions = status.conditions ?? [];
  const end = conditions.find(({ type }) => type === 'Succeeded')?.status;
  const ended = status.completionTime !== undefined || end === 'True' || end === 'False';
  return {
    ...{ namespace, name, uid, ended, conditions, suspend: spec.suspend },
    phase: status.phase ?? 'Pending',
    isCurrent: status.observedGeneration === undefined || status.observedGeneration === generation,
    createdAt: creationTimestamp,
    startTime: status.startTime,
    completionTime: status.completionTime,
    lastProgressTime: status.lastProgressTime,
    resumedFrom: status.resumedFrom,
    source: redactUrl(spec.source.url),
    destination: redactUrl(spec.destination.url),
    range: status.range,
    progress: status.progress ?? {},
    execution: { mode: spec.execution.mode, parallelism: spec.execution.parallelism },
    stretches: status.stretches,
    verification: { mode: spec.verification.mode, found: status.verification },
    attention: attentionOf(migration, ended),
    recentErrors: (status.recentErrors ?? []).map((error) => {
      const cure = cureOfError(error.code, error.side, error.message);
      return { ...error, ...(cure !== undefined && { cure }) };
    }),
    events: 'events' in read ? read.events.map(eventView).sort((one, other) => (one.time < other.time ? 1 : -1)) : [],
    eventsMissing: 'missing' in read ? read.missing : undefined,
  };
}

/** Whether an ended migration has done what it was created for. */
export function hasSucceeded({ conditions }: MigrationView): boolean {
  return conditions.some(({ type, status }) => type === 'Succeeded' && status === 'True');
}

function eventView({ metadata, type, reason, message, count, lastTimestamp, eventTime, series }: CoreEvent): EventView {
  return {
    time: series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '',
    type: type ?? 'Normal',
    reason: reason ?? '',
    message: message ?? '',
    count: series?.count ?? (count || 1),
  };
}

/** The phase that it has as long as nothing of a status was written. */
const isUnseen = ({ status }: PromMigration) => (status?.observedGeneration ?? -1) < 0;

function attentionOf(migration: PromMigration, ended: boolean): Attention[] {
  const { metadata, status } = migration;
  if (isUnseen(migration)) {
    return [
      {
        ...{ type: 'Operator', reason: 'NotSeen', message: 'no operator has looked at this migration yet' },
        cure: 'wait a moment; if it stays, check that an operator runs and watches this namespace: kubectl get pods -A -l app.kubernetes.io/name=prom-migrator',
      },
    ];
  }
  const stale: Attention[] =
    status?.observedGeneration !== metadata.generation
      ? [{ type: 'Operator', reason: 'Behind', message: 'the operator has not seen the last change of the spec yet' }]
      : [];
  const needing = (status?.conditions ?? []).filter(
    // One that was created suspended is checked when it is resumed.
    (condition) => needsAttention(condition, ended) && !(migration.spec.suspend && condition.reason === 'NotChecked'),
  );
  // The comparison that ended a migration is the reason of both.
  const conditions = needing.filter(({ reason }, index) => needing.findIndex((one) => one.reason === reason) === index);
  return [
    ...stale,
    ...conditions.map(({ type, reason, message }) => {
      const cure = cureOfCondition(reason, metadata.name) ?? fallbackCure(type);
      return { type, reason, message, ...(cure !== undefined && { cure }) };
    }),
  ];
}

/** Only the types whose meaning is known: conditions of other types are in the table, and decide nothing here. */
function needsAttention({ type, status, reason, message }: Condition, ended: boolean): boolean {
  // What it refers to is shown as well.
  if (message.startsWith('see the condition ')) return false;
  switch (type) {
    case 'Accepted':
      return status !== 'True' || (!ended && reason !== 'Valid' && message !== '');
    case 'Progressing':
      return status === 'False' && !ended;
    case 'Degraded':
      return status === 'True';
    case 'Succeeded':
      return status === 'False' || (status === 'True' && reason !== 'Completed');
    case 'Verified':
      return status === 'False' || reason === 'NotReadable';
    default:
      return false;
  }
}

function fallbackCure(type: string): string | undefined {
  return type === 'Progressing' ? 'the recent errors name the side that fails, if there is one' : undefined;
}
