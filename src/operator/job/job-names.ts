// The names, labels and annotations of what a migration in mode Job consists of. Pure.

import { createHash } from 'node:crypto';
import type { PromMigration } from '../../api/prom-migration.ts';

/** Says on a Job from which settings it was made: see job-key.ts. */
export const JOB_KEY = 'prom-migrator.io/job-key';
/** The starts of the stretches of a Job by index, so that a failed one can be named when the ConfigMap is gone. */
export const JOB_STARTS = 'prom-migrator.io/stretch-starts';
/** The end of the range that it copies, if the manifest leaves it open: the pods copy to this end, before any mark says it. */
export const JOB_FROZEN_END = 'prom-migrator.io/frozen-end';
/** Of its pods. What they cannot pull is replaced as soon as the operator has another one. */
export const JOB_IMAGE = 'prom-migrator.io/image';
/** Of the container that copies. A service mesh may add others. */
export const CONTAINER = 'prom-migrator';
export const MIGRATION_LABEL = 'prom-migrator.io/migration';
const OWN_LABELS = {
  'app.kubernetes.io/name': 'prom-migrator',
  'app.kubernetes.io/component': 'stretch',
  'app.kubernetes.io/managed-by': 'prom-migrator',
};

/** Selects the Jobs of all migrations, and their pods. */
export const JOB_SELECTOR = Object.entries(OWN_LABELS)
  .map(([name, value]) => `${name}=${value}`)
  .join(',');

/** The API server cuts off the names of pods after 58 characters: the name of the Job, its index of up to four digits, and two hyphens. */
const MAX_JOB_NAME = 52;
const MAX_LABEL = 63;
const HASH_LENGTH = 10;

export function startsText(stretches: readonly { readonly startMs: number }[]): string {
  return stretches.map(({ startMs }) => startMs / 1000).join(',');
}

/** The start of the stretch with that index; undefined if the text was changed. */
export function startIn(text: string, index: number): number | undefined {
  const seconds = Number.parseFloat(text.split(',')[index] ?? '');
  return Number.isNaN(seconds) ? undefined : Math.round(seconds * 1000);
}

/** The labels of the objects of a migration. */
export function labelsOf({ metadata: { name } }: PromMigration): Record<string, string> {
  return { ...OWN_LABELS, [MIGRATION_LABEL]: name.length <= MAX_LABEL ? name : shortened(name, name, MAX_LABEL) };
}

/**
 * Of the Job and of its ConfigMap. A migration has one name for all its Jobs: whichever operator creates one, however late, the API server
 * refuses a second one beside the first.
 */
export function jobNameOf({ metadata: { name, uid } }: PromMigration): string {
  return shortened(name, uid ?? '', MAX_JOB_NAME);
}

/** A name as of a host, that differs with what is hashed. The names of migrations may have dots, the names of hosts may not. */
function shortened(name: string, hashed: string, maxLength: number): string {
  const hash = createHash('sha256').update(hashed).digest('hex').slice(0, HASH_LENGTH);
  const start = name.replaceAll('.', '-').slice(0, maxLength - HASH_LENGTH - 1);
  return `${start.replace(/-+$/, '')}-${hash}`;
}
