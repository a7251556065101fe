// Why a migration stopped permanently. `MigrationResult.error` carries it. A failure that a later attempt may fix (network, 5xx, …) never
// becomes a MigrationError.

import type { Side } from '../../remote/meaning/side.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { WireError } from '../../wire/errors.ts';
import type { MigrationCode } from './migration-codes.ts';

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly code: MigrationCode;
  readonly side: Side | undefined;
  /** What the user can do about it. */
  readonly hint: string | undefined;

  constructor(
    code: MigrationCode,
    message: string,
    details: { side?: Side; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.side = details.side;
    this.hint = details.hint;
  }
}

/** Converts any failure to the error that a result carries. */
export function toMigrationError(error: unknown, side?: Side): MigrationError {
  if (error instanceof MigrationError) return error;
  if (error instanceof RemoteError) {
    return new MigrationError(error.code, error.message, { side: error.side, hint: error.hint, cause: error });
  }
  if (error instanceof WireError) {
    return new MigrationError(`bad-response-${error.code}`, error.message, { ...(side && { side }), cause: error });
  }
  const text = error instanceof Error ? error.message : String(error);
  return new MigrationError('internal', `unexpected: ${text}`, { cause: error });
}

/** The error and its hint as one text. */
export function errorText(error: { readonly message: string; readonly hint?: string }): string {
  return error.hint === undefined || error.hint === '' ? error.message : `${error.message} (${error.hint})`;
}
