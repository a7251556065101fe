// The messages to a migration's own thread. The structured clone drops classes, so `packJob` brings a job into another form, and
// `unpackJob` restores it. Only between the two are its secrets in plain text.

import type { MessagePort } from 'node:worker_threads';
import type { MigrationPlan } from '../migration/plan/migration-plan.ts';
import type { KnownBeginning } from '../migration/progress/known-beginning.ts';
import type { ResultError } from '../migration/report/observer.ts';
import type { ResumedVerification, StretchVerification } from '../migration/report/verification.ts';
import { FileSecret, Secret, SecretUrl } from '../telemetry/secret.ts';
import type { Rates, ResumePoint } from './worker-messages.ts';

/** The work of a thread: one attempt of one migration, or one stretch of it. */
export interface WorkerJob {
  readonly plan: MigrationPlan;
  /** Only for destination.progress.protocol None. */
  readonly resume?: ResumePoint;
  /** For a stretch: where it begins. */
  readonly known?: KnownBeginning;
  /** The stretch is to be compared. */
  readonly verification?: StretchVerification;
  /** How long to retry a side that has never responded; if unset, for ever. */
  readonly startupDeadlineMs?: number;
  /** How far an earlier attempt had compared. */
  readonly resumeVerification?: ResumedVerification;
  /** Copies nothing: divides the range, and follows what the pods of a Job do. */
  readonly follow?: boolean;
  /** Copies nothing: looks at both sides. With `follow`: for a migration that the pods of a Job will copy. */
  readonly preflight?: boolean;
}

export type ToWorker =
  /** Only sent to an idle thread, unless it has a port of its own: jobs with ports run side by side. */
  | { readonly type: 'job'; readonly job: PackedJob; readonly port?: MessagePort }
  /** Start no new window, finish those in flight. */
  | { readonly type: 'stop' }
  /** End immediately. */
  | { readonly type: 'abort' }
  | { readonly type: 'rates'; readonly rates: Rates }
  /** With the reason if they are not. */
  | { readonly type: 'differences-written'; readonly error?: ResultError }
  | { readonly type: 'parallelism'; readonly parallelism: number }
  /** To one that follows: the Job has ended. Find out whether everything is in the destination, and end. */
  | { readonly type: 'conclude' };

/** Survives the structured clone. Each secret is a Map, and a job has no other Map. */
export interface PackedJob {
  readonly content: unknown;
}

export function packJob(job: WorkerJob): PackedJob {
  return { content: packed(job) };
}

/** The job as it was packed, deeply frozen like its plan. */
export function unpackJob({ content }: PackedJob): WorkerJob {
  return unpacked(content) as WorkerJob;
}

function packed(value: unknown): unknown {
  if (value instanceof FileSecret) return new Map([[`file ${value.path}`, value.reveal()]]);
  if (value instanceof Secret) return new Map([[value instanceof SecretUrl ? 'url' : 'text', value.reveal()]]);
  return mapped(value, packed);
}

function unpacked(value: unknown): unknown {
  if (!(value instanceof Map)) return Object.freeze(mapped(value, unpacked));
  const [[kind = '', text = ''] = []] = value as Map<string, string>;
  return Object.freeze(secretOf(kind, text));
}

function secretOf(kind: string, text: string): Secret {
  if (kind.startsWith('file ')) return new FileSecret(text, kind.slice('file '.length));
  return kind === 'url' ? new SecretUrl(text) : new Secret(text);
}

function mapped(value: unknown, map: (field: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => map(entry));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, map(field)]));
}
