// Turns a destination's response that can't be parsed into a read failure. Pure.

import { hintOf } from '../../remote/meaning/response-codes.ts';
import { RemoteError } from '../../remote/meaning/remote-error.ts';
import { WireError } from '../../wire/errors.ts';

/** Responses that can't be parsed are retried this many times, over several minutes. After that the fault is permanent. */
const MAX_DAMAGED_RESPONSES = 15;

/** @returns undefined for any other failure */
export function damagedResponse(error: unknown, attempt: number): RemoteError | undefined {
  const isDamaged = error instanceof WireError || (error instanceof RemoteError && error.code === 'bad-response');
  if (!isDamaged) return undefined;
  return new RemoteError({
    class: attempt < MAX_DAMAGED_RESPONSES ? 'transient' : 'refused',
    code: 'bad-response',
    side: 'progress',
    status: error instanceof RemoteError ? error.status : 200,
    what:
      error instanceof RemoteError
        ? error.message.replace(/^progress /, '')
        : `sent a damaged response: ${error.message}`,
    hint: hintOf('bad-response', 'progress'),
  });
}
