// The catalogue of the codes of a RemoteError: what each means and how to fix it. Hints and documentation are made from it. `spec.SIDE`
// stands for the endpoint's place in the manifest.

import { NETWORK_CODES } from './network-codes.ts';
import { REJECTION_CODES } from './rejection-codes.ts';
import { SERVER_CODES } from './server-codes.ts';
import type { Side } from './side.ts';

export const RESPONSE_CODES = { ...REJECTION_CODES, ...SERVER_CODES, ...NETWORK_CODES } as const;

export type RemoteCode = keyof typeof RESPONSE_CODES;

/** The place of a side's endpoint in the manifest. */
export function manifestPath(side: Side): string {
  return side === 'progress' ? 'spec.destination.progress' : `spec.${side}`;
}

/** The cure of a code in the words of one side. */
export function hintOf(code: RemoteCode, side: Side): string {
  return RESPONSE_CODES[code].cure.replaceAll('spec.SIDE', manifestPath(side));
}
