// Reports what happens to a migration, as events and in the log.

import type { PromMigration } from '../api/prom-migration.ts';
import type { Clock } from '../telemetry/clock.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { MigrationNotice } from './judge/migration-events.ts';
import type { MigrationRecord } from './judge/migration-record.ts';
import type { ObjectReference, RecordedEvent } from './kube/kube-objects.ts';
import { logNotice } from './migration-log.ts';
import { referenceTo } from './status-publisher.ts';

export interface MigrationNoticesOptions {
  readonly store: { get(key: string): PromMigration | undefined };
  readonly recorder: { record(object: ObjectReference, event: RecordedEvent): void };
  readonly clock: Clock;
  readonly logger: Logger;
}

export class MigrationNotices {
  readonly #options: MigrationNoticesOptions;

  constructor(options: MigrationNoticesOptions) {
    this.#options = options;
  }

  report(key: string, record: MigrationRecord, notices: readonly (MigrationNotice | undefined)[]): void {
    for (const notice of notices) {
      if (this.record(key, record, notice)) logNotice(this.#options.logger, key, notice);
    }
  }

  /** Without a log line. @returns whether it is news */
  record(key: string, record: MigrationRecord, notice: MigrationNotice | undefined): notice is MigrationNotice {
    const { clock, recorder, store } = this.#options;
    const resource = store.get(key);
    if (notice === undefined || resource === undefined || resource.metadata.uid !== record.uid) return false;
    if (!record.hasChanged(notice, clock.monotonicMs())) return false;
    recorder.record(referenceTo(resource), notice);
    return true;
  }
}
