// The errors for a window that could not be read.

import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { MigrationError, toMigrationError } from '../report/migration-error.ts';

/** Why a read failed permanently. @param isTooLarge the request cannot be made smaller */
export function failureOf(error: unknown, isTooLarge: boolean): MigrationError {
  if (!isTooLarge || (error instanceof RemoteError && error.class !== 'too-large')) {
    return toMigrationError(error, 'source');
  }
  const message = `the smallest possible window is still too large: ${messageOf(error)}`;
  const hint = error instanceof RemoteError ? error.hint : "raise spec.limits.memory, or the source's limit";
  return new MigrationError('window-too-large', message, { side: 'source', hint, cause: error });
}

/** Invalid bytes are not a RemoteError, but the pause before the next attempt needs one to report. */
export function asRemoteError(error: unknown): RemoteError {
  if (error instanceof RemoteError) return error;
  const what = messageOf(error);
  return new RemoteError({ class: 'transient', code: 'bad-response', side: 'source', status: 200, what });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
