// The errors for a window that could not be read.

import { DoesNotFit } from '../../remote/does-not-fit.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import type { Side } from '../../remote/meaning/side.ts';
import { MigrationError, toMigrationError } from '../report/migration-error.ts';

/** Why a read failed permanently. @param isTooLarge the request cannot be made smaller */
export function failureOf(error: unknown, isTooLarge: boolean): MigrationError {
  if (!isTooLarge || (error instanceof RemoteError && error.class !== 'too-large')) {
    return toMigrationError(error, 'source');
  }
  const side = sideOf(error);
  const name = side === 'source' ? 'source' : 'destination';
  const message = `the smallest possible window of the ${name} is still too large: ${messageOf(error)}`;
  const hint = error instanceof RemoteError ? error.hint : `raise spec.limits.memory, or the ${name}'s limit`;
  return new MigrationError('window-too-large', message, { side, hint, cause: error });
}

/** A window is the source's, unless the error says otherwise: a verification reads both sides of it. */
function sideOf(error: unknown): Side {
  return error instanceof RemoteError || error instanceof DoesNotFit ? error.side : 'source';
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
