// Why a migration stopped for good. Thrown anywhere in the engine, turned into `MigrationResult.error` by migrate.ts. What a later
// attempt may mend (network, 5xx, …) never becomes one of these.

import type { Side } from '../../remote/meaning/side.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { WireError } from '../../wire/errors.ts';

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  /** Stable, kebab-case; listed in docs/errors.md. */
  readonly code: string;
  readonly side: Side | undefined;
  /** What the user can do about it. */
  readonly hint: string | undefined;

  constructor(
    code: string,
    message: string,
    details: { side?: Side; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.side = details.side;
    this.hint = details.hint;
  }
}

/** Any failure as the object that a result carries; `undefined` when it is only the echo of an abort. */
export function toMigrationError(error: unknown, side?: Side): MigrationError {
  if (error instanceof MigrationError) return error;
  if (error instanceof RemoteError) {
    return new MigrationError(error.code, error.message, { side: error.side, hint: error.hint, cause: error });
  }
  if (error instanceof WireError) {
    return new MigrationError(`bad-answer-${error.code}`, error.message, { ...(side && { side }), cause: error });
  }
  const text = error instanceof Error ? error.message : String(error);
  return new MigrationError('internal', `unexpected: ${text}`, { cause: error });
}

/** An error with what the user can do about it, in one text. */
export function errorText(error: { readonly message: string; readonly hint?: string }): string {
  return error.hint === undefined || error.hint === '' ? error.message : `${error.message} (${error.hint})`;
}
