// Composes the status of a migration, has it written, and reports what has changed: to the store, as events, in the log. One call at a time per
// key.

import type { PromMigration } from '../api/prom-migration.ts';
import { type Clock, momentOf } from '../telemetry/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import { isEnded } from './judge/migration-end.ts';
import { noticesOfChange } from './judge/migration-events.ts';
import type { MigrationRecord } from './judge/migration-record.ts';
import type { Situation } from './judge/situation.ts';
import { composeStatus } from './judge/status.ts';
import type { RecordedEvent } from './kube/kube-objects.ts';
import { keyOf, type ObjectReference } from './kube/kube-objects.ts';
import { logNotice, named } from './migration-log.ts';
import type { StatusWriter, WriteResult } from './status-writer.ts';

export interface StatusPublisherOptions {
  readonly store: {
    get(key: string): PromMigration | undefined;
    /** Takes over the response to an own request of the operator, unless `basis` is no longer the newest version. */
    put(basis: PromMigration, response: PromMigration, passed?: readonly string[]): void;
  };
  readonly writer: Pick<StatusWriter, 'write' | 'forget'>;
  /** The current object; undefined if it does not exist. */
  readonly readResource: (resource: PromMigration, signal: AbortSignal) => Promise<PromMigration | undefined>;
  readonly recorder: { record(object: ObjectReference, event: RecordedEvent): void };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A migration, and what this process knows about it. */
export interface Known {
  readonly resource: PromMigration;
  readonly record: MigrationRecord;
}

const LAST_WRITE_MS = 3_000;
/** No later look follows the last status, so it is written again if the object changed in the meantime. */
const MAX_LAST_WRITES = 5;

export class StatusPublisher {
  readonly #options: StatusPublisherOptions;

  constructor(options: StatusPublisherOptions) {
    this.#options = options;
  }

  /** @throws what the writer throws when the write has to be retried */
  async publish(
    { resource, record }: Known,
    situation: Situation,
    settings: { readonly signal: AbortSignal; readonly hurry?: boolean },
  ): Promise<WriteResult> {
    const { writer, store, clock, recorder, logger, readResource } = this.#options;
    const check = record.checkOf(resource);
    const { track, job } = record;
    const { report, name: jobName, unstopped } = job;
    const look = record.preflight.lookAt(resource);
    const now = momentOf(clock);
    const status = composeStatus({ resource, situation, track, check, look, job: report, jobName, unstopped, now });
    const result = await writer.write(resource, status, settings);
    if (result.kind === 'conflict') {
      const newest = await readResource(resource, settings.signal);
      if (newest !== undefined) store.put(resource, newest);
    }
    if (result.kind !== 'written') return result;
    store.put(resource, result.resource, result.passed);
    for (const notice of noticesOfChange(resource.status, status)) {
      recorder.record(referenceTo(result.resource), notice);
      // The log already has the ends, with more details.
      if (notice.action !== 'Finish') logNotice(logger, keyOf(resource), notice);
    }
    return result;
  }

  /** Writes the last status of a migration when the operator stops. Never rejects. */
  async publishLast(key: string, record: MigrationRecord, mayWrite: () => boolean): Promise<void> {
    const settings = { hurry: true, signal: AbortSignal.timeout(LAST_WRITE_MS) };
    try {
      for (let attempt = 1; attempt <= MAX_LAST_WRITES; attempt++) {
        const resource = this.#options.store.get(key);
        if (resource === undefined || resource.metadata.uid !== record.uid || !mayWrite()) return;
        const { kind } = await this.publish({ resource, record }, lastSituation(resource, record), settings);
        if (kind !== 'conflict') return;
      }
    } catch (error) {
      this.#options.logger.warn('the last status could not be written', { ...named(key), error });
    }
  }

  forget(key: string): void {
    this.#options.writer.forget(key);
  }
}

function lastSituation(resource: PromMigration, { worker }: MigrationRecord): Situation {
  const { metadata, spec } = resource;
  // One that failed before an edit is tried again: its failure must not be recorded for the edited spec.
  if (worker.kind === 'ended' && isEnded({ resource, worker })) return worker;
  if (metadata.deletionTimestamp !== undefined) return { kind: 'deleting' };
  return spec.suspend ? { kind: 'suspended' } : { kind: 'interrupted' };
}

export function referenceTo({ apiVersion, kind, metadata }: PromMigration): ObjectReference {
  const { name, namespace = 'default', uid = '', resourceVersion = '' } = metadata;
  return { apiVersion, kind, namespace, name, uid, resourceVersion };
}
