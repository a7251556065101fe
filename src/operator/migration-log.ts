// Log lines about migrations.

import type { Logger } from '../telemetry/logger.ts';
import type { Verdict } from './judge/attempt.ts';
import type { MigrationNotice } from './judge/migration-events.ts';

/** Converts a key to the fields that identify the log lines of one migration. */
export function named(key: string): { readonly namespace: string; readonly migration: string } {
  const [namespace = '', migration = ''] = key.split('/');
  return { namespace, migration };
}

/** @param nowMs on the monotonic clock */
export function logEnd(logger: Logger, key: string, verdict: Verdict, nowMs: number): void {
  if (verdict.kind === 'stopped') logger.info('worker stopped', { ...named(key), cause: verdict.cause });
  else if (verdict.kind === 'again') {
    const { reason, message, count, retryAtMs } = verdict.failures;
    const nextInSeconds = Math.round(retryAtMs - nowMs) / 1000;
    logger.warn(`attempt ended: ${message}`, { ...named(key), reason, attempts: count, nextInSeconds });
  } else {
    const { succeeded, reason, message } = verdict.outcome;
    if (succeeded) logger.info('migration finished', { ...named(key), reason });
    else logger.error(`migration failed: ${message}`, { ...named(key), reason });
  }
}

export function logNotice(logger: Logger, key: string, { type, reason, note }: MigrationNotice): void {
  const fields = { ...named(key), event: reason };
  if (type === 'Warning') logger.warn(note, fields);
  else logger.info(note, fields);
}
